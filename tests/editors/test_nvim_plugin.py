"""The rest of `editors/nvim`: commands, health, status line, code actions, nonsense in `setup`."""

import json
import re

import pytest

pytestmark = pytest.mark.editor

SOURCE = "def f(a):\n    return a\n"
STATUSLINE = "return require('midfill').statusline()"


def test_checkhealth_says_that_all_is_well(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        report = nvim.health()
        assert "ERROR" not in report, report
        assert "WARNING" not in report, report
        assert "server and plugin (" in report
        assert "ready: scripted" in report
        assert "<M-w>: accept its next word" in report
        assert "running for 1 buffers" in report


def test_the_status_line_follows_the_server_and_the_switch(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        nvim.wait_for("it has nothing to say", lambda: nvim.lua(STATUSLINE) == "Midfill")
        client = "vim.lsp.get_clients({ name = 'midfill' })[1]"
        loading = {"state": "loading", "reason": "", "model": "m", "progress": 0.4}
        handle = f"{client}.handlers['midfill/status'](nil, vim.json.decode('{json.dumps(loading)}'))"
        # In one call each: between two the server may say something of its own.
        assert nvim.lua(f"{handle} {STATUSLINE}") == "Midfill: loading 40/100"
        without = handle.replace("loading", "off").replace('"reason": ""', '"reason": "no-model"')
        assert nvim.lua(f"{without} {STATUSLINE}") == "Midfill: no model"
        nvim.api.command("MidfillToggle")
        assert nvim.lua(STATUSLINE) == "Midfill: off"
        nvim.api.command("enew")
        assert nvim.lua(STATUSLINE) == ""


@pytest.mark.parametrize("scope", ["", " buffer"])
def test_off_means_no_suggestion_and_on_again_means_one(start_any_nvim, scope):
    with start_any_nvim("def f():\n\n", settings={"scriptedText": "a + b"}) as nvim:
        nvim.wait_until_ready()
        nvim.press("2GA    return ")
        nvim.wait_for_ghost()
        nvim.api.command("MidfillToggle" + scope)
        nvim.wait_for("no ghost text", lambda: nvim.ghost() is None)
        nvim.press("<Esc>")
        nvim.api.command("MidfillToggle" + scope)
        nvim.press("A")
        nvim.wait_for("it is back", nvim.ghost)


def test_explain_status_and_statistics_are_pages(start_any_nvim):
    with start_any_nvim("def f():\n\n", settings={"scriptedText": "a + b"}) as nvim:
        nvim.wait_until_ready()
        nvim.press("2GA    return ")
        nvim.wait_for_ghost()
        nvim.accept()
        nvim.press("<Esc>")
        nvim.api.command("MidfillExplain")
        explained = nvim.page("explain")
        assert any(line.startswith("trigger") for line in explained), explained
        nvim.press("q")
        nvim.api.command("MidfillStatus")
        assert re.search(r"model +scripted", "\n".join(nvim.page("status")))
        nvim.press("q")
        nvim.api.command("MidfillStats")
        assert re.search(r"suggestions shown +\d", "\n".join(nvim.page("stats")))
        nvim.press("q")
        nvim.api.command("MidfillLog")
        assert "model ready" in "\n".join(nvim.page("log"))
        nvim.press("q")
        assert nvim.lines()[0] == "def f():"


def test_a_docstring_by_neovims_own_code_actions(start_any_nvim):
    answers = {"scriptedAnswers": ["Do it.", "A thing to do."]}
    with start_any_nvim("def f(a):\n    return a * 2\n", settings=answers) as nvim:
        nvim.wait_until_ready()
        nvim.press("j")
        nvim.lua(
            "vim.lsp.buf.code_action({ apply = true,"
            " context = { only = { 'refactor.rewrite.midfill.docstring' }, diagnostics = {} } })"
        )
        nvim.wait_for("the docstring", lambda: len(nvim.lines()) > 2)
        assert nvim.lines() == [
            "def f(a):",
            '    """Do it.',
            "",
            "    Args:",
            "        a: A thing to do.",
            "",
            "    Returns:",
            "        A thing to do.",
            '    """',
            "    return a * 2",
        ]
        assert len(nvim.messages().splitlines()) <= 1, "nothing that wants Enter"
        nvim.press("u")
        nvim.wait_for("one undo takes it back", lambda: nvim.lines() == ["def f(a):", "    return a * 2"])


def test_cancel_stops_a_code_action(start_any_nvim):
    slow = {"scriptedAnswers": ["Do it. " * 400], "scriptedStepMs": 50}
    with start_any_nvim("def f(a):\n    return a * 2\n", settings=slow) as nvim:
        nvim.wait_until_ready()
        nvim.lua(
            "vim.lsp.buf.code_action({ apply = true,"
            " context = { only = { 'refactor.rewrite.midfill.docstring' }, diagnostics = {} } })"
        )
        nvim.wait_for("the status line says so", lambda: "the docstring of" in nvim.lua(STATUSLINE))
        cancel = "return require('midfill.progress').cancel()"
        nvim.wait_for("something to cancel", lambda: nvim.lua(cancel) == 1)
        nvim.wait_for("it ended", lambda: nvim.lua(cancel) == 0)
        assert nvim.lines() == ["def f(a):", "    return a * 2"]


def test_nonsense_in_setup_is_said_and_harmless(start_any_nvim):
    wrong = (
        "_G.said = {}"
        " local wrong = { { setings = {} }, { keymaps = 'yes' }, { keymaps = { acept = '<C-l>' } } }"
        " for _, options in ipairs(wrong) do"
        " table.insert(said, select(2, pcall(require('midfill').setup, options))) end"
    )
    with start_any_nvim(SOURCE, extra_lua=wrong) as nvim:
        nvim.wait_until_ready()
        assert [str(problem).split(";")[0].split("; it")[0] for problem in nvim.lua("return said")] == [
            'midfill: setup has no option "setings"',
            'midfill: the option keymaps is a { "table", "boolean" }, not a string',
            'midfill: there is nothing called "acept" to map',
        ]
