"""Real VS Code, real keystrokes: the ghost text, what Tab makes of the file, what the status says."""

import re
from functools import partial

import pytest

pytestmark = pytest.mark.editor

TEXT = "alpha + beta"
"""What the scripted model writes in the window that most tests share."""
HEAD = "def add(alpha, beta):\n    "


@pytest.fixture(scope="module")
def window(start_vscode):
    """One window for every test that leaves it as it was."""
    with start_vscode(scriptedText=TEXT, scriptedAnswers=["Add both.", "A number."]) as vscode:
        vscode.wait_for_status("ready")
        yield vscode


def test_the_status_bar_says_state_model_and_device_to_a_screen_reader_too(window):
    assert window.status() == "Midfill: ready. Model: scripted on none"


def test_typing_shows_ghost_text_and_tab_inserts_exactly_it(window):
    file = window.open("typing.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.press("Tab")

    assert window.saved(file) == HEAD + "return " + TEXT
    assert window.ghost() == ""


def test_accepting_tells_the_server(window):
    window.open("accepting.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.press("Tab")

    window.command("Midfill: Show Statistics")
    counted = window.wait_for("the statistics", lambda: window.tab_text("statistics"))
    assert re.search(r"by key, as the editor told \|\s*[1-9]", counted)


def test_wide_characters_and_emoji_before_the_cursor_move_nothing(window):
    start = "# 漢字🙂 naïve\n"
    file = window.open("wide.py", start)
    window.type('mood = "🙂漢字👩‍🚀" + ')
    window.wait_for_ghost(TEXT)

    window.press("Tab")

    # VS Code closes the quote by itself and types over it.
    assert window.saved(file) == start + 'mood = "🙂漢字👩‍🚀" + ' + TEXT


def test_text_from_an_input_method_is_completed_behind_what_was_chosen(window):
    file = window.open("composed.py", HEAD)
    window.type("return ")
    window.compose("kanji", "漢字")
    window.type(" + ")
    window.wait_for_ghost(TEXT)

    window.press("Tab")

    assert window.saved(file) == HEAD + "return 漢字 + " + TEXT


def test_a_bracket_that_vs_code_closed_comes_out_once(window):
    file = window.open("bracket.py", "# sums\n")
    window.program.set(scriptedText="a, b):")
    try:
        window.type("def add(")
        window.wait_for("the rest of the line", lambda: window.asks_by_hand("a, b:"))
        window.press("Tab")
        assert window.saved(file) == "# sums\ndef add(a, b):"
    finally:
        window.program.set(scriptedText=TEXT)


def test_two_hundred_keys_at_once_end_with_a_suggestion_for_the_last(window):
    keys = "".join(f"a{n} = {n}\n" for n in range(30)) + "total = "
    file = window.open("storm.py", "# sums\n")
    window.page.keyboard.type(keys)
    window.wait_for("a suggestion of the present script", lambda: window.ghost() == TEXT)

    window.press("Tab")

    assert window.saved(file) == "# sums\n" + keys + TEXT


def test_the_docstring_action_writes_into_the_file_and_one_undo_takes_it_back(window):
    before = "def add(a):\n    return a + 1\n"
    file = window.open("action.py", before)
    window.press("Control+Home", "ArrowDown")

    window.act("write the docstring of")

    after = window.wait_for("the edit", lambda: (text := window.saved(file)) != before and text)
    assert after.startswith('def add(a):\n    """Add both.')
    assert after.endswith('"""\n    return a + 1\n')
    window.press("Control+z")
    assert window.saved(file) == before


def test_ctrl_right_takes_a_word_and_tab_the_rest(window):
    file = window.open("partial.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.press("Control+ArrowRight")
    window.wait_for_ghost(" + beta")
    assert window.saved(file) == HEAD + "return alpha"

    window.press("Tab")
    assert window.saved(file) == HEAD + "return " + TEXT


def test_typing_on_keeps_a_suggestion_that_matches(window):
    file = window.open("through.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.type("alp")
    window.wait_for_ghost(TEXT[3:])
    window.press("Tab")

    assert window.saved(file) == HEAD + "return " + TEXT


def test_a_file_with_crlf_keeps_every_line_end(window):
    file = window.open("lines.py", HEAD.replace("\n", "\r\n"))
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.press("Tab")

    assert window.saved(file) == (HEAD + "return " + TEXT).replace("\n", "\r\n")


def test_a_silence_is_explained_in_the_status(window):
    window.open("silent.py", HEAD + "total")
    window.press("ArrowLeft", "ArrowLeft")
    window.type("x")

    window.wait_for_status("Nothing suggested here: the cursor stands inside a word")


@pytest.mark.skip(
    reason="issue 6: in two of three runs the workbench goes on with the old setting, in later tests too"
)
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
        window.wait_for("suggestions again", lambda: window.asks_by_hand(TEXT))
    finally:
        window.program.restore_user_settings()
    assert window.program.servers() == [server]


def test_another_text_comes_as_soon_as_the_settings_say_so(window):
    (server,) = window.program.servers()
    window.open("settings.py", HEAD)
    window.program.set(scriptedText="gamma")
    try:
        window.type("return ")
        window.wait_for("the new text", lambda: window.asks_by_hand("gamma"))
    finally:
        window.program.set(scriptedText=TEXT)
    assert window.program.servers() == [server]


def test_what_was_done_last_is_shown_in_a_tab(window):
    window.open("explained.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.command("Midfill: Explain the Last Suggestion, or Its Absence")

    lines = window.wait_for("the table", lambda: window.tab_text("the last request"))
    assert "| answer" in lines
    assert f"{len(TEXT)} characters in 1 line" in lines


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
