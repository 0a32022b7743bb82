"""Shares, their bootstrap intervals, and pairs. Knows no task: figures of rows that belong to problems."""

import random
import statistics
from collections import defaultdict
from collections.abc import Sequence

from benchmarks.measure.quality import mcnemar
from benchmarks.report import Row

SAMPLES = 2000
SEED = 7
SIDE = 0.025
"""Of each end of a 95 % interval."""

Scored = tuple[str, float]
"""A row's problem, and what it scored: 0 or 1; for a difference −1, 0 or 1."""


def interval(rows: Sequence[Scored]) -> tuple[float, float]:
    """Of the mean, by resampling problems, not rows: rows of one problem are not independent."""
    by_problem: defaultdict[str, list[float]] = defaultdict(list)
    for problem, score in rows:
        by_problem[problem].append(score)
    groups = [(sum(scores), len(scores)) for scores in by_problem.values()]
    choose = random.Random(SEED)
    means = []
    for _ in range(SAMPLES):
        drawn = choose.choices(groups, k=len(groups))
        means.append(sum(total for total, _ in drawn) / sum(count for _, count in drawn))
    means.sort()
    return means[int(SIDE * SAMPLES)], means[int((1 - SIDE) * SAMPLES) - 1]


def share(name: str, rows: Sequence[Scored]) -> Row:
    """A line of the table: how many of `rows`, their mean, its interval."""
    low, high = interval(rows) if rows else (None, None)
    mean = statistics.fmean(score for _, score in rows) if rows else None
    return {"figure": name, "rows": len(rows), "share": mean, "low": low, "high": high}


def paired(name: str, problems: Sequence[str], ours: Sequence[bool], theirs: Sequence[bool]) -> Row:
    """The same rows done twice: won, lost, McNemar's exact p, the difference and its interval."""
    pairs = list(zip(ours, theirs, strict=True))
    won, lost = pairs.count((True, False)), pairs.count((False, True))
    differences = [(problem, float(a) - b) for problem, (a, b) in zip(problems, pairs, strict=True)]
    line = share(name, differences)
    figures = {"won": won, "lost": lost, "p": mcnemar(won, lost)}
    named = {"difference": line["share"], "low": line["low"], "high": line["high"]}
    return {"figure": name, "rows": len(pairs), **figures, **named}
