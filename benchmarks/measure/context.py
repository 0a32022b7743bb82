"""Cost as the context grows: prefill and decode at depths up to 16k, once each.

Each depth goes on from the one before, in the KV cache; what a prompt of that length costs is the sum.
"""

from collections.abc import Sequence

from benchmarks.measure.engines import Engine
from benchmarks.measure.part import OFFICIAL, OURS, REQUANTISED, Part

DEPTHS = (512, 2048, 8192, 16384)
QUICK_DEPTHS = (512, 2048)
STEPS = 12
ROOM = DEPTHS[-1] + 64
"""Context of the engines, in tokens."""

Costs = list[tuple[float, float]]
"""For each depth: seconds to prefill so many tokens, milliseconds a token behind them."""


def costs(engine: Engine, ids: Sequence[int], depths: Sequence[int]) -> Costs:
    """What `engine` takes on the first of `ids`, to each depth."""
    found: Costs = []
    prefill_s = 0.0
    for depth in depths:
        timing = engine.run(ids[:depth], STEPS, keep=True)
        prefill_s += timing.prefill_ms / 1000
        found.append((prefill_s, timing.decode_ms / timing.steps))
    return found


def context(found: dict[str, Costs], depths: Sequence[int], no_llamacpp: str = "") -> Part:
    """A line for each depth; ratios against the better of their files at that depth."""
    part = Part()
    theirs = [found[name] for name in (OFFICIAL, REQUANTISED) if name in found]
    for at, depth in enumerate(depths):
        for n, (what, unit) in enumerate((("prefill to", "s"), ("decode behind", "ms/token"))):
            cells = {name: each[at][n] for name, each in found.items()}
            key = f"{'prefill' if n == 0 else 'decode'}_vs_llamacpp_{depth}"
            ratio = min(each[at][n] for each in theirs) / cells[OURS] if theirs else None
            part.line(
                "context", f"{what} {depth} tokens", unit, ours=cells[OURS],
                official=cells.get(OFFICIAL), requantised=cells.get(REQUANTISED), ratio=ratio,
            )  # fmt: skip
            if ratio is None:
                part.lack(no_llamacpp, key)
            else:
                part.figures[key] = ratio
    part.figures["decode_growth"] = found[OURS][-1][1] / found[OURS][0][1]
    return part
