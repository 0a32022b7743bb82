"""How sure the default model has to be: precision over coverage, and the threshold that costs few good.

Lines of this project's own source and of HumanEval, asked for at the cursors that editors have, through the
whole pipeline; exact: the suggestion's first line is what stood there. The threshold is fitted on the lines
of even number and judged on the others. `--seconds` bounds the asking.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.holes import CURSORS, FILES, SEED, Case, make_cases
from benchmarks.report import Row, report
from benchmarks.significance import bootstrap
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server.cli.once import Say, loaded
from midfill.server.completion.confidence import confidence
from midfill.server.completion.cursor import Trigger
from midfill.server.settings import Settings
from midfill.server.text import new_snapshot

MOST_LOST = 0.10
"""Of the exact suggestions, so many may fall under the threshold (pipeline.md, S9)."""
CHOSEN = ("indented", "in line", "own indented", "own in line")
SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Of all suggestions shown: where the curve is told."""


@dataclass(frozen=True, slots=True)
class Point:
    """One suggestion: how sure, whether exact, whether it came to its own end; of which line."""

    line: int
    cursor: str
    sure: float
    exact: bool
    ended: bool


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--threads", type=int, default=0, help="0: as served")
    options = parser.parse_args()
    if not all(path.exists() for path in FILES):
        raise SystemExit(f"HumanEval is not here: {FILES[0].parent}")
    points = asyncio.run(
        ask(lines(), options.seconds, Settings(model=DEFAULT_MODEL, threads=options.threads))
    )
    report("confidence", curve(points), summary(points), more={"by cursor": by_cursor(points)})


def lines() -> list[tuple[int, list[Case]]]:
    """Single lines with their cursors, numbered, in an order of no meaning."""
    cases = [case for case in make_cases(lines=150, own=150) if case.cursor in CHOSEN]
    grouped = groupby(cases, key=lambda case: case.key.removesuffix(case.cursor))
    found = [list(group) for _, group in grouped]
    random.Random(SEED).shuffle(found)
    return list(enumerate(found))


async def ask(chosen: Sequence[tuple[int, list[Case]]], seconds: float, settings: Settings) -> list[Point]:
    """What the model suggests at each, and how sure it was, for about so many seconds."""
    points = []
    async with loaded(settings, Say(quiet=True)) as session:
        ends = time.monotonic() + seconds
        for line, cases in chosen:
            for case in cases:
                path = Path(f"/w/{line}.py").as_uri()
                text = case.prefix + case.suffix
                snapshot = session.open(new_snapshot(path, 0, "python", text))
                answer = await session.completions.complete(snapshot, len(case.prefix), Trigger.INVOKED)
                sure = confidence(answer.written) if answer.written else None
                if answer.suggestion is None or answer.written is None or sure is None:
                    continue
                first = answer.suggestion.text.partition("\n")[0]
                exact = first.rstrip() == case.gold.partition("\n")[0].strip()
                points.append(Point(line, case.cursor, sure, exact, answer.written.ended))
            if time.monotonic() > ends:
                break
    return points


def fit(points: Sequence[Point], most_lost: float = MOST_LOST) -> float:
    """The highest threshold that at most `most_lost` of the exact suggestions fall under; 0 where there is
    none exact."""
    exact = sorted(point.sure for point in points if point.exact)
    return exact[int(most_lost * len(exact))] if exact else 0.0


def auc(points: Sequence[Point]) -> float | None:
    """How often an exact suggestion is the surer one of two, ties half; None without both kinds."""
    good = [point.sure for point in points if point.exact]
    bad = [point.sure for point in points if not point.exact]
    if not good or not bad:
        return None
    wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
    return wins / len(good) / len(bad)


def curve(points: Sequence[Point]) -> list[Row]:
    """Precision where only the surest are shown."""
    ranked = sorted(points, key=lambda point: -point.sure)
    rows = []
    for share in SHARES:
        shown = ranked[: max(1, round(share * len(ranked)))]
        rows.append({"shown": share, "least": shown[-1].sure, **_of(shown, points)})
    return rows


def by_cursor(points: Sequence[Point]) -> list[Row]:
    """Every kind of cursor by itself, and those that ended by themselves and not."""
    kinds = {cursor: [p for p in points if p.cursor == cursor] for cursor in CURSORS}
    kinds |= {f"ended: {ended}": [p for p in points if p.ended is ended] for ended in (True, False)}
    return [
        {"points": name, "number": len(of), "exact": _precision(of), "auc": auc(of), "fit": fit(of)}
        for name, of in kinds.items()
        if of
    ]


def summary(points: Sequence[Point]) -> dict[str, float | str | None]:
    """The threshold fitted on one half, and what it does to the other; intervals by resampling lines."""
    half, other = ([p for p in points if p.line % 2 == odd] for odd in (0, 1))
    least = fit(half)
    kept = _of([p for p in other if p.sure >= least], other)
    low, high = _interval(points)
    return {
        "points": len(points),
        "least": fit(points),
        "least_low": low,
        "least_high": high,
        "auc": auc(points),
        "precision_all": _precision(other),
        "precision_kept": kept["precision"],
        "removed_share": 1 - kept["of all"],
        "exact_lost_share": 1 - kept["of exact"],
    }


def _of(shown: Sequence[Point], points: Sequence[Point]) -> Row:
    exact = sum(point.exact for point in points)
    right = sum(point.exact for point in shown)
    of_exact = right / exact if exact else 0.0
    return {"precision": _precision(shown), "of all": len(shown) / len(points), "of exact": of_exact}


def _precision(points: Sequence[Point]) -> float:
    return sum(point.exact for point in points) / len(points) if points else 0.0


def _interval(points: Sequence[Point]) -> tuple[float, float]:
    """The middle 95 % of the thresholds of resampled lines."""
    grouped = [list(group) for _, group in groupby(points, key=lambda point: point.line)]
    return bootstrap(grouped, lambda drawn: fit([point for group in drawn for point in group]), SEED)


if __name__ == "__main__":
    main()
