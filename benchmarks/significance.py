"""How much a figure means: bootstrap intervals, McNemar's p, pass@k. Pure; knows no task.

Figures are of rows that belong to problems, and rows of one problem are not independent.
"""

import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import comb
from typing import TypeVar

from benchmarks.report import Row

SAMPLES = 2000
SEED = 7
SIDE = 0.025
"""Of each end of a 95 % interval."""

Group = TypeVar("Group")
Scored = tuple[str, float]
"""A row's problem, and what it scored: 0 or 1; for a difference −1, 0 or 1."""


def bootstrap(
    groups: Sequence[Group], figure: Callable[[Sequence[Group]], float], seed: int = SEED
) -> tuple[float, float]:
    """The middle 95 % of `figure` over as many groups, drawn again and again."""
    choose = random.Random(seed)
    found = sorted(figure(choose.choices(groups, k=len(groups))) for _ in range(SAMPLES))
    return found[int(SIDE * SAMPLES)], found[int((1 - SIDE) * SAMPLES) - 1]


def interval(rows: Sequence[Scored]) -> tuple[float, float]:
    """Of the mean, by resampling problems, not rows."""
    by_problem: defaultdict[str, list[float]] = defaultdict(list)
    for problem, score in rows:
        by_problem[problem].append(score)

    def mean(drawn: Sequence[tuple[float, int]]) -> float:
        return sum(total for total, _ in drawn) / sum(count for _, count in drawn)

    return bootstrap([(sum(scores), len(scores)) for scores in by_problem.values()], mean)


def share(name: str, rows: Sequence[Scored]) -> Row:
    """A line of the table: how many of `rows`, their mean, its interval."""
    low, high = interval(rows) if rows else (None, None)
    mean = statistics.fmean(score for _, score in rows) if rows else None
    return {"figure": name, "rows": len(rows), "share": mean, "low": low, "high": high}


def won_and_lost(ours: Sequence[bool], theirs: Sequence[bool]) -> tuple[int, int]:
    """Of the same rows done twice: how many only we have right, and how many only they."""
    pairs = list(zip(ours, theirs, strict=True))
    return pairs.count((True, False)), pairs.count((False, True))


def mcnemar(won: int, lost: int) -> float:
    """The exact two-sided p of so many pairs decided this way and that (McNemar 1947, binomial)."""
    n = won + lost
    return min(1.0, 2 * sum(comb(n, k) for k in range(min(won, lost) + 1)) / float(2**n))


def paired(name: str, problems: Sequence[str], ours: Sequence[bool], theirs: Sequence[bool]) -> Row:
    """The same rows done twice: won, lost, McNemar's exact p, the difference and its interval."""
    won, lost = won_and_lost(ours, theirs)
    scores = zip(problems, ours, theirs, strict=True)
    line = share(name, [(problem, float(a) - b) for problem, a, b in scores])
    figures = {"won": won, "lost": lost, "p": mcnemar(won, lost)}
    named = {"difference": line["share"], "low": line["low"], "high": line["high"]}
    return {"figure": name, "rows": len(ours), **figures, **named}


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that of `k` samples drawn from `samples` at least one is among the `passed`: without bias
    (Chen et al. 2021, arXiv 2107.03374, eq. 1).

    Raises ValueError if there are fewer samples than k.
    """
    if k > samples:
        raise ValueError(f"pass@{k} of {samples} samples")
    return 1 - comb(samples - passed, k) / comb(samples, k)
