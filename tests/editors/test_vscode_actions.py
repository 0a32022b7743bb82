"""Code actions in a real VS Code, chosen by keys: what they write, ask and show, and how they end."""

import pytest

from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.editor

NEW = "from twice import double\n\n\ndef test_double():\n    assert double(3) == 6\n"


def test_the_docstring_action_writes_into_the_file_and_one_undo_takes_it_back(window):
    before = "def add(a):\n    return a + 1\n"
    file = window.open("action.py", before)
    window.press("Control+Home", "ArrowDown")

    window.act("write the docstring of")

    window.wait_for("the edit", lambda: "Add both." in window.tab_text("action.py"))
    after = window.saved(file)
    assert after.startswith('def add(a):\n    """Add both.')
    assert after.endswith('"""\n    return a + 1\n')
    window.press("Control+z")
    assert window.saved(file) == before


@pytest.mark.parametrize("by", ["the button", "a command"])
def test_an_action_shows_its_progress_and_a_cancel_ends_it(window, by):
    before = "def add(a):\n    return a + 1\n"
    window.open("script.py", "total = ")
    with window.scripted("one by one", scriptedAnswers=["Do it. " * 400], scriptedStepMs=50):
        file = window.open("slow.py", before)
        window.press("Control+Home")
        window.act("write the docstring of")
        window.wait_for("progress", lambda: window.said("Midfill: write the docstring of `add`"))
        if by == "the button":
            window.choose("Cancel")
        else:
            window.command("Midfill: Cancel What Is Being Written")
        window.wait_for("no progress", lambda: not window.said("write the docstring of"))
        window.wait_for_status("ready")
        assert window.saved(file) == before


def test_the_unit_test_action_asks_runs_them_and_makes_the_file(window, sandbox):
    window.open("script.py", "total = ")
    answers = ["assert double(3) == 6\nassert double(0) == 1"]
    with window.scripted("tested", scriptedAnswers=answers):
        window.open("twice.py", "def double(number):\n    return number * 2\n")
        window.press("Control+Home")
        window.act("write unit tests for")
        window.wait_for("progress", lambda: window.said("Midfill: write unit tests for `double`"))
        question = window.wait_for("the question", lambda: window.said("may the tests written for"))
        assert "without network" in question
        window.choose("This session")

        window.wait_for("what became of them", lambda: window.said("1 of 2 tests passes"))
        made = window.workspace / "tests" / "test_twice.py"
        window.page.wait_for_selector(f".tab[data-resource-name='{made.name}']")
        window.command("File: Save All Files")
        window.wait_for("the file", made.read_text)
        assert made.read_text() == NEW
