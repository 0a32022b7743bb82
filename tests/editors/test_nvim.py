"""Real Neovim, real keystrokes: what ghost text appears, and what accepting makes of the file."""

import psutil
import pytest

from tests.editors.nvim import Ghost, NvimSession

pytestmark = pytest.mark.editor

LOAD_DEADLINE_S = 300.0
"""The real model's first load on a busy machine, its one-time conversion included."""
ANSWER_DEADLINE_S = 120.0
SERVER_EXIT_S = 5.0
"""Issue 2: the server exits within 5 s of its client's death."""


def inserted(lines: list[str], ghost: Ghost) -> list[str]:
    """What the document must be after accepting `ghost`, and nothing else."""
    encoded = lines[ghost.row].encode()
    line = encoded[: ghost.column].decode() + ghost.text + encoded[ghost.column :].decode()
    return [*lines[: ghost.row], *line.split("\n"), *lines[ghost.row + 1 :]]


def cursor(nvim: NvimSession) -> tuple[int, int]:
    """0-based row, byte column."""
    row, column = nvim.api.current.window.cursor
    return row - 1, column


def test_typing_shows_ghost_text_and_a_key_inserts_exactly_it(start_nvim):
    with start_nvim("def add(a, b):\n\n\nprint(add(1, 2))\n", settings={"scriptedText": "a + b"}) as nvim:
        nvim.wait_until_ready()
        nvim.press("2GA")
        nvim.type("    return ")
        ghost = nvim.wait_for_ghost()
        assert ghost == Ghost(1, 11, "a + b"), nvim.dump()

        before, after = nvim.accept()

        assert after == inserted(before, ghost)
        assert after == ["def add(a, b):", "    return a + b", "", "print(add(1, 2))"]
        assert cursor(nvim) == (1, len("    return a + b"))


def test_a_bracket_closed_by_a_pair_plugin_comes_out_once(start_nvim):
    pairs = "vim.keymap.set('i', '(', '()<Left>')"
    with start_nvim("\n\nx = 1\n", settings={"scriptedText": "a, b):"}, extra_lua=pairs) as nvim:
        nvim.wait_until_ready()
        nvim.press("ggi")
        nvim.type("def add(")
        nvim.wait_for("the pair is there", lambda: nvim.lines()[0] == "def add()")
        nvim.wait_for_ghost()

        _, after = nvim.accept()

        assert after[0].startswith("def add(a, b)"), nvim.dump()
        assert after[0].count(")") == 1, nvim.dump()
        assert after[1:] == ["", "x = 1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_text_before_the_cursor_may_be_of_any_width(start_nvim, encoding):
    settings = {"scriptedText": "a + b"}
    with start_nvim("# 🙂 naïve\n\nend = 0\n", settings=settings, encodings=(encoding,)) as nvim:
        nvim.wait_until_ready()
        nvim.press("2Gi")
        nvim.type('mood = "🙂é漢👩‍🚀" + ')
        ghost = nvim.wait_for_ghost()
        assert ghost == Ghost(1, len('mood = "🙂é漢👩‍🚀" + '.encode()), "a + b"), nvim.dump()

        _, after = nvim.accept()

        assert after == ["# 🙂 naïve", 'mood = "🙂é漢👩‍🚀" + a + b', "end = 0"]
        client = "return vim.lsp.get_clients({ name = 'midfill' })[1].offset_encoding"
        assert nvim.lua(client) == encoding


def test_typing_on_keeps_a_suggestion_that_matches(start_nvim):
    with start_nvim("def add(a, b):\n\n", settings={"scriptedText": "alpha + beta"}) as nvim:
        nvim.wait_until_ready()
        nvim.press("2GA")
        nvim.type("    return ")
        assert nvim.wait_for_ghost().text == "alpha + beta"

        for typed in range(1, 4):
            nvim.type("alpha + beta"[typed - 1])
            ghost = nvim.wait_for_ghost()
            assert ghost == Ghost(1, len("    return ") + typed, "alpha + beta"[typed:]), nvim.dump()

        _, after = nvim.accept()
        assert after == ["def add(a, b):", "    return alpha + beta"]


@pytest.mark.real_model
@pytest.mark.usefixtures("default_model")
def test_the_real_model_completes_a_real_file(start_nvim):
    source = '''"""Distances on a plane."""

import math


def distance(x1: float, y1: float, x2: float, y2: float) -> float:
    """Euclidean distance between two points."""


def midpoint(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float]:
    return (x1 + x2) / 2, (y1 + y2) / 2
'''
    with start_nvim(source, name="plane.py", settings={"backend": "transformers"}) as nvim:
        nvim.wait_until_ready(LOAD_DEADLINE_S)
        nvim.press("8GA")
        nvim.type("    return math.")
        ghost = nvim.wait_for_ghost(ANSWER_DEADLINE_S)
        assert ghost.text.strip()

        before, after = nvim.accept()

        assert after == inserted(before, ghost), nvim.dump()
        assert after[7] == "    return math." + ghost.text.split("\n")[0]


def test_the_server_exits_when_neovim_is_killed(start_nvim):
    with start_nvim("x = 1\n") as nvim:
        nvim.wait_until_ready()
        started = [process for process in nvim.family() if process != nvim.process]
        assert started, nvim.dump()

        nvim.process.kill()

        _, alive = psutil.wait_procs(started, timeout=SERVER_EXIT_S)
        assert not alive
