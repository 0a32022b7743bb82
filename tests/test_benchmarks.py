"""The benchmarks still run: they wrap the server's insides and would rot unseen."""

import json
from pathlib import Path

import pytest

from benchmarks import report, storm


@pytest.mark.parametrize("cancels", [False, True], ids=["without cancels", "with cancels"])
def test_a_small_storm_is_answered_and_stopped(monkeypatch: pytest.MonkeyPatch, cancels: bool) -> None:
    monkeypatch.setattr(storm, "KEYSTROKES", 40)
    row = storm._run(cancels)
    assert (row["unanswered"], row["late steps"], row["suggestions"]) == (0, 0, 1)


def test_a_result_says_when_where_and_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    report.report("sample", [{"lines": 10, "ms": 1.5}], {"ms": 1.5, "gpu": None, "gpu_reason": "none here"})
    written = json.loads((tmp_path / "results" / "sample.json").read_text(encoding="utf-8"))
    assert set(written) == {"date", "commit", "machine", "versions", "command", "rows", "summary"}
    assert written["summary"] == {"ms": 1.5, "gpu": None, "gpu_reason": "none here"}
