"""`make bench-actions` on one function of our own: both parts, what they count, and rows that are kept."""

import asyncio
from pathlib import Path

import pytest

from benchmarks import actions_docstrings, actions_tests
from benchmarks.measure.kept import Kept
from midfill.model import ChatRequest
from midfill.server.settings import Settings
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

PROBLEM = {
    "task_id": "ours/1",
    "prompt": 'def double(number: int) -> int:\n    """Twice it.\n\n    >>> double(2)\n    4\n    """\n',
    "canonical_solution": "    return number * 2\n",
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


def test_docstrings_are_judged_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = ("Give twice it.", "How many there are.", "Twice as many.")
    scripted = Settings(backend="scripted", scripted_answers=said)
    monkeypatch.setattr(actions_docstrings, "Settings", lambda model: scripted)
    for _ in range(2):
        measuring = actions_docstrings.measure([PROBLEM], [PROBLEM], Kept(tmp_path / "rows"))
        rows, summary = asyncio.run(measuring)
        monkeypatch.setattr(actions_docstrings, "loaded", None)  # the second time needs no model
        assert [row["written by"] for row in rows] == ["model", "template"]
        keys = ("docstring_applied", "docstring_tree_equal", "docstring_params", "docstring_own")
        assert [summary[key] for key in keys] == [1, 1, 1, 1]
        assert summary["docstring_template_params"] == 0


def test_tests_are_written_run_counted_and_kept(
    sandbox: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[ChatRequest] = []

    def answer(_: object, request: ChatRequest) -> str:
        asked.append(request)
        return "assert double(3) == 6\nassert double(0) == 1"

    monkeypatch.setattr(actions_tests.Model, "answer", answer)
    for _ in range(2):
        rows, summary = actions_tests.measure([PROBLEM], Kept(tmp_path / "rows"))
        assert len(asked) == 6, "three, and three of the function with a fault in it"
        assert [row["share"] for row in rows] == [1, 1, 1, 1]
        assert (summary["tests_offered"], summary["tests_coverage"]) == (1, 1)
        assert (summary["tests_rerun_failures"], summary["tests_bugs_exposed"]) == (0, 1)
        assert summary["tests_mutation"] == 1
