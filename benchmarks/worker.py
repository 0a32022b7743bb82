"""The model on this CPU: speed, memory and quality of each way to serve it, against `generate()`.

Quality: teacher-forced NLL per gold token and exact match of the greedy line, on each 7th row of
HumanEval-SingleLineInfilling. Each engine runs in a process of its own. `--quick`: fewer rows;
`--threads N`: 2 if not given.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import Row, report

ENGINES = {
    "generate() float32": None,
    "lean float32": ("float32", "none"),
    "lean bfloat16": ("bfloat16", "none"),
    "lean int8": ("auto", "int8"),
    "lean auto": ("auto", "auto"),
}
"""Name → dtype and quantization settings; None: transformers' own loop, for its speed alone."""
REFERENCE, SERVED, GENERATE = "lean float32", "lean auto", "generate() float32"
MODEL = "qwen2.5-coder-0.5b-instruct"
PROMPT_TOKENS, NEW_TOKENS, ROUNDS = 831, 32, 3
EVERY, QUICK_EVERY = 7, 50
FEW = 8
"""Gold tokens fed at a time: as many as the kernels for few rows serve."""
LONGEST_LINE = 48
DATA = Path(__file__).parents[2] / "shared" / "data" / "HumanEval-SingleLineInfilling.jsonl.gz"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", choices=ENGINES)
    asked = parser.parse_args()
    if asked.engine:
        print(json.dumps(measure(asked.engine, QUICK_EVERY if asked.quick else EVERY, asked.threads)))
        return
    found = {}
    for engine in ENGINES:
        command = [sys.executable, "-m", "benchmarks.worker", *sys.argv[1:], "--engine", engine]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{engine}: {ended.stderr[-2000:]}")
        found[engine] = json.loads(ended.stdout.splitlines()[-1])
        print(f"{engine}: {found[engine]['row']}", file=sys.stderr, flush=True)
    report("worker", [each["row"] for each in found.values()], summary(found))


def summary(found: dict[str, Any]) -> dict[str, float | str | None]:
    """The flat numbers; `found` is what `measure` says of each engine."""
    served, reference, theirs = (found[name] for name in (SERVED, REFERENCE, GENERATE))
    out: dict[str, float | str | None] = {
        "decode_vs_generate": theirs["row"]["decode ms/token"] / served["row"]["decode ms/token"],
        "prefill_vs_generate": served["row"]["prefill tok/s"] / theirs["row"]["prefill tok/s"],
        "rss_vs_generate": served["row"]["RSS MiB"] / theirs["row"]["RSS MiB"],
        "cached_start_s": None,
        "cached_start_s_reason": "`make bench-start` measures whole starts; `load s` is the backend's part",
    }
    quality = ("nll_delta", "em_delta_points", "em_mcnemar_p")
    if not served["hits"]:
        return (
            out | dict.fromkeys(quality) | {f"{key}_reason": "no evaluation data here" for key in quality}
        )
    pairs = list(zip(served["hits"], reference["hits"], strict=True))
    won, lost = pairs.count((True, False)), pairs.count((False, True))
    return out | {
        "nll_delta": served["row"]["NLL"] - reference["row"]["NLL"],
        "em_delta_points": 100 * (won - lost) / len(pairs),
        "em_mcnemar_p": mcnemar(won, lost),
        "rows": len(pairs),
    }


def mcnemar(won: int, lost: int) -> float:
    """The exact two-sided p of so many pairs decided this way and that (McNemar 1947, binomial)."""
    n = won + lost
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(min(won, lost) + 1)) / 2**n)


def measure(engine: str, every: int, threads: int) -> dict[str, Any]:
    """Speed, memory and quality of one engine, in this process."""
    if ENGINES[engine] is None:
        return {"row": {"engine": engine, **generate_speed(threads)}, "hits": []}
    from midfill.model.backends.hf.backend import TransformersBackend
    from midfill.model.config import ModelConfig

    dtype, quantization = ENGINES[engine]
    began = time.perf_counter()
    backend = TransformersBackend(
        ModelConfig(model=MODEL, device="cpu", dtype=dtype, quantization=quantization, threads=threads)
    )
    info = backend.load(lambda _: None)
    loaded_s = time.perf_counter() - began
    prefill, decode = loop_speed(*backend._ready())
    row = {
        "engine": f"{engine} ({info.dtype})",
        "prefill tok/s": prefill,
        "decode ms/token": decode,
        "RSS MiB": psutil.Process().memory_info().rss / 2**20,
        "load s": loaded_s,
    }
    nll, hits = quality(backend, every)
    return {"row": row | {"NLL": nll, "EM": sum(hits) / len(hits) if hits else None}, "hits": hits}


def prompt_ids(tokenizer: Any) -> list[int]:
    """Some of this project's own source: text as users have it."""
    text = (Path(__file__).parents[1] / "model/midfill/model/backends/hf/decode.py").read_text("utf-8")
    ids: list[int] = tokenizer.encode(text)[:PROMPT_TOKENS]
    return ids


def loop_speed(loaded: Any, loop: Any) -> tuple[float, float]:
    """Prompt tokens per second, and milliseconds per token behind the prompt: the best of the rounds."""
    from midfill.model.backends.hf.job import Job
    from midfill.model.backends.hf.kv import TokenCache

    prefill, decode = math.inf, math.inf
    ids = prompt_ids(loaded.tokenizer)
    for _ in range(ROUNDS):
        *_, finish = loop.stream(TokenCache(loaded.make_past), Job(ids, NEW_TOKENS + 1, frozenset()))
        prefill = min(prefill, finish.usage.prefill_ms)
        decode = min(decode, finish.usage.decode_ms / NEW_TOKENS)
    return 1000 * len(ids) / prefill, decode


def generate_speed(threads: int) -> Row:
    """The same of transformers' `generate()`, in float32, on the same weights."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    from midfill.model.store.local import converted_dir
    from midfill.model.store.store import Store

    torch.set_num_threads(threads)
    began = time.perf_counter()
    folder = converted_dir(Store().find(MODEL).sha256)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    loaded_s = time.perf_counter() - began
    text = (Path(__file__).parents[1] / "model/midfill/model/backends/hf/decode.py").read_text("utf-8")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    batch = torch.tensor([tokenizer.encode(text).ids[:PROMPT_TOKENS]])

    def seconds(new: int) -> float:
        began = time.perf_counter()
        model.generate(
            batch, attention_mask=torch.ones_like(batch), max_new_tokens=new, min_new_tokens=new,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip
        return time.perf_counter() - began

    first = min(seconds(1) for _ in range(ROUNDS))
    rest = min(seconds(NEW_TOKENS + 1) for _ in range(ROUNDS)) - first
    rss = psutil.Process().memory_info().rss / 2**20
    return {
        "prefill tok/s": PROMPT_TOKENS / first,
        "decode ms/token": 1000 * rest / NEW_TOKENS,
        "RSS MiB": rss,
        "load s": loaded_s,
        "NLL": None,
        "EM": None,
    }


def quality(backend: Any, every: int) -> tuple[float | None, list[bool]]:
    """NLL per gold token, and for each row whether the greedy line is the gold one, to the character."""
    import gzip

    import torch

    from midfill.model.api import Chunk, FimRequest
    from midfill.model.backends.hf.job import Job
    from midfill.model.backends.hf.kv import TokenCache

    if not DATA.is_file():
        return None, []
    loaded, loop = backend._ready()
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::every]
    losses, count, hits = 0.0, 0, []
    for row in rows:
        prompt = backend.fim_prompt(FimRequest(row["prompt"], row["suffix"], max_new_tokens=LONGEST_LINE))
        gold = loaded.tokenizer.encode(row["canonical_solution"])
        cache = TokenCache(loaded.make_past)
        for _ in loop.stream(cache, Job(prompt[:-1], 1, frozenset(), prefill_only=True)):
            pass
        fed = [prompt[-1], *gold[:-1]]
        for at in range(0, len(fed), FEW):
            with torch.inference_mode():
                batch = torch.tensor([fed[at : at + FEW]])
                logits = loaded.model(
                    input_ids=batch,
                    past_key_values=cache.past,
                    use_cache=True,
                    logits_to_keep=batch.shape[1],
                ).logits[0]
            wanted = torch.tensor(gold[at : at + FEW])
            losses += float(torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="sum"))
        count += len(gold)
        cache.settle()
        text = ""
        for event in loop.stream(cache, Job(prompt, LONGEST_LINE, loaded.stop_ids)):
            text += event.text if isinstance(event, Chunk) else ""
            if "\n" in text:
                break
        hits.append(text.partition("\n")[0] == row["canonical_solution"].rstrip("\n"))
    return losses / count, hits


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
