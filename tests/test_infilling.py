"""The infilling benchmark: which documents it asks about, what it takes for right, what it says of it."""

import json
from pathlib import Path

import pytest

from benchmarks import infilling, report
from benchmarks.infill.served import Served, accepted, exact, filled
from benchmarks.infill.tasks import BLOCK, LINE, NEEDED, SPAN, Task, make_tasks
from benchmarks.measure.kept import Kept
from benchmarks.significance import interval, paired
from midfill.server.sandbox import Job, Outcome

needs_data = pytest.mark.skipif(
    not all(path.is_file() for path in NEEDED), reason="no evaluation data here"
)
ADD = Task(
    "p/1/a", LINE, "1", "def add(a, b):\n", "\nprint('ß')\n", "    return a + b", "\nassert add(1, 2) == 3"
)
CUT = Task("p/2/b", SPAN, "2", "x = '😀' + ab", "d\n", "c", "\npass")
IF = Task("p/2/c", BLOCK, "2", "if x:", "\n", "\n    pass")
IN_LINE = Task("p/3/d", LINE, "3", "y = 1\nx = ", "\ny = 2\n", "2")
TASKS = (ADD, CUT, IF)


@needs_data
def test_single_lines_are_every_fifth_with_the_cursor_on_a_blank_line():
    tasks = list(make_tasks())
    lines = [task for task in tasks if task.kind == LINE]
    assert [sum(task.kind == kind for task in tasks) for kind in (LINE, SPAN, BLOCK)] == [207, 164, 100]
    for task in lines:
        line, character = task.cursor
        assert character == 0
        assert task.document.split("\n")[line] == ""
        assert "\n" not in task.gold
    assert [task.key for task in lines[:2]] == [
        "SingleLineInfilling/HumanEval/0/L0",
        "SingleLineInfilling/HumanEval/0/L5",
    ]


@needs_data
def test_blocks_begin_behind_an_opener_and_the_gold_one_makes_a_program():
    for task in make_tasks():
        if task.kind == BLOCK:
            assert task.before.rstrip().endswith(":")
        compile(task.before + task.gold + task.behind + task.check, task.key, "exec")


def test_the_cursor_counts_utf_16():
    assert (ADD.cursor, CUT.cursor) == ((1, 0), (0, 13))


@pytest.mark.parametrize(
    ("task", "item", "right"),
    [
        (ADD, {"insertText": "    return a + b"}, True),
        (ADD, {"insertText": "    return a + b\n"}, True),
        (ADD, {"insertText": "return a + b"}, False),
        (ADD, {"insertText": "    return a + b\nmore"}, False),
        (CUT, {"insertText": "c"}, True),
        (CUT, {"insertText": "abc", "range": [(0, 11), (0, 13)]}, True),
        (CUT, {"insertText": "cd", "range": [(0, 13), (0, 14)]}, True),
        (CUT, {"insertText": "c", "range": [(0, 13), (0, 14)]}, False),
        (CUT, {"insertText": "c", "range": [(0, 12), (0, 13)]}, False),
    ],
)
def test_what_counts_is_the_document_after_accepting(task, item, right):
    if "range" in item:
        ends = ({"line": line, "character": at} for line, at in item["range"])
        item = item | {"range": dict(zip(("start", "end"), ends, strict=True))}
    assert exact(task, accepted(task.document, item, task.cursor)) is right


def test_a_document_whose_surroundings_were_changed_has_no_hole():
    assert filled(CUT, "x") is None
    assert filled(CUT, CUT.document.replace("d", "D")) is None


def test_intervals_resample_problems_not_rows():
    same = [("a", 1.0)] * 50 + [("b", 0.0)] * 50
    assert interval(same) == (0.0, 1.0)
    low, high = interval([(str(n), float(n % 2)) for n in range(100)])
    assert 0.35 < low < 0.45 < 0.55 < high < 0.65


def test_pairs_count_rows_that_differ():
    row = paired("x", ["1", "2", "3", "4"], [True, True, True, False], [True, False, False, True])
    assert (row["won"], row["lost"], row["p"], row["difference"]) == (2, 1, 1.0, 0.25)


@pytest.mark.parametrize(("tokens", "text", "end"), [(64, "f(a)", "eot"), (1, "f(a)", "length")])
def test_the_real_server_is_asked_and_what_ended_its_answer_is_read(tokens, text, end):
    scripted = {"backend": "scripted", "scriptedText": "f(a)\nno", "scriptedStepMs": 0}
    served = Served({**scripted, "maxNewTokens": tokens})
    try:
        row = served.fill(IN_LINE)
    finally:
        served.close()
    assert row == {"document": f"y = 1\nx = {text}\ny = 2\n", "shown": True, "end": end}


class Canned:
    """A server that fills as it is told, and counts."""

    def __init__(self) -> None:
        self.fills = {ADD.key: ADD.gold, CUT.key: "no", IF.key: "\n    y"}
        self.asked: list[str] = []

    def fill(self, task: Task) -> dict[str, object]:
        if len(self.asked) == 2:
            raise KeyboardInterrupt
        self.asked.append(task.key)
        return {"document": task.before + self.fills[task.key] + task.behind, "shown": True, "end": "eot"}

    def close(self) -> None:
        pass


def test_what_is_done_is_not_done_again(tmp_path: Path):
    first, second = Canned(), Canned()
    with pytest.raises(KeyboardInterrupt):
        infilling.fill_all(TASKS, Kept(tmp_path / "kept"), lambda: first)
    done = infilling.fill_all(TASKS, Kept(tmp_path / "kept"), lambda: second)
    assert (first.asked, second.asked) == ([ADD.key, CUT.key], [IF.key])
    assert [row["exact"] for row in done.values()] == [True, False, False]
    infilling.fill_all(TASKS, Kept(tmp_path / "kept"), lambda: pytest.fail("nothing is lacking"))


class Fenced:
    """A sandbox that looks at the program instead of running it."""

    def run(self, job: Job) -> Outcome:
        ((_, program),) = job.files
        return Outcome(0 if "return a + b" in program and "assert add" in program else 1, "", "")


def done_with(end: str = "eot", passed: bool | None = None) -> infilling.Done:
    row = {"shown": True, "exact": False, "end": end, "hit": None, "document": "return a + b"}
    return {
        task.key: row | {"task_id": task.key} | ({} if passed is None else {"passed": passed})
        for task in TASKS
    }


def test_programs_are_the_documents_with_their_checks(tmp_path: Path):
    done, kept = done_with(), Kept(tmp_path / "kept")
    infilling.judge_all(TASKS, done, kept, Fenced())
    assert [row.get("passed") for row in done.values()] == [True, False, None]
    assert (Kept(tmp_path / "kept").get(ADD.key) or {})["passed"] is True


def test_without_a_sandbox_the_pass_keys_are_null_and_say_why(monkeypatch, tmp_path):
    _, summary = infilling.summed(TASKS, done_with(), {ADD.key: True}, "no bubblewrap")
    assert (summary["single_line_pass"], summary["random_span_pass_reason"]) == (None, "no bubblewrap")
    assert (summary["single_line_em"], summary["single_line_em_plain"]) == (0, 1)
    assert set(infilling.KEYS) <= summary.keys()
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.report("infilling", [{"rows": 1}], summary)
    assert json.loads((tmp_path / "infilling.json").read_text())["summary"]["single_line_pass"] is None


def test_only_the_length_limit_ends_an_answer_from_outside():
    def share(end: str) -> object:
        return infilling.summed(TASKS, done_with(end), {ADD.key: True}, "none")[1]["ended_share"]

    assert (share("eot"), share("stop"), share("length")) == (1, 1, 0)


def test_two_files_are_compared_row_by_row_where_both_have_one(tmp_path: Path):
    theirs = Kept(tmp_path / "kept")
    theirs.add(done_with("length", False)[ADD.key])
    rows = {row["figure"]: row for row in infilling.compare(TASKS, done_with("eot", True), theirs)}
    assert rows.keys() == {"single line: exact", "single line: passed", "single line: ended"}
    assert [rows[f"single line: {name}"]["won"] for name in ("exact", "passed", "ended")] == [0, 1, 1]
