"""Our policy beside each replayed one: which is better at what, and why where it is not ours.

Pure. The reasons are about the policies' rules (`policies.py`), not about one run's figures.
"""

from collections.abc import Mapping

from benchmarks.report import Row

Figures = Mapping[str, float | str | None]

LESS, MORE = -1, 1
MEASURES = {"p50_ms": LESS, "waste_share": LESS, "chars_saved": MORE}
WHY = {
    ("continue", "waste_share"): "asks at few keys, after a rest, and shows nothing at all the others; "
    "it looks ahead of nobody, where we decode what an accepted suggestion would need next",
    ("cody", "p50_ms"): "both: most suggestions are typed through, without any wait",
    ("llama_vim", "p50_ms"): "both: most suggestions are typed through, without any wait",
}
UNEXPLAINED = "not explained yet"


def compared(ours: Figures, theirs: Mapping[str, Figures]) -> list[Row]:
    """A line for each policy and measure. `ours` and each of `theirs` have the keys of `MEASURES`."""
    lines: list[Row] = []
    for policy, figures in theirs.items():
        for measure, direction in MEASURES.items():
            mine, other = ours[measure], figures[measure]
            assert isinstance(mine, int | float)
            assert isinstance(other, int | float)
            difference = direction * (mine - other)
            better = "ours" if difference > 0 else "theirs" if difference < 0 else "equal"
            why = "" if difference > 0 else WHY.get((policy, measure), UNEXPLAINED)
            lines.append(
                {
                    "policy": policy,
                    "measure": measure,
                    "ours": mine,
                    "theirs": other,
                    "better": better,
                    "why": why,
                }
            )
    return lines
