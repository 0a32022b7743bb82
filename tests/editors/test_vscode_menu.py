"""Real VS Code: suggestions in its completion menu, for who sets that."""

import pytest

from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor
ROW = ".suggest-widget.visible .monaco-list-row"


def test_the_completion_menu_has_suggestions_where_it_is_set(start_vscode):
    with start_vscode(scriptedText=TEXT, completionMenu="on") as vscode:
        vscode.wait_for_status("ready")
        vscode.open("menu.py", HEAD)
        vscode.type("return ")

        vscode.press("Control+Space")

        vscode.page.wait_for_selector(f"{ROW}:has-text('{TEXT}')")
