"""Real VS Code, real keystrokes: the ghost text, what Tab makes of the file, what the status says."""

import re

import pytest

from tests.editors.vscode_window import HEAD, TEXT

pytestmark = pytest.mark.editor


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
    window.type("def add(")
    with window.scripted("a, b):", shown="a, b:"):
        window.press("Tab")
        assert window.saved(file) == "# sums\ndef add(a, b):"


def test_two_hundred_keys_at_once_end_with_a_suggestion_for_the_last(window):
    keys = "".join(f"a{n} = {n}\n" for n in range(30)) + "total = "
    file = window.open("storm.py", "# sums\n")
    window.page.keyboard.type(keys)
    window.wait_for("a suggestion of the present script", lambda: window.ghost() == TEXT)

    window.press("Tab")

    assert window.saved(file) == "# sums\n" + keys + TEXT


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


def test_what_was_done_last_is_shown_in_a_tab(window):
    window.open("explained.py", HEAD)
    window.type("return ")
    window.wait_for_ghost(TEXT)

    window.command("Midfill: Explain the Last Suggestion, or Its Absence")

    lines = window.wait_for("the table", lambda: window.tab_text("the last request"))
    assert "| answer" in lines
    assert f"{len(TEXT)} characters in 1 line" in lines
