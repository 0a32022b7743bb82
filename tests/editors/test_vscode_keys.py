"""Keys in a real VS Code: those that take a suggestion in parts, show another, or are not ours at all."""

import pytest

from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor

LINES = "if alpha:\n        return alpha\n    return beta"


def test_ctrl_right_takes_a_word_and_tab_the_rest(window):
    file = window.open("partial.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.press("Control+ArrowRight")
    window.wait_for_ghost(" + beta")
    assert window.saved(file) == HEAD + "return alpha"

    window.press("Tab")
    assert window.saved(file) == HEAD + "return " + TEXT


def test_ctrl_down_takes_a_line(window):
    file = window.open("by_line.py", HEAD)
    with window.scripted(LINES, shown=".*return alpha.*return beta.*"):
        window.press("Control+ArrowDown")
        window.wait_for("a line less", lambda: "return" in window.ghost() and "if" not in window.ghost())
        assert window.saved(file) == HEAD + "if alpha:\n"


def test_alt_bracket_shows_another_and_the_one_before(window):
    file = window.open("cycle.py", HEAD)
    window.type("return ")
    with window.scripted("", shown=r"(\w\d{3})+", maxNewTokens=2):
        first = window.ghost()
        window.press("Alt+BracketRight")
        second = window.wait_for("another", lambda: (now := window.ghost()) not in ("", first) and now)
        window.press("Alt+BracketLeft")
        window.wait_for_ghost(first)
        window.press("Alt+BracketRight")
        window.wait_for_ghost(second)
        window.press("Tab")
        assert window.saved(file) == HEAD + "return " + second


def test_tab_and_ctrl_down_are_ours_only_where_something_is_suggested(window):
    file = window.open("others.py", HEAD + "return 1\n")
    window.press("Control+ArrowUp", "Control+ArrowDown", "Tab")
    assert window.saved(file) == HEAD + "return 1\n    "

    window.type("total = ")
    window.wait_for_ghost(TEXT)
    window.press("Escape")
    window.wait_for_ghost("")
    window.press("Tab")
    assert window.saved(file) == HEAD + "return 1\n    total =     "
