"""A run from its command to its edit: cancelled at every stage, two at once, the document moving on."""

import asyncio

import pytest

from midfill.model import Lane
from midfill.model.api import ModelInfo
from midfill.server.actions.action import Outcome, Task
from midfill.server.actions.docstrings import WriteDocstring
from midfill.server.actions.edits import Edit, FileEdit
from midfill.server.actions.source import Source, Span
from tests.unit.action_bench import URI, Bench

PLAIN = "x = 1\n\n\ndef f(a):\n    pass║\n"
DONE = 'def f(a):\n    """Do it.\n\n    Args:\n        a: A thing to do.\n    """\n    pass\n'


def bench(picture: str = PLAIN) -> Bench:
    return Bench(WriteDocstring(), picture, "Do it.", "A thing to do.")


async def held(bench_: Bench) -> "asyncio.Task[None]":
    """A run that waits for its first answer."""
    bench_.host.held = True
    task = bench_.start()
    assert task is not None
    async with asyncio.timeout(60):
        await bench_.host.waiting.wait()
    return task


async def test_progress_tells_the_texts_length_and_the_share_and_ends() -> None:
    bench_ = bench()
    assert (await bench_.run()).endswith(DONE)
    (view,) = bench_.views
    assert view.title == "write the docstring of `f`"
    assert view.said[0] == ("4 characters", None)
    assert view.said[-1] == ("20 characters", 1.0)
    assert view.ended == ["Midfill: docstring of f"]
    assert set(bench_.host.lanes) == {Lane.CHAT}
    assert bench_.told == []
    assert bench_.actions.running == 0


async def test_a_cancel_while_the_model_writes_ends_it_and_inserts_nothing() -> None:
    bench_ = bench()
    before = bench_.text
    task = await held(bench_)
    bench_.views[0].cancel()
    await task
    assert bench_.host.tokens[0].cancelled
    assert (bench_.text, bench_.views[0].ended, bench_.told) == (before, ["cancelled"], [])


async def test_a_cancel_before_anything_was_asked() -> None:
    bench_ = bench()
    task = bench_.start()
    assert task is not None
    bench_.actions.close()
    await asyncio.wait([task])
    assert bench_.host.asked == []
    assert bench_.actions.running == 0


async def test_a_cancel_when_the_edit_is_on_its_way_comes_too_late() -> None:
    bench_ = bench()
    bench_.on_apply = lambda: bench_.views[0].cancel()
    assert (await bench_.run()).endswith(DONE)
    assert bench_.views[0].ended == ["Midfill: docstring of f"]


async def test_typing_elsewhere_moves_the_edit() -> None:
    bench_ = bench()
    task = await held(bench_)
    bench_.type("import os\n" + bench_.text + "\ny = 2\n")
    bench_.type(bench_.text.replace("x = 1", "x = 12"))
    bench_.host.held = False
    bench_.host.go_on()
    await task
    assert bench_.text == "import os\nx = 12\n\n\n" + DONE + "\ny = 2\n"


async def test_typing_in_the_body_does_not_stop_it_but_in_the_signature_it_does() -> None:
    for change, changed in (
        (("pass", "pass; g()"), DONE.replace("pass", "pass; g()")),
        (("f(a)", "f(ab)"), ""),
    ):
        bench_ = bench()
        task = await held(bench_)
        bench_.type(bench_.text.replace(*change))
        before = bench_.text
        bench_.host.held = False
        bench_.host.go_on()
        await task
        if changed:
            assert bench_.text.endswith(changed)
        else:
            assert bench_.text == before
            assert "changed meanwhile" in bench_.told[0]


async def test_a_file_that_was_indented_anew_with_tabs_meanwhile_gets_no_docstring_in_spaces() -> None:
    bench_ = bench()
    task = await held(bench_)
    bench_.type(bench_.text.replace("    pass", "\tpass"))
    before = bench_.text
    bench_.host.held = False
    bench_.host.go_on()
    await task
    assert bench_.text == before
    assert "nothing was inserted" in bench_.told[0]


async def test_a_document_that_is_closed_ends_its_run() -> None:
    bench_ = bench()
    task = await held(bench_)
    bench_.documents.close(URI)
    bench_.actions.document_closed(URI)
    await task
    assert bench_.host.tokens[0].cancelled


async def test_two_at_once_in_one_file_are_both_applied() -> None:
    bench_ = bench("def f(a):\n    pass║\n\n\ndef g():\n    pass\n")
    task = await held(bench_)
    end = len(bench_.text)
    second = bench_.actions.start("midfill.docstring", URI, (end - 2, end - 2))
    assert second is not None
    bench_.host.held = False
    bench_.host.go_on()
    await asyncio.wait([task, second])
    assert bench_.text.count('"""') == 4
    assert bench_.text.index("A thing") < bench_.text.index("def g")


async def test_the_same_one_twice_is_said_to_be_under_way() -> None:
    bench_ = bench()
    task = await held(bench_)
    assert bench_.start() is None
    assert bench_.told == ["that is being written already"]
    bench_.views[0].cancel()
    await task


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda b: setattr(b.host, "silence", "model-loading"), "still loading"),
        (lambda b: setattr(b.host, "silence", "model-off"), "midfill model pull"),
        (lambda b: setattr(b.host, "info", ModelInfo("m", "c", "f", "", 9)), "midfill.instructModel"),
        (lambda b: setattr(b.host, "failure", "out of memory"), "out of memory"),
        (lambda b: setattr(b, "refusal", "the editor did not take the edit: busy"), "busy"),
        (lambda b: setattr(b, "can_apply", False), "takes no edits"),
        (lambda b: setattr(b, "selection", (0, 0)), "nothing here"),
        (lambda b: b.documents.open(URI, "markdown", 1, "# x"), "this language"),
        (lambda b: b.documents.close(URI), "not open"),
    ],
)
async def test_what_cannot_be_done_is_explained_and_changes_nothing(spoil, word: str) -> None:
    bench_ = bench()
    spoil(bench_)
    task = bench_.start()
    if task is not None:
        await task
    assert word in bench_.told[-1]
    assert bench_.given == []
    assert bench_.actions.running == 0


class Harmful:
    """An action that would change the code."""

    command, kind = "midfill.docstring", "refactor.rewrite.midfill.docstring"

    def __init__(self, text: str) -> None:
        self._text = text

    def title(self, source: Source, selection: Span) -> str | None:
        return "harm"

    async def run(self, task: Task) -> Outcome:
        if not self._text:
            raise KeyError("secret")
        edit = Edit((0, 0), self._text)
        return Outcome((FileEdit(task.snapshot.uri, (edit,), (0, 1)),), "harm")


@pytest.mark.parametrize("text", ["y = 2\n", '"""', "/* ", "'x' if y else ", "import os; "])
async def test_an_edit_that_would_change_code_is_refused(text: str) -> None:
    bench_ = Bench(Harmful(text), PLAIN)
    before = bench_.text
    assert await bench_.run() == before
    assert "more than comments" in bench_.told[0]


async def test_a_defect_of_ours_ends_the_run_without_source_text() -> None:
    bench_ = Bench(Harmful(""), PLAIN)
    await bench_.run()
    assert bench_.told == ["the action failed: internal error (KeyError)"]
    assert bench_.actions.running == 0
