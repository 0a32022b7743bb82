"""From counts by day to the figures that people read: sums, shares, percentiles. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from midfill.server.statistics.lasting import AFTER_S
from midfill.server.statistics.observer import BUCKETS_MS, MORE
from midfill.server.statistics.watched import Outcome

SLOW_MS = 1000
"""Later than this at the median, few answers are seen (Tabby warns at a mean of 1 s)."""
MOST_GIVEN_UP = 0.5
"""More requests than this share cancelled or overtaken: the client asks faster than it is answered."""
FEWEST = 20
"""Fewer requests say nothing about health."""

Counts = Mapping[str, int]


def figures(days: Mapping[str, Counts]) -> dict[str, Any]:
    """Everything, as plain numbers under stable keys. Shares are 0–1, and null where there is nothing to
    take a share of."""
    total = Counter[str]()
    for counts in days.values():
        total.update(counts)
    requests = _sum(total, "requests")
    return {
        "days": [{"day": day, **_outcomes(counts)} for day, counts in days.items()],
        "total": _outcomes(total),
        "said_accepted": total["said-accepted"],
        "still_there": {f"{s}s": _still_there(total, f"{s}s") for s in AFTER_S},
        "by_language": _by(total, 2),
        "by_source": _by(total, 1),
        "requests": requests,
        "answers": _under(total, "answers"),
        "silences": _under(total, "silences"),
        "cancelled": total["cancelled"],
        "superseded": total["superseded"],
        "latency_ms": _latencies(total),
        "stage_ms": _stages(total),
        "prompt_reused": _share(total["tokens/reused"], total["tokens/prompt"]),
        "warnings": _warnings(total, requests),
    }


def _outcomes(counts: Counts, source: str = "", language: str = "") -> dict[str, Any]:
    """Suggestions shown, and how they ended; those on the screen at this moment have not ended."""

    def of(what: str) -> int:
        return sum(
            count
            for key, count in counts.items()
            if (parts := key.split("/"))[0] == what
            and len(parts) == 3
            and source in ("", parts[1])
            and language in ("", parts[2])
        )

    shown = of("shown")
    ended = {outcome.value.replace("-", "_"): of(outcome.value) for outcome in Outcome}
    return {"shown": shown, "seen": of("seen"), **ended, "acceptance": _share(ended["accepted"], shown)}


def _by(counts: Counts, part: int) -> dict[str, dict[str, Any]]:
    """The outcomes by source (part 1) or language (part 2), most shown first."""
    names = {key.split("/")[part] for key in counts if key.startswith("shown/")}
    found = {
        name: _outcomes(counts, **{"source" if part == 1 else "language": name}) for name in sorted(names)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]["shown"]))


def _under(counts: Counts, what: str) -> dict[str, int]:
    """The counts `what/NAME` by NAME, most first."""
    found = {key.partition("/")[2]: count for key, count in counts.items() if key.startswith(what + "/")}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _sum(counts: Counts, what: str) -> int:
    return sum(_under(counts, what).values())


def _still_there(counts: Counts, after: str) -> float | None:
    kept, gone = counts.get(f"still-there/{after}", 0), counts.get(f"gone/{after}", 0)
    return _share(kept, kept + gone)


def _latencies(counts: Counts) -> dict[str, dict[str, float | None]]:
    """By source: how many, and the upper end of the bucket that holds the percentile, in milliseconds;
    None above them all."""
    buckets = _under(counts, "latency")
    found = {}
    for source in sorted({key.partition("/")[0] for key in buckets}):
        of = {upper: buckets.get(f"{source}/{upper}", 0) for upper in (*map(str, BUCKETS_MS), MORE)}
        found[source] = {
            "count": sum(of.values()),
            "p50": _percentile(of.items(), 0.5),
            "p95": _percentile(of.items(), 0.95),
        }
    return found


def _percentile(buckets: Iterable[tuple[str, int]], share: float) -> float | None:
    counted = list(buckets)
    wanted, so_far = share * sum(count for _, count in counted), 0
    for upper, count in counted:
        so_far += count
        if so_far >= wanted and count:
            return None if upper == MORE else float(upper)
    return 0.0


def _stages(counts: Counts) -> dict[str, float]:
    """The mean of each stage where it was reached, in milliseconds."""
    times = _under(counts, "stages")
    return {name: round(counts.get(f"stage-us/{name}", 0) / times[name] / 1000, 2) for name in times}


def _warnings(counts: Counts, requests: int) -> list[str]:
    if requests < FEWEST:
        return []
    found = []
    median = _latencies(counts).get("model", {"p50": 0.0})["p50"]
    if median is None or median > SLOW_MS:
        found.append(f"the model takes more than {SLOW_MS} ms at the median: few suggestions are seen")
    given_up = counts.get("cancelled", 0) + counts.get("superseded", 0)
    if given_up > MOST_GIVEN_UP * requests:
        found.append(f"{given_up} of {requests} requests were given up before their answer came")
    return found


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
