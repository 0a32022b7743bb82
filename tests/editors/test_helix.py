"""Real Helix in a terminal: the completion menu, what accepting makes of the file, code actions, undo.

Debian's Helix has no grammars, so it indents nothing by itself: the tests type the white space.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.helix import HelixSession

pytestmark = pytest.mark.editor

LOAD_DEADLINE_S = 300.0
ANSWER_DEADLINE_S = 60.0
SOURCE = "def add(a, b):\n\n\nprint(add(1, 2))\n"


@pytest.fixture
def start_helix(server_folder: Path, tmp_path: Path) -> Callable[..., HelixSession]:
    """Open a file of this text in Helix; skips, with the reason, where it or tmux cannot be had."""
    program = shutil.which("hx")
    if program is None or shutil.which("tmux") is None:
        pytest.skip("no Helix, or no tmux, on PATH (.ci/get-editors gets Helix)")

    def start(
        content: str, *, name: str = "sample.py", without_model: bool = False, **settings: object
    ) -> HelixSession:
        home, workspace = tmp_path / "home", tmp_path / "work space é"
        home.mkdir()
        workspace.mkdir()
        file = workspace / name
        file.write_bytes(content.encode())
        given = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 1} | settings
        return HelixSession(program, server_folder, file, given, home, without_model)

    return start


def test_typing_brings_the_menu_and_tab_and_enter_accept_from_it(start_helix):
    with start_helix(SOURCE, scriptedText="a + b") as helix:
        helix.wait_until_ready()
        helix.type("o    return ")
        helix.wait_for("the menu", lambda: helix.shows("a + b"))
        helix.press("Tab", "Enter")
        assert helix.saved() == "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n"


def test_a_block_comes_whole_and_one_undo_takes_it_away(start_helix):
    text = "if a:\n        return a\n    return b"
    with start_helix("def pick(a, b):\n\n\nprint(pick(1, 2))\n", scriptedText=text) as helix:
        helix.wait_until_ready()
        helix.type("o    ")
        helix.press("C-x")
        helix.wait_for("the menu", lambda: helix.shows("if a:"))
        helix.press("Tab", "Enter")
        block = "    if a:\n        return a\n    return b\n"
        assert helix.saved() == f"def pick(a, b):\n{block}\n\nprint(pick(1, 2))\n"
        helix.type("u")
        assert "return" not in helix.saved()


def test_any_other_key_goes_on_typing(start_helix):
    with start_helix(SOURCE, scriptedText="a + b") as helix:
        helix.wait_until_ready()
        helix.type("o    return ")
        helix.wait_for("the menu", lambda: helix.shows("a + b"))
        helix.type("zz")
        helix.press("Enter")
        helix.type("y")
        assert helix.saved().startswith("def add(a, b):\n    return zz\n    y\n")


def test_brackets_that_helix_closed_come_out_once(start_helix):
    with start_helix("x = 1\n", scriptedText="a, b):") as helix:
        helix.wait_until_ready()
        helix.type("odef add(")
        helix.wait_for("the menu", lambda: helix.shows("a, b):"))
        helix.press("Tab", "Enter")
        assert helix.saved() == "x = 1\ndef add(a, b):\n"


def test_wide_characters_before_the_cursor(start_helix):
    with start_helix("x = '🙂 naïve'\n", scriptedText="a + b") as helix:
        helix.wait_until_ready()
        helix.type('omood = "🙂é漢" + ')
        helix.wait_for("the menu", lambda: helix.shows("a + b"))
        helix.press("Tab", "Enter")
        assert helix.saved() == "x = '🙂 naïve'\n" + 'mood = "🙂é漢" + a + b\n'


def test_a_file_with_crlf_keeps_every_line_end(start_helix):
    text = "if a:\n        return a\n    return b"
    with start_helix("def pick(a, b):\r\n\r\nx = 1\r\n", scriptedText=text) as helix:
        helix.wait_until_ready()
        helix.type("o    ")
        helix.press("C-x")
        helix.wait_for("the menu", lambda: helix.shows("if a:"))
        helix.press("Tab", "Enter")
        helix.saved()
        written = helix.file.read_bytes()
        assert b"        return a\r\n    return b\r\n" in written
        assert written.count(b"\n") == written.count(b"\r\n")


def test_a_docstring_by_helixs_code_actions(start_helix):
    answers = ["Do it.", "A thing to do."]
    with start_helix("def f(a):\n    return a * 2\n", scriptedAnswers=answers) as helix:
        helix.wait_until_ready()
        helix.type("j")
        helix.type(" a")
        helix.wait_for("the action", lambda: helix.shows("write the docstring of `f`"))
        helix.press("Enter")
        helix.wait_for("the docstring", lambda: helix.shows('"""Do it.'))
        assert helix.saved().startswith(
            'def f(a):\n    """Do it.\n\n    Args:\n        a: A thing to do.\n'
        )
        helix.type("u")
        assert helix.saved() == "def f(a):\n    return a * 2\n"


def test_without_a_model_helix_asks_and_a_no_is_a_no(start_helix):
    with start_helix(SOURCE, without_model=True, backend="transformers") as helix:
        helix.wait_for("the question", lambda: helix.shows("Midfill has no model yet"))
        assert helix.shows("491 MB")
        helix.press("Down", "Enter")
        helix.wait_for("the question is gone", lambda: not helix.shows("Midfill has no model yet"))
        helix.type("iz")
        assert helix.saved() == f"z{SOURCE}"


@pytest.mark.real_model
@pytest.mark.usefixtures("default_model")
def test_the_real_model_completes_a_real_file(start_helix):
    source = '''"""Distances on a plane."""

import math


def distance(x1: float, y1: float, x2: float, y2: float) -> float:
    """Euclidean distance between two points."""


def midpoint(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float]:
    return (x1 + x2) / 2, (y1 + y2) / 2
'''
    with start_helix(source, name="plane.py", backend="transformers") as helix:
        helix.wait_until_ready(LOAD_DEADLINE_S)
        helix.type("7ggoreturn math.")
        kind = " text\n"  # the column that Helix shows beside an item of ours
        helix.wait_for("the menu", lambda: helix.shows(kind), ANSWER_DEADLINE_S)
        helix.press("Tab", "Enter")
        line = helix.saved().splitlines()[7]
        assert line.startswith("    return math.")
        assert len(line) > len("    return math.")
