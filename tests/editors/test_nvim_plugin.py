"""The rest of `editors/nvim`: commands, health, status line, code actions, installing, trouble."""

import json
import re
import tomllib

import pytest

from tests.editors.nvim import ROOT, NvimSession

pytestmark = pytest.mark.editor

INSTALLER = """
import json, os, pathlib, sys, time
venv, source = map(pathlib.Path, sys.argv[1:3])
assert (source / "tools").is_dir()
print(json.dumps({"message": "PyTorch: torch, 80 of 190 MB, 12 s left", "fraction": 0.4}), flush=True)
while not os.path.exists(os.environ["GO_ON"]):
    time.sleep(0.02)
(venv / "bin").mkdir(parents=True)
(venv / "bin" / "midfill").symlink_to(os.environ["PROGRAM"])
print(json.dumps({"done": True}), flush=True)
"""
"""Says what tools/install_server.py says, and has a server at hand."""
SOURCE = "def f(a):\n    return a\n"
STATUSLINE = "return require('midfill').statusline()"


def page(nvim: NvimSession, name: str) -> list[str]:
    """The page called `name`, once it is open."""
    shown = f"return vim.api.nvim_buf_get_name(0) == 'midfill://{name}'"
    nvim.wait_for(f"the page {name} is open", lambda: nvim.lua(shown))
    return nvim.lines()


def health(nvim: NvimSession) -> str:
    nvim.api.command("checkhealth midfill")
    nvim.wait_for("a report", lambda: "log: :MidfillLog" in "\n".join(nvim.lines()))
    return "\n".join(nvim.lines())


def told(nvim: NvimSession) -> str:
    return str(nvim.lua("return vim.api.nvim_exec2('messages', { output = true }).output"))


def test_the_plugin_has_the_projects_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = (ROOT / "editors/nvim/lua/midfill/versions.lua").read_text(encoding="utf-8")
    assert re.search(r"^M\.plugin = '(.+)'$", versions, re.MULTILINE)[1] == project["version"]


def test_checkhealth_says_that_all_is_well(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        report = health(nvim)
        assert "ERROR" not in report, report
        assert "WARNING" not in report, report
        assert "server and plugin (" in report
        assert "ready: scripted" in report
        assert "<M-w>: accept its next word" in report
        assert "running for 1 buffers" in report


def test_without_a_server_one_message_says_what_to_do(start_any_nvim):
    with start_any_nvim(SOURCE, ready_made=False) as nvim:
        nvim.wait_for("a message", lambda: "its server is not installed. :MidfillInstall" in told(nvim))
        nvim.api.command("edit another.py")
        assert told(nvim).count(":MidfillInstall") == 1
        report = health(nvim)
        assert "ERROR no server: `midfill` was not found" in report
        assert ":MidfillInstall" in report


@pytest.mark.parametrize(
    ("plugin", "advice"),
    [("9.0.0", "upgrade the server with :MidfillInstall"), ("0.0.1", "update the plugin")],
)
def test_versions_that_do_not_fit_are_said_at_start_with_what_to_upgrade(start_any_nvim, plugin, advice):
    # The README's first line puts the plugin on the path; this comes after it, before any server runs.
    other = f"require('midfill.versions').plugin = '{plugin}'"
    with start_any_nvim(SOURCE, extra_lua=other) as nvim:
        nvim.wait_until_ready()
        said = nvim.wait_for("a message", lambda: advice in told(nvim) and told(nvim))
        assert f"this plugin {plugin}" in said


def test_the_status_line_follows_the_server_and_the_switch(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        assert nvim.lua(STATUSLINE) == "Midfill"
        client = "vim.lsp.get_clients({ name = 'midfill' })[1]"
        loading = {"state": "loading", "reason": "", "model": "m", "progress": 0.4}
        handle = f"{client}.handlers['midfill/status'](nil, vim.json.decode('{json.dumps(loading)}'))"
        nvim.lua(handle)
        assert nvim.lua(STATUSLINE) == "Midfill: loading 40/100"
        nvim.lua(handle.replace("loading", "off").replace('"reason": ""', '"reason": "no-model"'))
        assert nvim.lua(STATUSLINE) == "Midfill: no model"
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
        explained = page(nvim, "explain")
        assert any(line.startswith("trigger") for line in explained), explained
        nvim.press("q")
        nvim.api.command("MidfillStatus")
        assert re.search(r"model +scripted", "\n".join(page(nvim, "status")))
        nvim.press("q")
        nvim.api.command("MidfillStats")
        assert re.search(r"suggestions shown +\d", "\n".join(page(nvim, "stats")))
        nvim.press("q")
        nvim.api.command("MidfillLog")
        assert "model ready" in "\n".join(page(nvim, "log"))
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
        nvim.wait_for("the status line says so", lambda: nvim.lua(STATUSLINE) == "Midfill: docstring of f")
        cancel = "return require('midfill.progress').cancel()"
        nvim.wait_for("something to cancel", lambda: nvim.lua(cancel) == 1)
        nvim.wait_for("it ended", lambda: nvim.lua(cancel) == 0)
        assert nvim.lines() == ["def f(a):", "    return a * 2"]


def test_a_server_that_dies_is_started_again(start_any_nvim):
    at_once = "require('midfill.restarting').DELAYS_MS = { 1, 1, 1 }"
    with start_any_nvim(SOURCE, extra_lua=at_once) as nvim:
        for _ in range(3):
            _kill_the_server(nvim)
        _kill_the_server(nvim, "the server ended 4 times in a row")
        assert ":MidfillRestart" in told(nvim)
        nvim.lua("vim.g.midfill_status = nil")
        nvim.api.command("MidfillRestart")
        nvim.wait_until_ready()


def _kill_the_server(nvim: NvimSession, then: str = "") -> None:
    pid = "local c = vim.lsp.get_clients({ name = 'midfill' })[1]; return c and c.initialized and c.id"
    first = nvim.wait_for("a server", lambda: nvim.lua(pid))
    nvim.wait_until_ready()
    for process in nvim.family()[1:]:
        process.kill()
    if then:
        nvim.wait_for(then, lambda: then in told(nvim))
    else:
        nvim.wait_for("another server", lambda: nvim.lua(pid) not in (None, False, first))


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


def test_install_shows_how_far_it_is_and_starts_what_it_built(start_any_nvim, server_folder, tmp_path):
    steps = tmp_path / "go-on"
    checkout = tmp_path / "a checkout"
    (checkout / "tools").mkdir(parents=True)
    (checkout / "tools" / "install_server.py").write_text(INSTALLER)
    here = (
        f"require('midfill.server').checkout = function() return '{checkout}' end"
        f" vim.env.GO_ON, vim.env.PROGRAM = '{steps}', '{server_folder / 'midfill'}'"
    )
    with start_any_nvim(SOURCE, ready_made=False, extra_lua=here) as nvim:
        nvim.api.command("MidfillInstall")
        installing = "return require('midfill.status').installing"
        nvim.wait_for("progress", lambda: nvim.lua(installing) == "PyTorch: torch, 80 of 190 MB, 12 s left")
        assert nvim.lua(STATUSLINE) == "Midfill: installing"
        nvim.api.command("MidfillInstall")  # a second time meanwhile
        assert "is being installed already" in told(nvim)
        steps.touch()
        nvim.wait_until_ready()
        assert "installed in" in told(nvim)
        program = "return vim.lsp.get_clients({ name = 'midfill' })[1].config.cmd[1]"
        assert nvim.lua(program).startswith(nvim.lua("return require('midfill.server').environment()"))


def test_an_installation_that_fails_says_why(start_any_nvim, tmp_path):
    (tmp_path / "tools").mkdir()
    said = "import sys, json; print('pip: full', file=sys.stderr); print(json.dumps({'error': 'no space'}))"
    (tmp_path / "tools" / "install_server.py").write_text(f"{said}; sys.exit(1)")
    here = f"require('midfill.server').checkout = function() return '{tmp_path}' end"
    with start_any_nvim(SOURCE, ready_made=False, extra_lua=here) as nvim:
        nvim.api.command("silent! MidfillInstall")
        nvim.wait_for("why", lambda: "the installation failed: no space" in told(nvim))
        assert nvim.lua(STATUSLINE) == ""
        nvim.api.command("MidfillLog")
        assert any("pip: full" in line for line in page(nvim, "log"))
