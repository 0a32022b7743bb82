"""Between LSP's types and ours: ranges in three encodings, the menu's one line, where an edit ended."""

import pytest
from lsprotocol import types

from midfill.server.client import Client, read_client
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import Trigger
from midfill.server.convert import (
    ACCEPTED,
    LABEL_CHARS,
    edits_of,
    last_edit_end,
    offset_of,
    to_inline,
    to_menu_item,
    trigger_of,
)
from midfill.server.documents import Edit
from midfill.server.text import DocumentSnapshot, Encoding, new_snapshot
from tests.cursor import parse

URI = "file:///a.py"
# 🦊 is one code point, two UTF-16 units, four UTF-8 bytes; é is 1, 1 and 2.
EMOJI = "x = 1\nf('🦊é', ║)\n"
COLUMN = {Encoding.UTF_8: 12, Encoding.UTF_16: 9, Encoding.UTF_32: 8}


def at(picture: str, language: str = "python") -> tuple[DocumentSnapshot, int]:
    text, offset = parse(picture)
    return new_snapshot(URI, 3, language, text), offset


def partial(line: int, start: int, end: int, text: str) -> types.TextDocumentContentChangePartial:
    span = types.Range(types.Position(line, start), types.Position(line, end))
    return types.TextDocumentContentChangePartial(range=span, text=text)


def numbers(span: types.Range) -> tuple[int, int, int, int]:
    return span.start.line, span.start.character, span.end.line, span.end.character


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_range_counts_in_the_negotiated_units_with_emoji_before_the_cursor(encoding):
    snapshot, offset = at(EMOJI)
    column = COLUMN[encoding]
    assert offset_of(snapshot, types.Position(1, column), encoding) == offset
    item = to_inline(snapshot, Suggestion(offset, "2)", 1), Client(encoding=encoding))
    assert numbers(item.range) == (1, column, 1, column + 1)
    assert item.insert_text == "2)"


def test_an_inline_item_always_has_a_range_and_says_when_it_was_accepted():
    snapshot, offset = at("a║b")
    item = to_inline(snapshot, Suggestion(offset, "x"), Client())
    assert numbers(item.range) == (0, 1, 0, 1)
    assert item.command == types.Command("Accepted", ACCEPTED, arguments=[URI])


@pytest.mark.parametrize(
    ("eol", "splits_at_lf", "inserted"),
    [("\n", False, "a\nb"), ("\r\n", False, "a\r\nb"), ("\r\n", True, "a\nb"), ("\r", False, "a\rb")],
)
def test_a_suggestion_gets_the_documents_line_ends_save_where_the_client_splits_at_lf(
    eol, splits_at_lf, inserted
):
    snapshot, offset = at(f"x{eol}y{eol}║")
    client = Client(splits_at_lf=splits_at_lf)
    assert to_inline(snapshot, Suggestion(offset, "a\nb"), client).insert_text == inserted
    menu_text = to_menu_item(snapshot, Suggestion(offset, "a\nb"), client).text_edit.new_text
    assert menu_text == f"a{eol}b"


def test_a_menu_item_starts_at_the_word_that_the_cursor_is_in():
    snapshot, offset = at("x = my_nam║)\n")
    item = to_menu_item(snapshot, Suggestion(offset, "e.strip())", 1), Client(markdown=True, as_is=True))
    assert numbers(item.text_edit.range) == (0, 4, 0, 11)
    assert item.text_edit.new_text == "my_name.strip())"
    assert item.filter_text == item.label == "my_name.strip())"
    assert item.sort_text > "zzz"
    assert item.insert_text_format is types.InsertTextFormat.PlainText
    assert item.insert_text_mode is types.InsertTextMode.AsIs


def test_a_menu_item_is_one_short_line_with_the_whole_text_as_documentation():
    snapshot, offset = at("if x:\n    ║\n")
    text = "call(" + "argument, " * 10 + ")\n    again()"
    item = to_menu_item(snapshot, Suggestion(offset, text), Client(markdown=True))
    assert len(item.label) == LABEL_CHARS
    assert item.label.endswith("…")
    assert item.filter_text == text.partition("\n")[0]
    assert item.documentation.kind is types.MarkupKind.Markdown
    assert item.documentation.value == f"```python\n{text}\n```"
    assert to_menu_item(snapshot, Suggestion(offset, text), Client()).documentation == text


def test_a_menu_item_for_text_that_starts_with_a_line_end_has_a_label():
    snapshot, offset = at("if x:║\n")
    item = to_menu_item(snapshot, Suggestion(offset, "\n    pass"), Client())
    assert (item.label, item.filter_text) == ("↵", None)


def test_a_word_never_reaches_into_the_line_above():
    snapshot, offset = at("name\n║")
    item = to_menu_item(snapshot, Suggestion(offset, "x"), Client())
    assert numbers(item.text_edit.range) == (1, 0, 1, 0)


def test_an_option_that_the_client_does_not_know_is_not_sent():
    snapshot, offset = at("║")
    assert to_menu_item(snapshot, Suggestion(offset, "x"), Client()).insert_text_mode is None


def test_changes_become_edits_with_and_without_a_range():
    whole = types.TextDocumentContentChangeWholeDocument(text="new")
    assert edits_of([partial(1, 2, 3, "x"), whole]) == [Edit(((1, 2), (1, 3)), "x"), Edit(None, "new")]


@pytest.mark.parametrize("encoding", list(Encoding))
def test_the_last_edit_ends_behind_its_text(encoding):
    snapshot, offset = at("f('🦊é', one║)\n")
    start = COLUMN[encoding]
    assert last_edit_end(snapshot, [partial(0, start, start, "one")], encoding) == offset


def test_the_last_of_several_edits_counts():
    snapshot, _ = at("abXcd\n║")
    changes = [partial(0, 0, 0, "ab"), partial(0, 2, 2, "X")]
    assert last_edit_end(snapshot, changes, Encoding.UTF_16) == 3


def test_a_full_text_and_no_change_say_nothing_of_the_cursor():
    snapshot, _ = at("new║")
    whole = types.TextDocumentContentChangeWholeDocument(text="new")
    assert last_edit_end(snapshot, [partial(0, 0, 0, "n"), whole], Encoding.UTF_16) is None
    assert last_edit_end(snapshot, [], Encoding.UTF_16) is None


def test_an_edit_past_the_end_of_the_file_ends_in_the_file():
    snapshot, _ = at("x\nabc║")
    assert last_edit_end(snapshot, [partial(99, 7, 7, "abc")], Encoding.UTF_16) == len(snapshot.text)


def test_a_trigger_by_hand_is_told_from_an_automatic_one():
    kinds = types.InlineCompletionTriggerKind
    assert trigger_of(kinds.Automatic) is Trigger.AUTOMATIC
    assert trigger_of(kinds.Invoked) is Trigger.INVOKED


def test_a_client_that_says_nothing_of_itself_can_do_nothing():
    found = read_client(types.InitializeParams(capabilities=types.ClientCapabilities()), "utf-8")
    assert found == Client(encoding=Encoding.UTF_8)
