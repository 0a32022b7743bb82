"""How far a code action is, in Neovim's message line."""

import re
import shutil
import time

import pytest

from tests.editors.nvim import NvimSession

pytestmark = [
    pytest.mark.editor,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on PATH"),
]
CODE = "def f(a):\n    return a * 2\n"
SLOW = {"scriptedAnswers": ["Do it. " * 400], "scriptedStepMs": 50}
WRITE = (
    "vim.lsp.buf.code_action({ apply = true,"
    " context = { only = { 'refactor.rewrite.midfill.docstring' }, diagnostics = {} } })"
)
TOLD = re.compile(r"Midfill: write the docstring of `f`: \d+ characters")


def last_line(nvim: NvimSession) -> str:
    return nvim.terminal.screen().rstrip("\n").rpartition("\n")[2]


def test_the_message_line_tells_how_far_it_is_until_it_is_cancelled(start_any_nvim):
    with start_any_nvim(CODE, settings=SLOW, in_terminal=True) as nvim:
        nvim.wait_until_ready()
        nvim.lua(WRITE)
        nvim.wait_for("how far it is", lambda: TOLD.match(last_line(nvim)))
        nvim.terminal.type(":MidfillCancel")
        time.sleep(0.3)  # some reports come, and leave the command line alone
        assert last_line(nvim).startswith(":MidfillCancel")
        nvim.terminal.press("Enter")
        nvim.wait_for(
            "the end", lambda: last_line(nvim).startswith("Midfill: write the docstring of `f`: cancelled")
        )


def test_a_message_is_cut_rather_than_wants_enter(start_any_nvim):
    name = "f" + "_long" * 30
    with start_any_nvim(CODE.replace("f(", f"{name}("), settings=SLOW, in_terminal=True) as nvim:
        nvim.wait_until_ready()
        nvim.lua(WRITE)
        nvim.wait_for("it is told", lambda: "the docstring of `f_long" in nvim.terminal.screen())
        time.sleep(0.3)
        wants_enter = "Press ENTER" in nvim.terminal.screen()
        if wants_enter:  # it would answer nothing any more
            nvim.process.kill()
        assert not wants_enter


def test_nothing_is_told_where_another_plugin_does(start_any_nvim):
    quiet = "require('midfill').setup({ progress = false })"
    with start_any_nvim(CODE, settings=SLOW, in_terminal=True, extra_lua=quiet) as nvim:
        nvim.wait_until_ready()
        nvim.lua(WRITE)
        nvim.wait_for("it runs", lambda: "docstring" in nvim.lua("return require('midfill').statusline()"))
        time.sleep(0.3)
        assert "docstring" not in nvim.terminal.screen()
