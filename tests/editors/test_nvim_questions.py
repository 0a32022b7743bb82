"""What Midfill asks in Neovim, answered at Neovim's own prompt in a terminal."""

import shutil

import pytest

from tests.editors.nvim import NvimSession
from tests.editors.projects import ANSWERS, CODE, WRITTEN, python_project
from tests.unit.fenced import sandbox

__all__ = ["sandbox"]

pytestmark = [
    pytest.mark.editor,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on PATH"),
]
STATUSLINE = "return require('midfill').statusline()"


def shows(nvim: NvimSession, text: str) -> bool:
    """Whether `text` is on the screen, perhaps wrapped."""
    return text in nvim.terminal.screen().replace("\n", "")


def answer(nvim: NvimSession, title: str) -> None:
    """Choose what stands behind a number in the list on the screen."""
    rows = nvim.wait_for(
        f"{title!r} to choose", lambda: [r for r in nvim.terminal.screen().splitlines() if title in r]
    )
    nvim.terminal.type(rows[-1].partition(":")[0].strip().removesuffix("."))
    nvim.terminal.press("Enter")


def test_without_a_model_it_asks_and_a_no_is_a_no(start_any_nvim):
    real = {"backend": "transformers"}
    with start_any_nvim("x\n", settings=real, in_terminal=True, without_model=True) as nvim:
        nvim.wait_for("the question", lambda: shows(nvim, "Midfill has no model yet"))
        assert shows(nvim, "491 MB")
        answer(nvim, "Not now")
        nvim.terminal.type("iz")
        nvim.wait_for("typing goes on", lambda: nvim.lines() == ["zx"])
        assert nvim.lua(STATUSLINE) == "Midfill: no model"


def test_unit_tests_are_run_after_a_yes_and_written_into_a_new_file(start_any_nvim, sandbox, tmp_path):
    python_project(tmp_path / "workspace")
    answers, room = {"scriptedAnswers": ANSWERS}, "vim.o.cmdheight = 10"  # so that nothing wants Enter
    with start_any_nvim(CODE, name="twice.py", settings=answers, in_terminal=True, before=room) as nvim:
        nvim.wait_until_ready()
        nvim.terminal.type(":lua vim.lsp.buf.code_action()")
        nvim.terminal.press("Enter")
        answer(nvim, "write unit tests for `double`")
        answer(nvim, "This session")
        nvim.wait_for("the outcome", lambda: "1 of 2 tests passes" in nvim.messages())
        nvim.terminal.type(":wall")
        nvim.terminal.press("Enter")
        tests = nvim.file.parent / "tests/test_twice.py"
        nvim.wait_for("the tests", lambda: tests.exists() and tests.read_text() == WRITTEN)
        assert nvim.file.read_text() == CODE
