"""`make bench-actions` on a function of our own: both parts, over LSP, what they count, rows kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks import actions_latency
from benchmarks.act import docstrings, unit_tests
from benchmarks.act.here import Model
from benchmarks.act.judge import cases_in, failing_in, judged
from benchmarks.act.problems import subject_of
from benchmarks.act.served import Served, edited
from benchmarks.measure.kept import Kept
from midfill.model import ChatRequest
from midfill.server.sandbox import Sandbox
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

PROBLEM = {
    "task_id": "ours/1",
    "prompt": 'def double(number: int) -> int:\n    """Twice it.\n\n    >>> double(2)\n    4\n    """\n',
    "canonical_solution": "    return number * 2\n",
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
HEAD = "import math\n\nfrom solution import double\n\n\n"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "rows")


def serving(*answers: str) -> Served:
    settings = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 0}
    return Served({**settings, "scriptedAnswers": answers})


class NotAsked(Served):
    """Stands for a server where all rows are kept."""

    def __init__(self) -> None:
        super().__init__({})

    def choose(self, *_: object) -> None:  # type: ignore[override]
        raise AssertionError("it was measured again")


def test_docstrings_are_chosen_in_the_server_judged_and_kept(kept: Kept) -> None:
    for served in (serving("Give twice it.", "How many there are.", "Twice as many."), NotAsked()):
        with served:
            rows, summary = docstrings.measure([PROBLEM], [PROBLEM], kept, served)
        assert [row["written by"] for row in rows] == ["model, over LSP", "template"]
        keys = ("docstring_applied", "docstring_tree_equal", "docstring_params", "docstring_own")
        assert [summary[key] for key in keys] == [1, 1, 1, 1]
        assert summary["docstring_template_params"] == 0


def test_tests_are_chosen_in_the_server_run_anew_counted_and_kept(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kept: Kept
) -> None:
    said = "assert double(3) == 6\nassert double(0) == 1"
    asked: list[ChatRequest] = []

    def answer(_: object, request: ChatRequest) -> str:
        asked.append(request)
        return said

    monkeypatch.setattr(Model, "answer", answer)
    for served in (serving(said), NotAsked()):
        with served:
            rows, summary = unit_tests.measure([PROBLEM], kept, served, counted=[PROBLEM])
        shown = ["double(2)" in request.messages[-1].content for request in asked]
        assert shown == [True] * 5 + [False] * 3, "of five candidates, the first three are those of three"
        assert [row["share"] for row in rows] == [1] * 7
        assert [row["tests each"] for row in rows] == [2, 2, 2, 2, 1, 1, None]
        assert (summary["tests_offered"], summary["tests_coverage"]) == (1, 1)
        assert (summary["tests_rerun_failures"], summary["tests_bugs_exposed"]) == (0, 1)
        assert (summary["tests_mutation"], summary["tests_template_mutation"]) == (1, 2 / 3)


@pytest.mark.parametrize(
    ("bodies", "offered", "tests", "failed"),
    [
        (["assert double(3) == 6"], True, 1, 0),
        (["assert double(3) == 6", "assert double(3) == 7"], True, 1, 1),
        (["assert double(3) == 3 * math.sqrt(4)"], False, 0, 0),
        (["assert isinstance(double(3), object) is True"], False, 0, 0),
        ([], False, 0, 0),
    ],
    ids=["good", "one fails again", "no literal", "cannot fail", "nothing"],
)
def test_a_test_counts_by_what_it_does_not_by_what_is_said(
    sandbox: Sandbox, bodies: Sequence[str], offered: bool, tests: int, failed: int
) -> None:
    text = HEAD + "\n\n".join(f"def test_{n}():\n    {body}\n" for n, body in enumerate(bodies))
    found = judged(text if bodies else "", subject_of(PROBLEM), sandbox)
    assert (found["offered"], found["tests"], found["failed_again"]) == (offered, tests, failed)


def test_tests_that_are_commented_out_are_found_with_their_imports() -> None:
    text = (
        f"{HEAD}def test_one():\n    assert double(1) == 2\n\n\n"
        "# fails today: assert 4 == 5\n# def test_two():\n#     x = math.floor(2.5)\n#\n"
        "#     assert double(x) == 5\n\n\n# fails today\n# def test_three():\n#     assert double(0) == 1\n"
    )
    assert [case.name for case in cases_in(text, "solution")] == ["test_one"]
    two, three = failing_in(text, "solution")
    assert two.body == "x = math.floor(2.5)\n\nassert double(x) == 5"
    assert (two.names, two.imports) == (("double",), ("import math",))
    assert three.body == "assert double(0) == 1"


def changes() -> Iterator[dict[str, object]]:
    yield {"kind": "create", "uri": "file:///w/new.py"}
    at = {"line": 0, "character": 0}
    yield {
        "textDocument": {"uri": "file:///w/new.py", "version": None},
        "edits": [{"range": {"start": at, "end": at}, "newText": "x = 1\n"}],
    }
    ends = [{"line": line, "character": character} for line, character in ((0, 7), (1, 0), (0, 5))]
    yield {
        "textDocument": {"uri": "file:///w/old.py", "version": 1},
        "edits": [
            {"range": {"start": ends[2], "end": ends[0]}, "newText": "2"},
            {"range": {"start": ends[1], "end": ends[1]}, "newText": "z\n"},
        ],
    }


def test_an_edit_is_taken_as_an_editor_takes_it() -> None:
    files = {"file:///w/old.py": "é = '😀'\nb\n"}
    assert edited(files, {"documentChanges": list(changes())}) == {
        "file:///w/new.py": "x = 1\n",
        "file:///w/old.py": "é = '2'\nz\nb\n",
    }


def test_latency_is_told_apart_by_what_else_is_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions_latency, "PAUSE_S", 0)
    answer = "assert runs_0('') == []"
    settings = {"backend": "scripted", "scriptedStepMs": 20, "scriptedAnswers": [answer]}
    with Served({**actions_latency.SETTINGS, **settings}) as served:
        found = actions_latency.measure(served, 1, 2)
        typed = served.session.text_of((served.root / "typed.py").as_uri())
    assert len(found[actions_latency.ALONE_STAGE]) == 2
    assert found[actions_latency.WRITING]
    lines = actions_latency.TYPED[0].read_text().split("\n")
    head = actions_latency.HEAD_LINES
    whole = [*lines[:head], *(line for line in lines[head:] if len(line.strip()) >= 8)]
    assert typed is not None
    assert typed["text"].split("\n")[:33] == whole[:33], "half a line, and the other half"
