"""VS Code before anything works: no model, no server, a workspace that names one. What the user is told."""

import json
import os
from pathlib import Path

import pytest

from midfill.model.store.catalogue import DEFAULT_MODEL, by_name
from tests.editors import vscode_extensions
from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor

INSTALLER = """#!/bin/sh
[ "$1" = -c ] && echo 3.11.0 True && exit
echo '{{"message": "PyTorch: torch, 80 of 190 MB, 12 s left (step 2 of 3)", "fraction": 0.3}}'
read -r _ < '{go_on}'
mkdir -p "$2/bin"
ln -s '{server}' "$2/bin/midfill"
echo '{{}}' > "$2/midfill-installed.json"
echo '{{"done": true}}'
"""
"""Stands in for a Python that runs tools/install_server.py."""


def test_without_a_model_the_server_asks_and_the_status_says_so(start_vscode, tmp_path_factory):
    empty = str(tmp_path_factory.mktemp("cache"))
    with start_vscode(backend="transformers", environment={"MIDFILL_CACHE_DIR": empty}) as vscode:
        assert "no model is installed yet" in vscode.wait_for_status("off")
        question = vscode.wait_for("the question", vscode.notifications)[0]
        assert "Download" in question
        assert "491 MB" in question
        assert empty in question


def let_go(fifo: Path) -> bool:
    """End the wait of whoever reads `fifo`; False: nobody does, or no more."""
    try:
        waiting = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    os.close(waiting)
    return True


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(script)
    file.chmod(0o755)
    return file


def test_one_click_installs_the_server_and_fetches_a_model(start_vscode, server_folder, tmp_path):
    go_on, cache = tmp_path / "go-on", tmp_path / "cache"
    os.mkfifo(go_on)
    installer = INSTALLER.format(go_on=go_on, server=server_folder / "midfill")
    path = f"{program(tmp_path / 'bin' / 'python3', installer).parent}:/usr/bin:/bin"
    nowhere = {"PATH": path, "MIDFILL_CACHE_DIR": str(cache), "HF_ENDPOINT": "http://127.0.0.1:9"}
    with start_vscode(backend="transformers", environment=nowhere) as vscode:
        assert "no server is installed yet" in vscode.wait_for_status("off")
        offer = vscode.wait_for("the offer", lambda: vscode.said("not installed yet"))
        model = by_name(DEFAULT_MODEL)
        assert f"{model.name}, {model.size_bytes / 1e6:.0f} MB, {model.licence}" in offer

        vscode.choose("Install")
        vscode.wait_for("progress", lambda: vscode.said("torch, 80 of 190 MB, 12 s left"))
        vscode.wait_for("who waits for it", lambda: let_go(go_on))

        vscode.wait_for("a download that fails", lambda: vscode.said("127.0.0.1:9"))
        assert len(vscode.program.servers()) == 1
        assert vscode.said("no model yet") == ""


def test_what_is_installed_is_started_where_the_one_on_path_does_not_run(
    start_vscode, server_folder, tmp_path
):
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    program(tmp_path / "bin" / "midfill", "#!/bin/sh\necho 'no module named midfill' >&2; exit 1\n")
    installer = INSTALLER.format(go_on=go_on, server=server_folder / "midfill")
    path = f"{program(tmp_path / 'bin' / 'python3', installer).parent}:/usr/bin:/bin"
    with start_vscode(environment={"PATH": path}) as vscode:
        said = vscode.wait_for("why", lambda: vscode.said("is there but does not run"))
        assert "no module named midfill. Install it into" in said
        vscode.choose("Install")
        vscode.wait_for("who waits for it", lambda: let_go(go_on))
        vscode.wait_for_status("ready")


@pytest.mark.parametrize("there", [False, True])
def test_a_wrong_setting_is_named_and_opened_and_nothing_is_offered_that_it_would_hide(
    start_vscode, tmp_path, there
):
    named = tmp_path / "midfill"
    if there:
        program(named, "#!/bin/sh\nexit 3\n")
    with start_vscode(**{"server.path": str(named)}) as vscode:
        said = vscode.wait_for("why", lambda: vscode.said("The setting midfill.server.path"))
        assert str(named) in said
        assert ("does not run: exit status 3." if there else "names no program") in said
        assert vscode.buttons() == ["Open Settings"]
        vscode.choose("Open Settings")
        vscode.page.wait_for_selector(".tab.active:has-text('Settings')")


@pytest.mark.parametrize("trusting", [False, True])
def test_only_a_trusted_workspace_names_a_server_and_runs_tests(start_vscode, trusting):
    restricted = {
        "security.workspace.trust.enabled": True,
        "security.workspace.trust.startupPrompt": "never",
    }
    vscode = start_vscode(user={} if trusting else restricted)
    witness = vscode.workspace / "ran.txt"
    planted = vscode.workspace / "midfill"
    planted.write_text(f"#!/bin/sh\ntouch '{witness}'\n")
    planted.chmod(0o755)
    (vscode.workspace / ".vscode").mkdir()
    named = json.dumps({"midfill.server.path": str(planted)})
    (vscode.workspace / ".vscode" / "settings.json").write_text(named)
    with vscode:
        vscode.wait_for_status("failed" if trusting else "ready")
        assert witness.exists() == trusting
        if not trusting:
            vscode.open("sample.py", "def double(number):\n    return number * 2\n")
            vscode.press("Control+Home")
            vscode.act("write unit tests for")
            vscode.wait_for("a refusal", lambda: vscode.said("only in a workspace that you trust"))


def test_in_a_folder_that_lies_on_no_disk_open_documents_are_completed(start_vscode, tmp_path):
    beside = [vscode_extensions.virtual_folder(tmp_path)]
    with start_vscode(beside=beside, uri=vscode_extensions.FOLDER, scriptedText=TEXT) as vscode:
        vscode.wait_for_status("ready")
        vscode.page.wait_for_selector(".editor-instance .monaco-editor.focused")
        vscode.type("return ")
        vscode.wait_for_ghost(TEXT)
        vscode.press("Tab")
        vscode.wait_for("it", lambda: vscode.tab_text("sample.py") == HEAD + "return " + TEXT)


def test_another_extension_that_completes_is_named(start_vscode, tmp_path):
    beside = [vscode_extensions.named(tmp_path, "TabNine", "tabnine-vscode")]
    with start_vscode(beside=beside, scriptedText=TEXT) as vscode:
        notice = vscode.wait_for("the notice", lambda: vscode.said("also suggests code in grey"))
        assert notice.startswith("Tabnine also")
        assert "switch one of them off" in notice
