"""Between LSP's types and ours, both ways. The only file that knows how an item looks. Pure."""

from collections.abc import Sequence

from lsprotocol import types

from midfill.server.client import Client
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import Trigger, normalize
from midfill.server.completion.selected import Selected
from midfill.server.documents import Edit
from midfill.server.text import DocumentSnapshot, Encoding, offset_at, position_at

ACCEPTED = "midfill.accepted"
LABEL_CHARS = 60
"""Helix and others show one line of a menu; the whole text is in the documentation."""


def offset_of(snapshot: DocumentSnapshot, position: types.Position, encoding: Encoding) -> int:
    return offset_at(snapshot, position.line, position.character, encoding)


def edits_of(changes: Sequence[types.TextDocumentContentChangeEvent]) -> list[Edit]:
    return [
        Edit(_range_of(change.range), change.text)
        if isinstance(change, types.TextDocumentContentChangePartial)
        else Edit(None, change.text)
        for change in changes
    ]


def last_edit_end(
    snapshot: DocumentSnapshot,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> int | None:
    """Where the last change left the cursor, most likely. `snapshot` is the text after it."""
    last = changes[-1] if changes else None
    if not isinstance(last, types.TextDocumentContentChangePartial):
        return None
    end = offset_of(snapshot, last.range.start, encoding) + len(last.text)
    return min(end, len(snapshot.text))  # the start was clamped in the text before


def trigger_of(kind: types.InlineCompletionTriggerKind) -> Trigger:
    automatic = types.InlineCompletionTriggerKind.Automatic
    return Trigger.AUTOMATIC if kind is automatic else Trigger.INVOKED


def selected_of(
    snapshot: DocumentSnapshot, info: types.SelectedCompletionInfo | None, encoding: Encoding
) -> Selected | None:
    """The completion menu's selected item, if the client says that there is one."""
    if info is None:
        return None
    start = offset_of(snapshot, info.range.start, encoding)
    return Selected(start, offset_of(snapshot, info.range.end, encoding), info.text)


def to_inline(
    snapshot: DocumentSnapshot, suggestion: Suggestion, client: Client
) -> types.InlineCompletionItem:
    """Always with a range: from the present cursor, or the start of the menu's selected item, over what
    the suggestion types again."""
    start = suggestion.offset
    covered = _range(snapshot, start, start + suggestion.replace, client.encoding)
    text = suggestion.text if client.splits_at_lf else _with_line_ends(suggestion.text, snapshot.eol)
    accepted = types.Command(title="Accepted", command=ACCEPTED, arguments=[snapshot.uri])
    return types.InlineCompletionItem(insert_text=text, range=covered, command=accepted)


def to_menu_item(
    snapshot: DocumentSnapshot, suggestion: Suggestion, client: Client
) -> types.CompletionItem:
    """One menu line. The edit starts at the word that the cursor is in, as menus filter by it."""
    start = _word_start(snapshot.text, suggestion.offset)
    word = snapshot.text[start : suggestion.offset]
    whole = word + suggestion.text
    first_line = normalize(whole).partition("\n")[0]
    label = first_line.strip() or "↵"
    edited = _range(snapshot, start, suggestion.offset + suggestion.replace, client.encoding)
    return types.CompletionItem(
        label=label if len(label) <= LABEL_CHARS else label[: LABEL_CHARS - 1] + "…",
        kind=types.CompletionItemKind.Text,
        detail="Midfill",
        documentation=_documentation(whole, snapshot.language, client.markdown),
        filter_text=first_line or None,
        sort_text="~midfill",  # below what knows the types
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs if client.as_is else None,
        text_edit=types.TextEdit(edited, _with_line_ends(whole, snapshot.eol)),
    )


def _with_line_ends(text: str, eol: str) -> str:
    return text if eol == "\n" else text.replace("\n", eol)


def _documentation(text: str, language: str, markdown: bool) -> types.MarkupContent | str:
    if not markdown:
        return text
    return types.MarkupContent(types.MarkupKind.Markdown, f"```{language}\n{text}\n```")


def _word_start(text: str, offset: int) -> int:
    while offset > 0 and (text[offset - 1].isalnum() or text[offset - 1] == "_"):
        offset -= 1
    return offset


def _range(snapshot: DocumentSnapshot, start: int, end: int, encoding: Encoding) -> types.Range:
    return types.Range(
        start=types.Position(*position_at(snapshot, start, encoding)),
        end=types.Position(*position_at(snapshot, end, encoding)),
    )


def _range_of(found: types.Range) -> tuple[tuple[int, int], tuple[int, int]]:
    return (found.start.line, found.start.character), (found.end.line, found.end.character)
