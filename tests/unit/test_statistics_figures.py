"""Sums, shares and percentiles of counts, and how `midfill stats` shows them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from midfill.server.cli.stats import bar, show, stats
from midfill.server.statistics.days import FOLDER_ENV, Days
from midfill.server.statistics.figures import figures

FIRST = {
    "shown/model/python": 6,
    "shown/cache/python": 2,
    "shown/model/go": 2,
    "accepted/model/python": 3,
    "accepted/cache/python": 2,
    "contradicted/model/python": 3,
    "left/model/go": 2,
    "requests/automatic": 30,
    "requests/invoked": 1,
    "answers/model": 8,
    "answers/typed-through": 5,
    "silences/mid-word": 4,
    "silences/low-confidence": 6,
    "still-there/30s": 3,
    "gone/30s": 1,
    "latency/model/200": 6,
    "latency/model/5000": 2,
    "latency/typed-through/2": 5,
    "stages/prefill": 4,
    "stage-us/prefill": 10_000,
    "tokens/prompt": 100,
    "tokens/reused": 75,
    "said-accepted": 4,
}
SECOND = {"shown/model/go": 2, "accepted/model/go": 1, "requests/automatic": 2}
DAYS = {"2026-11-20": FIRST, "2026-11-21": SECOND}


def test_sums_and_shares():
    found = figures(DAYS)
    assert found["total"] == {
        "shown": 12,
        "seen": 0,
        "accepted": 6,
        "partly_accepted": 0,
        "typed_through": 0,
        "contradicted": 3,
        "replaced": 0,
        "left": 2,
        "acceptance": 0.5,
    }
    assert [(day["day"], day["shown"], day["accepted"]) for day in found["days"]] == [
        ("2026-11-20", 10, 5),
        ("2026-11-21", 2, 1),
    ]
    assert {name: group["acceptance"] for name, group in found["by_source"].items()} == {
        "model": 0.4,
        "cache": 1.0,
    }
    by_language = {
        name: (group["shown"], group["accepted"]) for name, group in found["by_language"].items()
    }
    assert by_language == {"python": (8, 5), "go": (4, 1)}
    assert found["still_there"] == {"30s": 0.75, "120s": None, "300s": None}
    assert list(found["silences"].items()) == [("low-confidence", 6), ("mid-word", 4)]
    assert (found["requests"], found["said_accepted"], found["prompt_reused"]) == (33, 4, 0.75)
    assert found["stage_ms"] == {"prefill": 2.5}


def test_percentiles_are_the_upper_ends_of_their_buckets():
    found = figures(DAYS)["latency_ms"]
    assert found["model"] == {"count": 8, "p50": 200.0, "p95": 5000.0}
    assert found["typed-through"] == {"count": 5, "p50": 2.0, "p95": 2.0}
    two = figures({"d": {"latency/model/10": 1, "latency/model/20": 1}})["latency_ms"]["model"]
    assert (two["p50"], two["p95"]) == (10.0, 20.0)
    assert figures({"d": {"latency/model/more": 1}})["latency_ms"]["model"]["p50"] is None


def test_nothing_is_no_share_of_nothing():
    found = figures({})
    assert (found["total"]["shown"], found["total"]["acceptance"]) == (0, None)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("counts", "warns"),
    [
        ({"requests/automatic": 40, "latency/model/1000": 9}, ""),
        ({"requests/automatic": 40, "latency/model/1500": 9}, "the model takes more than 1000 ms"),
        ({"requests/automatic": 40, "latency/model/more": 9}, "the model takes more than 1000 ms"),
        ({"requests/automatic": 40, "superseded": 15, "cancelled": 6}, "21 of 40 requests were given up"),
        ({"requests/automatic": 40, "superseded": 15, "cancelled": 5}, ""),
        ({"requests/automatic": 4, "superseded": 4}, ""),
    ],
)
def test_it_says_what_is_wrong(counts, warns):
    found = figures({"d": counts})["warnings"]
    assert len(found) == bool(warns)
    assert "".join(found).startswith(warns)


def test_bars_are_as_long_as_their_share():
    assert bar(4, 8, 8, width=8) == "████░░░░"
    assert bar(0, 8, 16, width=8) == "░░░░"
    assert bar(1, 1, 16, width=8) == "▌"
    assert bar(0, 0, 0) == ""


def test_the_table_says_the_figures():
    out = StringIO()
    show(figures(DAYS), Console(file=out, width=100))
    lines = [" ".join(line.replace("│", " ").split()) for line in out.getvalue().splitlines()]
    assert "shown 12 100%" in lines
    assert "accepted 6 50%" in lines
    assert "accepted, still there after 30s 75%" in lines
    assert any(line.startswith("2026-11-20 ████") and line.endswith("5 of 10 50%") for line in lines)
    assert any(line.startswith("go █") and line.endswith("1 of 4 25%") for line in lines)
    assert any(line.startswith("model 10 40% ████ 8 ≤ 200 ≤ 5000") for line in lines)
    assert "low-confidence 6" in lines


def test_the_command_reads_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path))
    nothing = CliRunner().invoke(stats, [])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "nothing was counted" in nothing.stderr
    for day, counts in DAYS.items():
        Days(tmp_path).add(day, counts)
    assert json.loads(CliRunner().invoke(stats, ["--json"]).stdout) == figures(DAYS)
    last = json.loads(CliRunner().invoke(stats, ["--json", "--days", "1"]).stdout)
    assert last == figures({"2026-11-21": SECOND})
    assert "by language" in CliRunner().invoke(stats, []).stdout
