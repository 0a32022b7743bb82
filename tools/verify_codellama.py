"""Checks genuine Code Llama 7B: its tokenizer and its weights, against what Meta's code is known to give.

For whoever has them: nobody here had. Reads a folder as the hub has it, downloads nothing, and writes
`benchmarks/results/verify-codellama.json`; README calls Code Llama unverified until such a file says yes.
Exit status: 0 all is well, 1 a check failed, 2 the folder is not what can be checked.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.report import report
from midfill.model.backends.hf.backend import TransformersBackend
from midfill.model.backends.hf.job import Job
from midfill.model.backends.hf.kv import TokenCache
from midfill.model.backends.hf.model_settings import read_json
from midfill.model.backends.hf.vocabulary import read_vocabulary
from midfill.model.config import ModelConfig
from midfill.model.dialects import CODELLAMA_PSM, CODELLAMA_SPM, FimDialect, render
from midfill.model.errors import ModelError
from midfill.model.store.files import sha256_of
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.tokens import CodeTokenizer

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT / ".." / "shared"
NAME = "CodeLlama-7b-hf"
SHAPE = {"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32016}
BOS, EOS = 1, 2
MARKERS = {"▁<PRE>": 32007, "▁<SUF>": 32008, "▁<MID>": 32009, "▁<EOT>": 32010}
PREFIX, SUFFIX = 'def remove_non_ascii(s: str) -> str:\n    """ ', "\n    return result\n"
"""Meta's first infilling example, which the model's page shows too."""
PREFIX_IDS = (
    *(822, 3349, 29918, 5464, 29918, 294, 18869, 29898, 29879, 29901, 851, 29897, 1599, 851, 29901, 13),
    *(1678, 9995, 29871),
)
SUFFIX_IDS = (13, 1678, 736, 1121, 13)
PSM = [BOS, 32007, *PREFIX_IDS, 32008, *SUFFIX_IDS, 32009]  # ggml-org/llama.cpp issue 3503
SPM = [BOS, 32007, 32008, *SUFFIX_IDS, 32009, *PREFIX_IDS]  # llama/generation.py, suffix_first
ANSWER = (15941, 1661, 29899, 28599, 2687, 4890, 515)
"""How 7B's greedy answer begins in transformers' own integration test: Remove non-ASCII characters from"""
DECIDING = 3
"""So many of them must come; what comes behind may hang on the number format."""


class CannotCheckError(Exception):
    """`str(error)` says what is wrong with the folder."""


@dataclass(frozen=True, slots=True)
class Check:
    check: str
    verdict: str
    """`passed`, `failed`, or `not run`."""
    found: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help=f"the folder of {NAME}: make verify-codellama MODEL=/path/to/it")
    parser.add_argument("--quantization", default="none", choices=("none", "int8", "int4"))
    asked = parser.parse_args(arguments)
    try:
        folder = _folder(asked.model)
        checks = [*_tokenizer_checks(folder), *_weight_checks(folder, asked.quantization)]
    except CannotCheckError as error:
        print(f"Cannot check: {error}", file=sys.stderr)
        return 2
    failed = sum(check.verdict == "failed" for check in checks)
    summary: dict[str, float | str | None] = {"verified": float(failed == 0), "failed": float(failed)}
    summary |= {f"sha256_{file.name}": sha256_of(file) for file in _files(folder)}
    command = f"make verify-codellama MODEL={folder.name}"
    report("verify-codellama", [asdict(check) for check in checks], summary, command=command)
    return 1 if failed else 0


def _folder(given: str) -> Path:
    folder = Path(given).expanduser()
    if not given or not folder.is_dir():
        raise CannotCheckError(
            f"no folder {given!r}. Say where it is: make verify-codellama MODEL=/path/to/{NAME}"
        )
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    missing += [] if any(folder.glob("*.safetensors")) else ["*.safetensors"]
    if missing:
        raise CannotCheckError(
            f"{folder} has no {', no '.join(missing)}: it must be {NAME} as the hub has it"
        )
    family = read_json(folder / "config.json").get("model_type")
    if family != SHAPE["model_type"]:
        raise CannotCheckError(f"{folder} holds a model of type {family!r}, which Code Llama is not")
    return folder


def _files(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("*.safetensors")), folder / "tokenizer.json"]


def _tokenizer_checks(folder: Path) -> Iterator[Check]:
    try:
        vocabulary = read_vocabulary(folder, [NAME], {EOS})
    except ModelError as error:
        yield Check("the tokenizer is read, and gives texts back", "failed", str(error))
        return
    tokenizer = vocabulary.tokenizer
    yield Check("the tokenizer is read, and gives texts back", "passed")
    yield _equal("markers", {marker: tokenizer.marker_id(marker) for marker in MARKERS}, MARKERS)
    chosen = vocabulary.fim.dialect
    yield _equal("dialect", chosen.name if chosen else "none", CODELLAMA_SPM.name)
    for title, dialect, ids in (("PSM", CODELLAMA_PSM, PSM), ("SPM", CODELLAMA_SPM, SPM)):
        yield _equal(f"{title} prompt of Meta's example", _prompt(tokenizer, dialect, PREFIX, SUFFIX), ids)
    typed = [f"x = '{space}{marker[1:]}'" for marker in MARKERS for space in ("", " ", "▁")]
    leaks = [text for text in typed if not tokenizer.reserved.isdisjoint(tokenizer.encode(text))]
    yield _equal("markers that a user types stay text", leaks, [])
    yield _against_sentencepiece(folder / "tokenizer.model", tokenizer)
    yield from _reference_rows(tokenizer)


def _prompt(tokenizer: CodeTokenizer, dialect: FimDialect, prefix: str, suffix: str) -> list[int]:
    before, behind = tokenizer.encode(prefix), tokenizer.encode_continuation(suffix)
    return render(dialect, MARKERS, before, behind, BOS)


def _against_sentencepiece(path: Path, tokenizer: CodeTokenizer) -> Check:
    """tokenizer.json was made from tokenizer.model: they must agree on real code."""
    title = "tokenizer.json agrees with tokenizer.model on this project's source"
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        return Check(title, "not run", "the package sentencepiece is not installed")
    if not path.is_file():
        return Check(title, "not run", "the folder has no tokenizer.model")
    genuine = SentencePieceProcessor(model_file=str(path))
    lines = {
        line
        for source in (ROOT / "model").rglob("*.py")
        for line in source.read_text("utf-8").splitlines()
        if line and "<" not in line  # a marker's text is no marker here, but is one there
    }
    return _equal(
        title, [line for line in sorted(lines) if tokenizer.encode(line) != genuine.encode(line)], []
    )


def _reference_rows(tokenizer: CodeTokenizer) -> Iterator[Check]:
    title, data = "prompts of fim-reference", SHARED / "data"
    if not (data / "fim-reference.jsonl.gz").is_file():
        yield Check(title, "not run", "the evaluation data does not lie beside this checkout")
        return
    texts: dict[str, tuple[str, str]] = {}
    rows = _rows(data / "fim-reference.jsonl.gz")
    for name in {row["file"] for row in rows if row["file"]}:
        texts |= {task["task_id"]: (task["prompt"], task["suffix"]) for task in _rows(data / name)}
    for dialect, key in ((CODELLAMA_PSM, "codellama_psm"), (CODELLAMA_SPM, "codellama_spm")):
        wrong = []
        for row in rows:
            prefix, suffix = texts[row["task_id"]] if row["file"] else (row["prefix"], row["suffix"])
            if _prompt(tokenizer, dialect, prefix, suffix) != row["ids"][key]:
                wrong.append(row["task_id"])
        yield _equal(f"{title}: {key}, {len(rows)} rows", wrong, [])


def _rows(path: Path) -> list[dict]:  # type: ignore[type-arg]  # JSON
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _weight_checks(folder: Path, quantization: str) -> Iterator[Check]:
    config = read_json(folder / "config.json")
    yield _equal("the size of 7B", {key: config.get(key) for key in SHAPE}, SHAPE)
    title = f"the greedy answer to Meta's example begins {' '.join(map(str, ANSWER[:DECIDING]))}"
    backend = TransformersBackend(
        ModelConfig(quantization=quantization), LocalModel(NAME, folder, WeightFormat.SAFETENSORS)
    )
    try:
        info = backend.load(lambda _: None)
        yield _equal("the loaded model's dialect", info.dialect, CODELLAMA_SPM.name)
        loaded, loop, *_ = backend._ready()
        cache = TokenCache(loaded.make_past)
        for _ in loop.stream(cache, Job(PSM, len(ANSWER) + 1, loaded.stop_ids)):
            pass
    except ModelError as error:
        yield Check(title, "failed", str(error))
        return
    finally:
        backend.close()
    ids = cache.tokens[len(PSM) :]
    right = tuple(ids[:DECIDING]) == ANSWER[:DECIDING]
    text = loaded.tokenizer.decode(ids)
    found = f"{' '.join(map(str, ids))} {text!r}, {info.dtype} on {info.device}"
    yield Check(title, "passed" if right else "failed", found)


def _equal(check: str, found: object, wanted: object) -> Check:
    if found == wanted:
        return Check(check, "passed")
    return Check(check, "failed", f"{found!s:.300} instead of {wanted!s:.300}")


if __name__ == "__main__":
    sys.exit(main())
