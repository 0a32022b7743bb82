"""The server as `editors/nvim` finds, checks, starts, restarts and installs it."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.editors.nvim import NvimSession
from tests.editors.plugin import ROOT

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


def test_the_plugin_has_the_projects_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = (ROOT / "editors/nvim/lua/midfill/versions.lua").read_text(encoding="utf-8")
    assert re.search(r"^M\.plugin = '(.+)'$", versions, re.MULTILINE)[1] == project["version"]


def test_without_a_server_one_message_says_what_to_do(start_any_nvim):
    with start_any_nvim(SOURCE, ready_made=False) as nvim:
        nvim.wait_for(
            "a message", lambda: "its server is not installed. :MidfillInstall" in nvim.messages()
        )
        nvim.api.command("edit another.py")
        assert nvim.messages().count(":MidfillInstall") == 1
        report = nvim.health()
        assert "ERROR no server: `midfill` was not found" in report
        assert ":MidfillInstall" in report


def test_what_was_installed_is_started_where_the_chosen_program_is_not_there(
    start_any_nvim, server_folder, tmp_path
):
    gone = str(tmp_path / "gone" / "midfill")
    chosen = f"require('midfill').setup({{ cmd = {{ '{gone}', 'serve', '--stdio' }} }})"
    with start_any_nvim(SOURCE, ready_made=False, extra_lua=chosen) as nvim:
        nvim.wait_for("a message", lambda: f"{gone} is not there. :MidfillInstall" in nvim.messages())
        installed = Path(nvim.lua("return require('midfill.server').environment()"), "bin", "midfill")
        installed.parent.mkdir(parents=True)
        installed.symlink_to(server_folder / "midfill")
        nvim.api.command("MidfillRestart")  # as :MidfillInstall does
        command = "return (vim.lsp.get_clients({ name = 'midfill' })[1] or { config = {} }).config.cmd"
        wanted = [str(installed), "serve", "--stdio"]
        nvim.wait_for("the installed one", lambda: nvim.lua(command) == wanted)
        assert f"`cmd` names {gone}, which is not there" in nvim.health()


def test_an_installation_that_cannot_be_made_is_not_offered(start_any_nvim):
    wheel = "require('midfill.server').checkout = function() return nil end"
    with start_any_nvim(SOURCE, ready_made=False, extra_lua=wheel) as nvim:
        nvim.wait_for("a message", lambda: "its server is not installed. Name another" in nvim.messages())
        assert ":MidfillInstall" not in nvim.messages()


def test_files_that_are_in_no_project_share_a_server(start_any_nvim):
    with start_any_nvim(SOURCE) as nvim:
        nvim.wait_until_ready()
        nvim.api.command(f"edit {nvim.file.parent}/another.py")
        here = "return #vim.lsp.get_clients({ name = 'midfill', bufnr = 0 })"
        nvim.wait_for("a server", lambda: nvim.lua(here) == 1)
        assert nvim.lua("return #vim.lsp.get_clients({ name = 'midfill' })") == 1


@pytest.mark.parametrize(
    ("plugin", "advice"),
    [("9.0.0", "upgrade the server with :MidfillInstall"), ("0.0.1", "update the plugin")],
)
def test_versions_that_do_not_fit_are_said_at_start_with_what_to_upgrade(start_any_nvim, plugin, advice):
    # The README's first line puts the plugin on the path; this comes after it, before any server runs.
    other = f"require('midfill.versions').plugin = '{plugin}'"
    with start_any_nvim(SOURCE, extra_lua=other) as nvim:
        nvim.wait_until_ready()
        said = nvim.wait_for("a message", lambda: advice in nvim.messages() and nvim.messages())
        assert f"this plugin {plugin}" in said


def test_a_server_that_dies_is_started_again(start_any_nvim):
    at_once = "require('midfill.restarting').DELAYS_MS = { 1, 1, 1 }"
    with start_any_nvim(SOURCE, extra_lua=at_once) as nvim:
        for _ in range(3):
            _kill_the_server(nvim)
        _kill_the_server(nvim, "the server ended 4 times in a row")
        assert ":MidfillRestart" in nvim.messages()
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
        nvim.wait_for(then, lambda: then in nvim.messages())
    else:
        nvim.wait_for("another server", lambda: nvim.lua(pid) not in (None, False, first))


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
        assert "is being installed already" in nvim.messages()
        steps.touch()
        nvim.wait_until_ready()
        assert "installed in" in nvim.messages()
        program = "return vim.lsp.get_clients({ name = 'midfill' })[1].config.cmd[1]"
        assert nvim.lua(program).startswith(nvim.lua("return require('midfill.server').environment()"))


def test_an_installation_that_fails_says_why(start_any_nvim, tmp_path):
    (tmp_path / "tools").mkdir()
    said = "import sys, json; print('pip: full', file=sys.stderr); print(json.dumps({'error': 'no space'}))"
    (tmp_path / "tools" / "install_server.py").write_text(f"{said}; sys.exit(1)")
    here = f"require('midfill.server').checkout = function() return '{tmp_path}' end"
    with start_any_nvim(SOURCE, ready_made=False, extra_lua=here) as nvim:
        nvim.api.command("silent! MidfillInstall")
        nvim.wait_for("why", lambda: "the installation failed: no space" in nvim.messages())
        assert nvim.lua(STATUSLINE) == ""
        nvim.api.command("MidfillLog")
        assert any("pip: full" in line for line in nvim.page("log"))
