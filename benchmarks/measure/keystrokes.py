"""What a key costs: the time to the first text while a line is typed, with the KV cache and without."""

import statistics
from collections.abc import Callable, Iterator, Sequence

from benchmarks.measure.engines import Timing
from benchmarks.measure.part import Part

TYPED = "    return sorted(values, key=lambda value: (value.rank, value.name))"
KEYS_BETWEEN = 4
"""Every so many keys there is a request: a quick typist's pause."""

Press = Callable[[str, str, bool], Timing]
"""Prefix, suffix, from an empty cache → `prefill_ms` to the first text, `fresh` tokens computed."""


def moments(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Prefix and suffix at each request while TYPED is written between the two."""
    for end in range(KEYS_BETWEEN, len(TYPED) + 1, KEYS_BETWEEN):
        yield before + TYPED[:end], after


def typed(press: Press, before: str, after: str) -> tuple[list[Timing], list[Timing]]:
    """Times of all requests with reuse, and of three without."""
    press(before, after, True)  # as prefilling ahead does
    kept = [press(prefix, suffix, False) for prefix, suffix in moments(before, after)]
    fresh = [press(prefix, suffix, True) for prefix, suffix in list(moments(before, after))[:3]]
    return kept, fresh


def keystrokes(cases: dict[str, tuple[Sequence[Timing], Sequence[Timing]]]) -> Part:
    """Lines for each case; `reuse_ttft_ratio`: of the first, with reuse ÷ without; less is better."""
    part = Part()
    for name, (kept, fresh) in cases.items():
        for how, times in (("with reuse", kept), ("from an empty cache", fresh)):
            tokens = statistics.median(timing.fresh for timing in times)
            part.line(
                "keystroke", f"first text, {name}, {how} ({tokens:.0f} tokens computed)", "ms",
                ours=statistics.median(timing.prefill_ms for timing in times),
            )  # fmt: skip
        part.rows[-1]["ours vs theirs"] = _ratio(kept, fresh)
    (first, *_) = cases.values()
    part.figures["reuse_ttft_ratio"] = _ratio(*first)
    part.figures["keystroke_ms"] = statistics.median(timing.prefill_ms for timing in first[0])
    part.figures["keystroke_tokens"] = statistics.median(timing.fresh for timing in first[0])
    return part


def _ratio(kept: Sequence[Timing], fresh: Sequence[Timing]) -> float:
    return statistics.median(t.prefill_ms for t in kept) / statistics.median(t.prefill_ms for t in fresh)
