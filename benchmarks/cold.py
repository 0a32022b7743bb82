"""How long a prompt should be where nobody has prefilled it yet: what less context costs and saves.

The default model fills lines of this project's own source, with as many tokens of the text around them as
a row says; the rest of the time goes into prefilling them. `prompting.COLD_PREFILL_S` follows the table.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.alone import Alone, load_alone
from benchmarks.holes import CURSORS, Case, make_cases, score
from benchmarks.report import Row, report
from benchmarks.significance import mcnemar, won_and_lost

OWN_LINES = 60
"""Lines, each with two cursors."""
ROOMS = (96, 192, 288, 384, 576, 900)
"""Tokens of text before and behind the cursor; the last is more than a hole has around it."""
NEW_TOKENS = 48


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lines", type=int, default=OWN_LINES)
    asked = parser.parse_args()
    cases = [case for case in make_cases(0, asked.lines) if case.cursor in CURSORS[4:]]
    alone = load_alone(device="cpu", threads=asked.threads)
    found = {room: [fill(alone, case, room) for case in cases] for room in ROOMS}
    whole = [exact for exact, _, _ in found[ROOMS[-1]]]
    rows: list[Row] = []
    for room, results in found.items():
        right = [exact for exact, _, _ in results]
        won, lost = won_and_lost(right, whole)
        rows.append(
            {
                "room": room,
                "holes": len(right),
                "tokens": round(statistics.fmean(tokens for _, tokens, _ in results)),
                "exact": sum(right) / len(right),
                "won": won,
                "lost": lost,
                "p": mcnemar(won, lost),
                "first text ms": statistics.median(ms for _, _, ms in results),
            }
        )
    report("cold", rows, {f"exact_{row['room']}": row["exact"] for row in rows})


def fill(alone: Alone, case: Case, room: int) -> tuple[bool, int, float]:
    """Whether the hole was filled exactly; the prompt's tokens, and ms to its first text, all anew."""
    from midfill.model.api import FimRequest
    from midfill.model.backends.hf.job import Job

    request = FimRequest(case.prefix, case.suffix, language="python", path="file:///own.py")
    prompt = alone.prompts.fitted(request, room)
    job = Job(
        prompt.ids,
        NEW_TOKENS,
        alone.loaded.stop_ids,
        constraint=prompt.constraint,
        hidden_bytes=prompt.hidden_bytes,
    )
    begun = time.perf_counter()
    first: list[float] = []

    def texts() -> Iterator[str]:
        text = ""
        for event in alone.loop.stream(alone.new_cache(), job):
            text += _text(event)
            if text and not first:
                first.append((time.perf_counter() - begun) * 1000)
            yield text

    exact, *_ = score(case, texts())
    return exact, len(prompt.ids), first[0] if first else 0.0


def _text(event: Any) -> str:
    from midfill.model.api import Chunk

    return event.text if isinstance(event, Chunk) else "\0"


if __name__ == "__main__":
    main()
