"""The server behind a real VS Code: settings reach it as it runs, and it comes back when it dies."""

import re
from functools import partial

import pytest

from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor


def test_a_language_is_switched_off_and_on_again_without_a_restart(window):
    (server,) = window.program.servers()
    window.open("language.py", HEAD)
    try:
        window.command("Midfill: Switch Suggestions On or Off for This Language")
        window.wait_for("the setting is written", lambda: languages(window) == ["!python"])
        window.type("return ")
        window.wait_for_status("Nothing suggested here: `midfill.languages` leaves this language out")

        window.command("Midfill: Switch Suggestions On or Off for This Language")
        window.wait_for("the setting is back", lambda: languages(window) == [])
        window.wait_for("suggestions again", lambda: window.asks_by_hand(re.escape(TEXT)))
    finally:
        window.program.restore_user_settings()
    assert window.program.servers() == [server]


def test_another_text_comes_as_soon_as_the_settings_say_so(window):
    (server,) = window.program.servers()
    window.open("settings.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)
    with window.scripted("gamma"):
        assert window.ghost() == "gamma"
    assert window.program.servers() == [server]


def test_a_setting_of_the_wrong_type_is_named_and_the_rest_goes_on(window):
    window.open("wrong.py", HEAD)
    window.program.set(languages="python", debounceMs="soon")
    try:
        window.wait_for("what is wrong", lambda: window.said("midfill.languages: expected a list"))
        window.type("return ")
        window.wait_for_ghost(TEXT)
    finally:
        window.program.set(languages=None, debounceMs=0)


def test_two_windows_on_one_folder_have_a_server_each(window):
    with window.second() as other:
        other.wait_for_status("ready")
        for each, name in ((other, "second.py"), (window, "first.py")):
            each.open(name, HEAD)
            each.type("return ")
            each.wait_for_ghost(TEXT)
        assert len(window.program.servers()) == 2
    window.wait_for("the end of the second", lambda: len(window.program.servers()) == 1)


def test_a_server_that_is_killed_comes_back_by_itself(window):
    (server,) = window.program.servers()
    server.kill()

    window.wait_for("another server", lambda: window.program.servers() not in ([], [server]))
    window.wait_for_status("ready")
    file = window.open("again.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)
    window.press("Tab")
    assert window.saved(file) == HEAD + "return " + TEXT


def test_a_server_that_keeps_stopping_is_left_alone_and_the_user_is_told(window):
    while "failed" not in window.status():
        running = window.program.servers()
        for server in running:
            server.kill()
        window.wait_for("another server, or none", partial(_settled, window, running))
    assert "the server keeps stopping" in window.wait_for_status("failed")
    assert any("is left alone" in said for said in window.notifications())

    window.command("Midfill: Restart the Server")

    window.wait_for_status("ready")
    assert len(window.program.servers()) == 1


def languages(window) -> object:
    return window.program.user_settings().get("midfill.languages")


def _settled(window, before) -> bool:
    after = window.program.servers()
    return "failed" in window.status() or (after != before and after != [] and "ready" in window.status())
