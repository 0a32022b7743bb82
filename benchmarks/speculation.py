"""Guessing ahead on real edits: decode speed with and without it, where text repeats and where it does not.

Requests are those that the server makes; each edit is answered both ways in turn, so that noise hits both.
An edit repeats when what was written there, or the model's own answer, shares 8 tokens in a row with the
file. `--every N` takes each N-th hunk (4 if not given), `--block` asks for whole blocks instead of what the
server would ask for.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.edits import Edit, rows, shares_run
from benchmarks.report import Row, report

MODEL = "qwen2.5-coder-0.5b-instruct"
MAX_CHARS = 16_384
BLOCK_TOKENS = 64
KINDS = ("repeats", "fresh")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--block", action="store_true")
    asked = parser.parse_args()
    backend = loaded(asked.threads)
    # Both states of each hunk that is taken.
    edits = [edit for i, edit in enumerate(rows()) if i // 2 % asked.every == 0]
    found = [measure(backend, edit, asked.block) for edit in edits]
    found = [row for row in found if row["tokens"] > 0]
    table = [totals(kind, [row for row in found if row["kind"] == kind]) for kind in KINDS]
    repeats, fresh = (row["gain"] for row in table)
    costs = backend._speculation.costs
    summary = {
        "speculation_gain": repeats,
        "speculation_worst": fresh,
        "acceptance": sum(row["accepted"] for row in found) / max(1, sum(row["drafted"] for row in found)),
        "ms_1_row": 1000 * costs[0],
        "ms_2_rows": 1000 * costs[1],
        "ms_4_rows": 1000 * costs[3],
        "ms_8_rows": 1000 * costs[7],
        "same_text_share": sum(row["same"] for row in found) / max(1, len(found)),
    }
    report("speculation", table, summary)


def loaded(threads: int) -> Any:
    from midfill.model.backends.hf.backend import TransformersBackend
    from midfill.model.config import ModelConfig

    backend = TransformersBackend(ModelConfig(model=MODEL, threads=threads))
    backend.load(lambda _: None)
    return backend


def measure(backend: Any, edit: Edit, block: bool) -> Row:
    """One edit both ways: milliseconds of decoding, guesses, and whether the texts are the same."""
    request, speculation = request_of(edit, block), backend._speculation
    for _ in backend.stream(replace(request, prefill_only=True)):
        pass
    out: Row = {}
    for way in ("plain", "guessing"):
        backend._speculation = speculation if way == "guessing" else None
        for document in backend._documents._kept:
            document.lookup = None  # or the second way would be told the first one's answer
        *chunks, finish = backend.stream(request)
        out[way] = "".join(chunk.text for chunk in chunks)
        out[f"{way} ms"] = finish.usage.decode_ms
        out[f"{way} tokens"] = max(0, finish.usage.generated_tokens - 1)
        out |= {"drafted": finish.usage.drafted_tokens, "accepted": finish.usage.accepted_tokens}
    backend._speculation = speculation
    encode = backend._ready()[0].tokenizer.encode_continuation
    ids = encode(out["plain"])
    known = encode(request.prefix), encode(request.suffix)
    repeats = edit.repeats or any(shares_run(ids, text) for text in known)
    out["kind"] = KINDS[0] if repeats else KINDS[1]
    return out | {"tokens": out["plain tokens"], "same": out["plain"] == out["guessing"]}


def request_of(edit: Edit, block: bool) -> Any:
    """What the server asks its model in this state."""
    from midfill.model import Scope
    from midfill.server.completion.cursor import Trigger, read_cursor
    from midfill.server.completion.request import build_request
    from midfill.server.documents import DocumentStore
    from midfill.server.settings import Settings

    store, uri = DocumentStore(), f"file:///{edit.path}"
    store.open(uri, "python", 1, edit.prefix + edit.suffix)
    snapshot = store.snapshot(uri)
    assert snapshot is not None
    request = build_request(
        read_cursor(snapshot, len(edit.prefix), Trigger.AUTOMATIC, MAX_CHARS), Settings()
    )
    if not block:
        return request
    return replace(request, stop=replace(request.stop, scope=Scope.BLOCK), max_new_tokens=BLOCK_TOKENS)


def totals(kind: str, found: Sequence[Row]) -> Row:
    """All edits of one kind together. A gain is in tokens a second: the two texts may differ."""
    plain, guessing = (speed(found, way) for way in ("plain", "guessing"))
    return {
        "edits": kind,
        "count": len(found),
        "tokens": sum(row["tokens"] for row in found),
        "plain tok/s": plain,
        "guessing tok/s": guessing,
        "gain": guessing / plain if plain and guessing else None,
        "drafted": sum(row["drafted"] for row in found),
        "accepted": sum(row["accepted"] for row in found),
    }


def speed(found: Sequence[Row], way: str) -> float | None:
    seconds = sum(row[f"{way} ms"] for row in found) / 1000
    return sum(row[f"{way} tokens"] for row in found) / seconds if seconds else None


if __name__ == "__main__":
    main()
