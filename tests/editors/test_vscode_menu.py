"""Real VS Code: suggestions in its completion menu, for who sets that."""

import pytest

from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor
ROW = ".suggest-widget.visible .monaco-list-row"


def test_the_completion_menu_has_suggestions_where_it_is_set(window):
    window.program.set(completionMenu="on")
    try:
        window.command("Midfill: Restart")
        window.wait_for("ready again", lambda: window.status().startswith("Midfill: ready"))
        window.open("menu.py", HEAD)
        window.type("return ")

        window.press("Control+Space")

        window.page.wait_for_selector(f"{ROW}:has-text('{TEXT}')")
    finally:
        window.program.set(completionMenu=None)
