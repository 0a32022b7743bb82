"""What a part of the benchmark hands back: lines for the table, and flat numbers.

Every line of the table has the same columns, so that one table holds all that was measured.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.measure.llamacpp_build import LABEL
from benchmarks.report import Row

Figures = dict[str, float | str | None]
"""Flat numbers under stable keys; None has its reason beside it, under the same key with `_reason`."""

COLUMNS = (
    "part", "what", "unit", "ours", f"{LABEL} Q4_K_M", f"{LABEL} Q4_0", "generate() fp32", "ours vs theirs"
)  # fmt: skip
OURS, OFFICIAL, REQUANTISED, GENERATE = COLUMNS[3:7]


@dataclass(slots=True)
class Part:
    rows: list[Row] = field(default_factory=list)
    figures: Figures = field(default_factory=dict)

    def line(self, part: str, what: str, unit: str, **cells: float | str | None) -> None:
        """Add a line; cells by `ours`, `official`, `requantised`, `generate`, `ratio`."""
        names = ("ours", "official", "requantised", "generate", "ratio")
        values = [cells.get(name) for name in names]
        self.rows.append(dict(zip(COLUMNS, (part, what, unit, *values), strict=True)))

    def lack(self, reason: str, *keys: str) -> None:
        """Say of each of `keys` that it could not be measured, and why."""
        for key in keys:
            self.figures |= {key: None, f"{key}_reason": reason}


def faster(ours: Sequence[float], theirs: dict[str, Sequence[float]]) -> tuple[float, str]:
    """Ours ÷ the best of theirs, and which that is: rates of interleaved rounds, the median of the pairs.

    The best is the one with the highest median: they may choose their file, not their luck.
    """
    best = max(theirs, key=lambda name: statistics.median(theirs[name]))
    return statistics.median(a / b for a, b in zip(ours, theirs[best], strict=True)), best
