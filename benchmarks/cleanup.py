"""Stop and clean-up rules on recorded completions: exact match, each rule's worth, leaks, wrong tails.

`--data FILE` takes any file in the form of recorded-completions.jsonl.gz. Rows: exact match by model and
language, then by template: `raw`, cut at the `first` newline, `clean`, and the `best` cut there could be;
what each rule fixed and broke; how much of true blocks was kept and of wrong tails removed.
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.evaluation_data import PROBLEMS
from benchmarks.measure.recorded import (
    RECORDED,
    SEED,
    Case,
    Hole,
    chunked,
    inject,
    leaks,
    make_holes,
    read_recorded,
)
from benchmarks.measure.written import Written, write
from benchmarks.report import Row, percentile, report

INJECTED = 200
CHUNKINGS = 3
"""Random ones, beside token-like pieces, single characters and the whole at once."""
LONG_LINES = 10_000
NO_RULE = frozenset({"line_end", "marker"})
"""Not to be switched off: a single line ends with its line, any answer at a marker."""

Summary = dict[str, float | str | None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=RECORDED)
    data = parser.parse_args().data
    if not data.is_file():
        report("cleanup", [{"cases": 0}], {"em_clean": None, "em_clean_reason": f"no {data.name} here"})
        return
    cases = read_recorded(data)
    shown = [_stream(case) for case in cases]
    holes = list(make_holes()) if PROBLEMS.is_file() else []
    filled = [_fill(hole) for hole in holes]
    rows, summary = _matches(cases, shown)
    ruled, worst = _rules(cases, shown, holes, filled)
    kept_rows, kept = _kept(holes, filled)
    texts = [written.shown for written in (*shown, *filled)] + list(_injected(cases))
    times = [written.seconds * 1000 for written in shown]
    summary |= {
        "leaks": sum(map(leaks, texts)),
        "worst_rule_broken_share": worst,
        **kept,
        "chunking_differs": _differing(cases, shown),
        "p95_ms": percentile(times, 0.95),
        "p95_ms_10k": _long_ms(cases),
    }
    report("cleanup", rows + ruled + kept_rows, summary)


def _stream(case: Case, off: frozenset[str] = frozenset()) -> Written:
    return write(case.prefix, case.suffix, case.language, chunked(case.output), off)


def _fill(hole: Hole, off: frozenset[str] = frozenset()) -> Written:
    return write(hole.prefix, hole.suffix, "python", chunked(hole.truth + hole.tail), off)


def _row(name: str, n: int, **more: float) -> Row:
    keys = ("raw", "first", "clean", "best", "fixed", "broken", "kept", "removed")
    return {"name": name, "n": n} | {key: more.get(key) for key in keys}


def _matches(cases: Sequence[Case], shown: Sequence[Written]) -> tuple[list[Row], Summary]:
    """Exact match by model × language, then by template, then pooled."""
    groups: dict[tuple[str, str], list[list[bool]]] = defaultdict(list)
    for case, written in zip(cases, shown, strict=True):
        gold = case.gold.strip()
        scores = [
            case.output.strip() == gold,
            case.output.partition("\n")[0].strip() == gold,
            written.shown.strip() == gold,
            case.output.strip().startswith(gold),
        ]
        groups["group", f"{case.model} {case.language}"].append(scores)
        groups["template", f"{case.model} {case.language} {case.template}"].append(scores)
        groups["all", "all"].append(scores)
    rows, deltas = [], []
    for (kind, name), scored in sorted(groups.items(), key=lambda item: item[0][0]):
        raw, first, clean, best = (sum(column) / len(scored) for column in zip(*scored, strict=True))
        rows.append(_row(name, len(scored), raw=raw, first=first, clean=clean, best=best))
        if kind == "group":
            deltas.append((clean - first) * 100)
        elif kind == "all":
            pooled = {"em_raw": raw, "em_first_line": first, "em_clean": clean, "em_best_cut": best}
    return rows, {**pooled, "worst_group_delta": min(deltas)}


def _rules(
    cases: Sequence[Case], shown: Sequence[Written], holes: Sequence[Hole], filled: Sequence[Written]
) -> tuple[list[Row], float]:
    """What each rule fixes and breaks where it fired, against all rules but it; the worst share broken."""
    fired: Counter[str] = Counter()
    fixed: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    plan: list[tuple[str, Written, Callable[[frozenset[str]], Written]]] = [
        (case.gold, written, lambda off, case=case: _stream(case, off))  # type: ignore[misc]
        for case, written in zip(cases, shown, strict=True)
    ]
    plan += [
        (hole.truth, written, lambda off, hole=hole: _fill(hole, off))  # type: ignore[misc]
        for hole, written in zip(holes, filled, strict=True)
    ]
    for gold, written, again in plan:
        exact = written.shown.strip() == gold.strip()
        for rule in {*written.fired} - NO_RULE:
            fired[rule] += 1
            without = again(frozenset({rule})).shown.strip() == gold.strip()
            fixed[rule] += exact and not without
            broken[rule] += without and not exact
    rows = [
        _row(f"rule {rule}", n, fixed=fixed[rule], broken=broken[rule]) for rule, n in fired.most_common()
    ]
    return rows, max((broken[rule] / max(1, fixed[rule]) for rule in fired), default=0.0)


def _kept(holes: Sequence[Hole], filled: Sequence[Written]) -> tuple[list[Row], Summary]:
    """Characters of true blocks that stay, and of wrong tails that go, by kind of tail and pooled."""
    if not holes:
        reason = "no HumanEval here"
        nothing: Summary = {"block_kept": None, "block_kept_reason": reason}
        return [], nothing | {"tail_removed": None, "tail_removed_reason": reason}
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for hole, written in zip(holes, filled, strict=True):
        truth, whole = hole.truth.rstrip(), hole.truth + hole.tail
        agreed = next((n for n, c in enumerate(written.shown) if whole[n : n + 1] != c), len(written.shown))
        for kind in ("all", hole.kind):
            sums[kind].update(n=1, truth=len(truth), kept=min(agreed, len(truth)), tail=len(hole.tail))
            sums[kind]["left"] += max(0, len(written.shown) - len(truth)) if agreed >= len(truth) else 0
    rows = [
        _row(f"tail {kind}", c["n"], kept=c["kept"] / c["truth"], removed=1 - c["left"] / c["tail"])
        for kind, c in sums.items()
    ]
    pooled = rows[0]
    return rows, {"block_kept": pooled["kept"], "tail_removed": pooled["removed"]}


def _injected(cases: Sequence[Case]) -> Iterable[str]:
    """Answers with a marker, a fence or a thought somewhere in them, as they would be shown."""
    choose = random.Random(SEED)
    for _ in range(INJECTED):
        case = choose.choice(cases)
        text = inject(case.output, choose)
        yield write(case.prefix, case.suffix, case.language, chunked(text, choose)).shown


def _differing(cases: Sequence[Case], shown: Sequence[Written]) -> int:
    """Cases that come out otherwise in another chunking."""
    choose = random.Random(SEED)
    count = 0
    for case, written in zip(cases, shown, strict=True):
        ways = [list(case.output), [case.output]]
        ways += [chunked(case.output, choose) for _ in range(CHUNKINGS)]
        again = {write(case.prefix, case.suffix, case.language, way).shown for way in ways}
        count += again != {written.shown}
    return count


def _long_ms(cases: Sequence[Case]) -> float:
    """The same milliseconds, at the 95th percentile, with 10,000 lines of the file around the hole."""
    times = []
    for case in cases[:: max(1, len(cases) // 100)]:
        lines = (case.prefix + case.gold + case.suffix).count("\n") + 1
        more = case.prefix.rpartition("\n")[0] + "\n"
        prefix = more * (LONG_LINES // lines) + case.prefix
        times.append(write(prefix, case.suffix, case.language, chunked(case.output)).seconds * 1000)
    return percentile(times, 0.95)


if __name__ == "__main__":
    main()
