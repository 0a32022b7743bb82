"""What a way to serve the model costs in quality: NLL and exact match on HumanEval-SingleLineInfilling.

Prompts are the dialect's own, whole; rows of one problem follow each other, and what they share stays in
the KV cache, as it does while somebody types. Gold is then fed in: the loss of each of its tokens, and each
row's verdict, which seldom needs decoding (see `verdict`). Rows measured once are kept.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.alone import Alone, load_alone
from benchmarks.evaluation_data import LINES, problem_of, read_rows
from benchmarks.measure.kept import Kept, Line
from midfill.model.store.catalogue import DEFAULT_MODEL

SERVED, REFERENCE = "served", "float32"
SETTINGS = {
    REFERENCE: {"dtype": "float32", "quantization": "none"},
    "bfloat16": {"dtype": "bfloat16", "quantization": "none"},
    "int8": {"quantization": "int8"},
    SERVED: {},
}
"""Engine → what its configuration sets: nothing is what users get."""
PROTOCOL = 1
"""Part of the cache's key: raised whenever a row's figures come about otherwise."""
SAME_NLL = 1e-3
"""A row that differs by less was computed by the same kernels on as many threads."""
LONGEST_LINE = 48
"""Tokens to write at most where a row must be decoded. Gold has 46 at most."""

Row = dict[str, Any]


def read_problems(count: int = 0) -> list[list[Row]]:
    """Whole problems, spread over the data, about so many rows in all (0: all); [] without the data."""
    if not LINES.is_file():
        return []
    rows = read_rows(LINES)
    problems = [list(group) for _, group in groupby(rows, problem_of)]
    wanted = -(-len(problems) * min(count or len(rows), len(rows)) // len(rows))
    return [problems[at * len(problems) // wanted] for at in range(wanted)]


def verdict(
    gold: Sequence[int], likeliest: Sequence[int], stop_ids: frozenset[int], spell: Callable[[int], bytes]
) -> bool | None:
    """Whether greedy decoding writes the gold line, to the character; None: only decoding can tell.

    `likeliest` [i] is the model's choice behind the first i gold tokens; the line is the text up to the
    first line break, or all of it if the model ends before. Up to the first choice that is not gold, the
    choices are what greedy decoding writes.
    """
    line = b"".join(map(spell, gold)).rstrip(b"\n") + b"\n"
    written = b""
    for right, chosen in zip(gold, likeliest, strict=True):
        if chosen in stop_ids:
            return written == line.rstrip(b"\n")
        written += spell(chosen)
        if written.startswith(line):
            return True
        if not line.startswith(written):
            return False
        if chosen != right:
            return None
    return None


class Scorer:
    """One engine, loaded when the cache lacks a row."""

    def __init__(self, engine: str, threads: int) -> None:
        self.engine, self._threads = engine, threads
        self._alone: Alone | None = None
        self._kept = Kept(cache_file(engine, threads))

    def lines(self, count: int = 0) -> list[Line]:
        """The figures of so many rows, in the data's order; what the cache lacks is measured and kept."""
        return [line for rows in read_problems(count) for line in self._of_problem(rows)]

    def renew(self) -> None:
        """Measure the first problem again, and forget all if it comes out otherwise: kernels or
        prompts have changed since."""
        rows = read_problems()[0] if LINES.is_file() else []
        known = [self._kept.get(row["task_id"]) for row in rows]
        self._kept.forget(row["task_id"] for row in rows)
        again = list(self._of_problem(rows))
        pairs = [(old["nll"], new["nll"]) for old, new in zip(known, again, strict=True) if old]
        if any(abs(old - new) > SAME_NLL for old, new in pairs):
            self._kept.clear()
            for line in again:
                self._kept.add(line)

    def disagreements(self, count: int) -> int:
        """Of so many rows: how many verdicts differ from decoding in full, from an empty cache."""
        differ = 0
        rows = [row for rows in read_problems(count) for row in rows]
        for row, line in zip(rows, self.lines(count), strict=True):
            prompt, gold = self._encoded(row)
            differ += self._decoded_hit(self._cache(), prompt, gold) != line["hit"]
        return differ

    def _of_problem(self, rows: list[Row]) -> Iterator[Line]:
        known = [line for row in rows if (line := self._kept.get(row["task_id"]))]
        if len(known) == len(rows):
            yield from known
            return
        cache = self._cache()
        for row in rows:
            line = self._measured(cache, row)
            self._kept.add(line)
            yield line

    def _measured(self, cache: Any, row: Row) -> Line:
        import torch

        loaded = self._loaded()
        prompt, gold = self._encoded(row)
        logits = self._behind(cache, prompt, gold)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(gold), reduction="sum")
        likeliest = logits.argmax(dim=-1).tolist()
        hit = verdict(gold, likeliest, loaded.stop_ids, loaded.tokenizer.token_bytes)
        decoded = hit is None
        if decoded:
            hit = self._decoded_hit(cache, prompt, gold)
        digest = hashlib.sha256(str(prompt).encode()).hexdigest()[:16]
        return {
            "task_id": row["task_id"],
            "prompt": digest,
            "nll": float(loss),
            "tokens": len(gold),
            "hit": hit,
            "decoded": decoded,
        }

    def _behind(self, cache: Any, prompt: list[int], gold: list[int]) -> Any:
        """Logits [gold tokens, vocabulary] of the places of `gold`, computed as the loop computes them.

        Stored weights multiply all rows alike: there gold goes in at once. Quantised ones have kernels by
        the number of rows, and what decodes feeds one: so does this.
        """
        import torch

        blocks = self._loop().block_tokens
        cache.reuse(prompt)
        while len(cache.tokens) < len(prompt):
            logits = self._forward(cache, prompt[len(cache.tokens) :][:blocks], 1)
        at_once = 1 if "quantization" not in SETTINGS[self.engine] else len(gold)
        parts = [logits]
        fed = gold[:-1]
        for at in range(0, len(fed), at_once):
            part = fed[at : at + at_once]
            parts.append(self._forward(cache, part, len(part)))
        return torch.cat(parts)

    def _forward(self, cache: Any, ids: list[int], keep: int) -> Any:
        import torch

        with torch.inference_mode():
            out = self._loaded().model(
                input_ids=torch.tensor([ids]),
                past_key_values=cache.past,
                use_cache=True,
                logits_to_keep=keep,
            )
        cache.tokens += ids
        return out.logits[0].float()

    def _decoded_hit(self, cache: Any, prompt: list[int], gold: list[int]) -> bool:
        from midfill.model.api import Chunk
        from midfill.model.backends.hf.job import Job

        loaded = self._loaded()
        text = ""
        for event in self._loop().stream(cache, Job(prompt, LONGEST_LINE, loaded.stop_ids)):
            text += event.text if isinstance(event, Chunk) else ""
            if "\n" in text:
                break
        line: str = loaded.tokenizer.decode(gold)
        return text.partition("\n")[0] == line.rstrip("\n")

    def _encoded(self, row: Row) -> tuple[list[int], list[int]]:
        """The prompt and the gold line as token ids."""
        from midfill.model.dialects import render

        loaded = self._loaded()
        tokenizer, dialect = loaded.tokenizer, loaded.dialect
        markers = {marker: tokenizer.marker_id(marker) for marker in dialect.markers}
        prefix, suffix = tokenizer.encode(row["prompt"]), tokenizer.encode(row["suffix"])
        gold = tokenizer.encode(row["canonical_solution"])
        return render(dialect, markers, prefix, suffix, loaded.bos_id), gold

    def _loaded(self) -> Any:
        return self._ready().loaded

    def _loop(self) -> Any:
        return self._ready().loop

    def _cache(self) -> Any:
        return self._ready().new_cache()

    def _ready(self) -> Alone:
        if self._alone is None:
            self._alone = load_alone(device="cpu", threads=self._threads, **SETTINGS[self.engine])
        return self._alone


def cache_file(engine: str, threads: int) -> Path:
    """Named by what figures hang on and can be told before: weights, settings, torch, machine, threads."""
    import torch

    from midfill.model.store.local import cache_root
    from midfill.model.store.store import Store

    told = [PROTOCOL, Store().find(DEFAULT_MODEL).sha256, SETTINGS[engine], torch.__version__]
    if engine != REFERENCE:  # which is the same on all of them, to six digits
        told += [torch.backends.cpu.get_cpu_capability(), threads]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    return cache_root() / "benchmarks" / "quality" / f"{engine}-{key}.jsonl"
