"""VS Code before anything works: no model, no server, a workspace that names one. What the user is told."""

import json

import pytest

pytestmark = pytest.mark.editor


def test_without_a_model_the_server_asks_and_the_status_says_so(start_vscode, tmp_path_factory):
    empty = str(tmp_path_factory.mktemp("cache"))
    with start_vscode(backend="transformers", environment={"MIDFILL_CACHE_DIR": empty}) as vscode:
        assert "no model is installed yet" in vscode.wait_for_status("off")
        question = vscode.wait_for("the question", vscode.notifications)[0]
        assert "Download" in question
        assert "491 MB" in question
        assert empty in question


def test_without_a_server_the_extension_offers_to_install_it(start_vscode):
    with start_vscode(environment={"PATH": "/usr/bin:/bin"}) as vscode:
        assert "no server is installed yet" in vscode.wait_for_status("off")
        assert "not installed yet" in vscode.wait_for("the offer", vscode.notifications)[0]


@pytest.mark.parametrize("trusting", [False, True])
def test_only_a_trusted_workspace_names_a_server(start_vscode, trusting):
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
