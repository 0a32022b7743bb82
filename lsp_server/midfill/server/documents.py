"""The open documents: what the client said of each, and the snapshot that this makes of it.

Runs on the event loop only. Snapshots are immutable, so one taken before an await stays what it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from midfill.server.languages import identifier
from midfill.server.text import (
    DocumentSnapshot,
    Encoding,
    Position,
    column_at,
    commonest_eol,
    edited_snapshot,
    find_line_starts,
    new_snapshot,
    offset_at,
)
from midfill.server.uris import same_file_key

# From about here on, taking the text apart into lines once beats rewriting it for each edit (measured at
# 10,000 lines: from 4 edits in a text with emoji, from 10 in ASCII). A formatter sends hundreds in one
# notification.
MANY_EDITS = 5


class UnknownDocument(Exception):  # noqa: N818 - the name says it
    """The client spoke of a document that it has not opened. `str(error)` is the URI."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One content change: `text` in place of `range`, or of the whole document where `range` is None."""

    range: tuple[Position, Position] | None
    text: str


class DocumentStore:
    """The snapshot of every open document, found by any spelling of its URI."""

    def __init__(self) -> None:
        self._snapshots: dict[str, DocumentSnapshot] = {}  # by the spelling the client opened it with
        self._spellings: dict[tuple[str, ...], str] = {}

    def open(self, uri: str, language: str, version: int, text: str) -> DocumentSnapshot:
        """Start over with `text`, also when the document is open already (whatever its spelling)."""
        self._snapshots.pop(self._spelling(uri), None)
        self._spellings[same_file_key(uri)] = uri
        self._snapshots[uri] = new_snapshot(uri, version, identifier(language), text)
        return self._snapshots[uri]

    def change(
        self, uri: str, version: int, changes: Sequence[Edit], encoding: Encoding
    ) -> DocumentSnapshot:
        """Apply `changes` in order, each to what the one before it left. Raises UnknownDocument.

        A range is clamped into the document, and one that ends before it starts is turned round.
        """
        after = self._require(uri)
        # what comes before the last full text is lost anyway
        full = max((i for i, change in enumerate(changes) if change.range is None), default=-1)
        if full >= 0:
            after = new_snapshot(after.uri, version, after.language, changes[full].text)
        edits = [(*change.range, change.text) for change in changes[full + 1 :] if change.range]
        apply = _apply_few if len(edits) < MANY_EDITS else _apply_many
        after = replace(apply(after, edits, encoding), version=version)
        self._snapshots[after.uri] = after
        return after

    def close(self, uri: str) -> None:
        """Forget the document. Raises UnknownDocument."""
        snapshot = self._require(uri)
        del self._snapshots[snapshot.uri]
        del self._spellings[same_file_key(snapshot.uri)]

    def snapshot(self, uri: str) -> DocumentSnapshot | None:
        """The document as it is now; its `uri` is the spelling that the client opened it with."""
        return self._snapshots.get(uri) or self._snapshots.get(self._spelling(uri))

    def uris(self) -> tuple[str, ...]:
        """The open documents, as the client spells them, oldest first."""
        return tuple(self._snapshots)

    def all(self) -> tuple[DocumentSnapshot, ...]:
        """The open documents as they are now, oldest first."""
        return tuple(self._snapshots.values())

    def _spelling(self, uri: str) -> str:
        return self._spellings.get(same_file_key(uri), uri)

    def _require(self, uri: str) -> DocumentSnapshot:
        snapshot = self.snapshot(uri)
        if snapshot is None:
            raise UnknownDocument(uri)
        return snapshot


def grew_by(before: DocumentSnapshot, after: DocumentSnapshot, offset: int) -> str | None:
    """The text that was inserted at `offset`, if that is all that happened since `before`; else None.

    "" when nothing happened. This is invariant 2's "extended only by". Two comparisons at memory speed.
    """
    old, new = before.text, after.text
    grown = len(new) - len(old)
    if grown < 0 or not 0 <= offset <= len(old):
        return None
    if old[:offset] != new[:offset] or old[offset:] != new[offset + grown :]:
        return None
    return new[offset : offset + grown]


def _apply_few(
    snapshot: DocumentSnapshot, edits: Sequence[tuple[Position, Position, str]], encoding: Encoding
) -> DocumentSnapshot:
    for start, end, text in edits:
        low, high = sorted(offset_at(snapshot, *position, encoding) for position in (start, end))
        snapshot = edited_snapshot(snapshot, low, high, text)
    return snapshot


def _apply_many(
    snapshot: DocumentSnapshot, edits: Sequence[tuple[Position, Position, str]], encoding: Encoding
) -> DocumentSnapshot:
    """The same on a list of lines, where an edit costs only the lines that it touches."""
    lines = _split(snapshot.text, snapshot.line_starts)
    for start, end, text in edits:
        (first, left), (last, right) = sorted(
            _place(lines, *position, encoding) for position in (start, end)
        )
        touched = lines[first][:left] + text + lines[last][right:]
        if touched.startswith("\n") and first > 0 and lines[first - 1].endswith("\r"):
            first -= 1  # the edit joins a \r\n
            touched = lines[first] + touched
        pieces = _split(touched, find_line_starts(touched))
        if last + 1 < len(lines):
            pieces.pop()  # `touched` keeps the end of its last line: the empty piece after it is no line
        lines[first : last + 1] = pieces
    edited = "".join(lines)
    line_starts = (0, *accumulate(map(len, lines[:-1])))
    return replace(snapshot, text=edited, eol=commonest_eol(edited, len(lines)), line_starts=line_starts)


def _split(text: str, line_starts: Sequence[int]) -> list[str]:
    """The lines, each with its end."""
    return [text[start:end] for start, end in pairwise((*line_starts, len(text)))]


def _place(lines: Sequence[str], line: int, character: int, encoding: Encoding) -> tuple[int, int]:
    """(line, column in code points) of an LSP position, clamped as `offset_at` clamps."""
    if line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    if line < 0:
        return 0, 0
    body = lines[line]
    body = body.removesuffix("\n").removesuffix("\r")  # a line holds no other \r
    return line, column_at(body, character, encoding)
