"""Real Helix in a terminal: the completion menu, what accepting makes of the file, undo, stop and restart.

Debian's Helix has no grammars, so it indents nothing by itself: the tests type the white space.
"""

import pytest

from tests.editors.helix import HelixSession

pytestmark = pytest.mark.editor

LOAD_DEADLINE_S = 300.0
ANSWER_DEADLINE_S = 60.0
SOURCE = "def add(a, b):\n\n\nprint(add(1, 2))\n"
TEXT = "a + b"
"""What the scripted model writes in the Helix that most tests share."""
BLOCK = "if a:\n        return a\n    return b"


@pytest.fixture(scope="module")
def helix(start_helix):
    """One Helix for every test that opens a file of its own and leaves the settings as they were."""
    with start_helix(SOURCE, scriptedText=TEXT) as helix:
        helix.wait_until_ready()
        yield helix


@pytest.fixture(scope="module")
def block_helix(start_helix):
    """The same, where the suggestion is a block."""
    with start_helix(SOURCE, scriptedText=BLOCK) as helix:
        helix.wait_until_ready()
        yield helix


def accept(helix: HelixSession, shown: str) -> str:
    """Take what the menu shows. The file as saved."""
    helix.wait_for("the menu", lambda: helix.shows(shown))
    helix.press("Tab", "Enter")
    return helix.saved()


def test_typing_brings_the_menu_and_tab_and_enter_accept_from_it(helix):
    helix.open("typing.py", SOURCE)
    helix.type("o    return ")
    assert accept(helix, TEXT) == "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n"


def test_a_block_comes_whole_and_one_undo_takes_it_away(block_helix):
    helix = block_helix
    helix.open("block.py", "def pick(a, b):\n\n\nprint(pick(1, 2))\n")
    helix.type("o    ")
    helix.press("C-x")
    block = "    if a:\n        return a\n    return b\n"
    assert accept(helix, "if a:") == f"def pick(a, b):\n{block}\n\nprint(pick(1, 2))\n"
    helix.type("u")
    assert "return" not in helix.saved()


def test_any_other_key_goes_on_typing(helix):
    helix.open("other.py", SOURCE)
    helix.type("o    return ")
    helix.wait_for("the menu", lambda: helix.shows(TEXT))
    helix.type("zz")
    helix.press("Enter")
    helix.type("y")
    assert helix.saved().startswith("def add(a, b):\n    return zz\n    y\n")


def test_brackets_that_helix_closed_come_out_once(start_helix):
    with start_helix("x = 1\n", scriptedText="a, b):") as helix:
        helix.wait_until_ready()
        helix.type("odef add(")
        assert accept(helix, "a, b):") == "x = 1\ndef add(a, b):\n"


def test_wide_characters_before_the_cursor(helix):
    helix.open("wide.py", "x = '🙂 naïve'\n")
    helix.type('omood = "🙂é漢" + ')
    assert accept(helix, TEXT) == "x = '🙂 naïve'\n" + 'mood = "🙂é漢" + a + b\n'


def test_a_file_with_crlf_keeps_every_line_end(block_helix):
    helix = block_helix
    file = helix.open("lines.py", "def pick(a, b):\r\n\r\nx = 1\r\n")
    helix.type("o    ")
    helix.press("C-x")
    accept(helix, "if a:")
    written = file.read_bytes()
    assert b"        return a\r\n    return b\r\n" in written
    assert written.count(b"\n") == written.count(b"\r\n")


def test_stopped_it_is_silent_and_restarted_it_suggests(start_helix):
    with start_helix(SOURCE, scriptedText=TEXT) as helix:
        helix.wait_until_ready()
        helix.command("lsp-stop midfill")
        helix.wait_for("the server's end", lambda: not helix.servers())
        helix.type("o    return ")
        helix.press("C-x")
        helix.type("z")
        helix.wait_for("what was typed", lambda: helix.shows("return z"))
        assert not helix.shows(TEXT)
        assert helix.saved().startswith("def add(a, b):\n    return z\n")
        helix.command("lsp-restart midfill")
        helix.wait_until_ready(times=2)
        helix.type("o    return ")
        assert "    return a + b\n" in accept(helix, TEXT)


def test_a_server_that_was_killed_comes_back_by_lsp_restart(start_helix):
    with start_helix(SOURCE, scriptedText=TEXT) as helix:
        helix.wait_until_ready()
        (server,) = helix.servers()
        server.kill()
        helix.wait_for("the server's end", lambda: not helix.servers())
        helix.command("lsp-restart midfill")
        helix.wait_until_ready(times=2)
        helix.type("o    return ")
        assert "    return a + b\n" in accept(helix, TEXT)


def test_changed_settings_are_taken_after_config_reload_and_lsp_restart(start_helix):
    with start_helix(SOURCE, scriptedText=TEXT) as helix:
        helix.wait_until_ready()
        helix.configure({**helix.settings, "scriptedText": "gamma"})
        helix.command("config-reload")
        helix.command("lsp-restart midfill")
        helix.wait_until_ready(times=2)
        helix.type("o    return ")
        assert "    return gamma\n" in accept(helix, "gamma")


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
