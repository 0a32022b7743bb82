"""bench-cleanup on a file of three completions made by hand, so that every figure is known."""

import json
import random
from pathlib import Path

import pytest

from benchmarks import cleanup, report
from benchmarks.measure import recorded
from benchmarks.measure.written import write
from midfill.server.completion import cleanup as rules

OUTPUTS = {
    "exact": "bar(1)",
    "goes on": "bar(1)\n    baz(2)\n",
    "starts blank": "\n    bar(1)\n    baz(2)",
    "wrong": "qux(3)",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    task = {
        "task_id": "t/1",
        "language": "python",
        "prefix": "def f():\n    foo.",
        "groundtruth": "bar(1)",
        "suffix": "\n    return 1\n",
        "outputs": {"a model": {name: {"output": text} for name, text in OUTPUTS.items()}},
    }
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(task) + "\n", encoding="utf-8")
    return path


def summary_of(monkeypatch: pytest.MonkeyPatch, path: Path, tmp_path: Path) -> dict[str, float]:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(cleanup, "PROBLEMS", tmp_path / "none")
    monkeypatch.setattr("sys.argv", ["cleanup", "--data", str(path)])
    cleanup.main()
    return json.loads((tmp_path / "cleanup.json").read_text(encoding="utf-8"))["summary"]


def test_any_file_of_that_form_is_measured(monkeypatch, tmp_path, data):
    found = summary_of(monkeypatch, data, tmp_path)
    matches = (found["em_raw"], found["em_first_line"], found["em_clean"], found["em_best_cut"])
    assert matches == (0.25, 0.5, 0.75, 0.75)
    assert (found["worst_group_delta"], found["worst_rule_broken_share"]) == (25.0, 0)
    assert (found["leaks"], found["chunking_differs"]) == (0, 0)
    assert found["block_kept"] is None
    assert found["block_kept_reason"]


def test_a_rule_that_breaks_more_than_it_fixes_is_seen(monkeypatch, tmp_path, data):
    def something_said(text, context):
        return "" if text.startswith("bar") else text

    monkeypatch.setattr(rules, "RULES", (*rules.RULES, something_said))
    found = summary_of(monkeypatch, data, tmp_path)
    assert (found["em_clean"], found["worst_rule_broken_share"]) == (0, 3)


def test_without_data_it_says_so(monkeypatch, tmp_path):
    found = summary_of(monkeypatch, tmp_path / "absent.jsonl", tmp_path)
    assert found["em_clean"] is None
    assert "absent.jsonl" in found["em_clean_reason"]


def test_pieces_are_the_text_again_and_what_is_injected_is_a_leak():
    choose = random.Random(1)
    text = "x = foo(1)\n\n\tif a:\n  ß…"
    assert all("".join(recorded.chunked(text, how)) == text for how in (None, choose))
    foreign = [recorded.inject(text, choose) for _ in range(50)]
    assert all(recorded.leaks(one) for one in foreign)
    assert not recorded.leaks(text)
    assert not any(recorded.leaks(write("", "", "python", [one]).shown) for one in foreign)
