"""Edits to a file, and where they belong after the file has moved on. Pure; spans are code points."""

from dataclasses import dataclass, field, replace

from midfill.server.actions.source import Span
from midfill.server.text import DocumentSnapshot

BLOCK_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Edit:
    span: Span
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileEdit:
    """What an action does to one file."""

    uri: str
    edits: tuple[Edit, ...]
    """In reading order; none overlaps another."""
    guard: Span | None = None
    """What must not have changed for the edits to be right; None: nothing may have."""
    creates: bool = False
    """The file does not exist yet; its one edit is all of it."""
    keeps_code: bool = True
    """Comments and docstrings only: refused unless the code is the same before and after."""
    text: str | None = field(default=None, repr=False)
    """What a file holds that is there and not open: the edits are for this."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change of a text: `old` became `new` characters at `start`."""

    start: int
    old: int
    new: int


def hunk_between(before: str, after: str) -> Hunk | None:
    """The smallest one change that makes `before` into `after`; None where they are the same."""
    if before == after:
        return None
    limit = min(len(before), len(after))
    start = _common(before, after, limit)
    tail = _common(before[::-1], after[::-1], limit - start)
    return Hunk(start, len(before) - start - tail, len(after) - start - tail)


def _common(one: str, other: str, limit: int) -> int:
    """How many characters both begin with, at most `limit`."""
    at = 0
    while at < limit and one[at : min(at + BLOCK_CHARS, limit)] == other[at : min(at + BLOCK_CHARS, limit)]:
        at += BLOCK_CHARS
    while at < limit and one[at] == other[at]:
        at += 1
    return min(at, limit)


class Tracker:
    """One document since an action looked at it."""

    def __init__(self, snapshot: DocumentSnapshot) -> None:
        self.now: DocumentSnapshot | None = snapshot
        """None once the document was closed."""
        self._first = snapshot.text
        self._hunks: list[Hunk] = []

    def changed(self, snapshot: DocumentSnapshot) -> None:
        if self.now is None:
            return
        hunk = hunk_between(self.now.text, snapshot.text)
        self.now = snapshot
        if hunk is not None:
            self._hunks.append(hunk)

    def closed(self) -> None:
        self.now = None

    def moved(self, guard: Span | None) -> int | None:
        """By how many characters what was at `guard` stands farther down now; None: it was changed."""
        if self.now is None or (guard is None and self._hunks):
            return None
        shift = 0
        start, end = guard or (0, 0)
        for hunk in self._hunks:
            if hunk.start + hunk.old <= start + shift:
                shift += hunk.new - hunk.old
            elif hunk.start < end + shift:
                return self._found(start, end)
        return shift

    def _found(self, start: int, end: int) -> int | None:
        """One notification may hold changes on both sides: what is guarded still stands there, once."""
        guarded = self._first[start:end]
        assert self.now is not None, "`moved` asked"
        if not guarded or self._first.count(guarded) != 1 or self.now.text.count(guarded) != 1:
            return None
        return self.now.text.index(guarded) - start


def rebased(edit: FileEdit, tracker: Tracker) -> FileEdit | None:
    """`edit` for the document as it is now; None: what it is about was changed meanwhile."""
    shift = tracker.moved(edit.guard)
    if shift is None:
        return None
    edits = tuple(Edit((one.span[0] + shift, one.span[1] + shift), one.text) for one in edit.edits)
    guard = None if edit.guard is None else (edit.guard[0] + shift, edit.guard[1] + shift)
    return replace(edit, edits=edits, guard=guard)


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    """`text` after `edits`, as an editor does it: insertions at one place in their order."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda one: one.span):
        pieces += [text[at : edit.span[0]], edit.text]
        at = edit.span[1]
    return "".join([*pieces, text[at:]])
