"""What was changed lately, and where: a few stretches of text as they stand now. Pure.

Edits close to each other are one. The list is halved when it is full, so that what stands before stays the
same for long (Zed's way: the KV cache survives).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from midfill.server.context.candidate import Candidate, Source
from midfill.server.text import DocumentSnapshot, line_at

NEAR_LINES = 20
"""An edit so near to the last one in the same file continues it."""
AROUND_LINES = 2
"""Shown before and behind what was changed."""
MAX_LINES = 10
"""Of one stretch (Copilot's number)."""
MOST = 8
"""Copilot's number."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `first` to `last` of a document, both from 0 and inclusive, were edited."""

    uri: str
    first: int
    last: int


def edited(hunks: Sequence[Hunk], before: DocumentSnapshot, after: DocumentSnapshot) -> tuple[Hunk, ...]:
    """`hunks`, oldest first, with what turned `before` into `after`. Costs two comparisons of the text."""
    if before.text == after.text:
        return tuple(hunks)
    start = _shared(before.text, after.text)
    rest = min(len(before.text), len(after.text)) - start
    behind = _shared_end(before.text, after.text, rest)
    first, last = line_at(after, start), line_at(after, max(start, len(after.text) - behind))
    grown = len(after.line_starts) - len(before.line_starts)
    moved = [_moved(hunk, first, grown) if hunk.uri == after.uri else hunk for hunk in hunks]
    previous = moved[-1] if moved else None
    if previous is not None and previous.uri == after.uri:
        near = first <= previous.last + NEAR_LINES and last >= previous.first - NEAR_LINES
        if near:
            whole = replace(previous, first=min(previous.first, first), last=max(previous.last, last))
            return (*moved[:-1], whole)
    if len(moved) >= MOST:
        moved = moved[MOST // 2 :]
    return (*moved, Hunk(after.uri, first, last))


def shown_edits(
    hunks: Sequence[Hunk],
    documents: dict[str, tuple[str, list[str]]],
    current: str,
    visible: range,
    room_chars: int,
) -> list[Candidate]:
    """The stretches to show, later ones worth more. `documents`: URI → (path as a model is told it, lines).
    `visible`: lines of the document `current` that its prompt shows anyway."""
    found: list[Candidate] = []
    for age, hunk in enumerate(hunks):
        path, lines = documents.get(hunk.uri, ("", []))
        first = max(0, hunk.first - AROUND_LINES)
        last = min(hunk.last + AROUND_LINES, first + MAX_LINES - 1, len(lines) - 1)
        if last < first or (hunk.uri == current and first <= visible.stop and last >= visible.start):
            continue
        text = "\n".join(lines[first : last + 1]).strip("\n")
        if text.strip() and len(text) <= room_chars:
            key, why = f"{path}:{hunk.first}", f"lines {first + 1}–{last + 1} were edited lately"
            found.append(Candidate(Source.EDITS, key, path, text, 1.0 + age, why))
    return found


def _moved(hunk: Hunk, at: int, grown: int) -> Hunk:
    """Where the lines of `hunk` are after `grown` lines came in at line `at`."""
    if at > hunk.last:
        return hunk
    first = hunk.first + grown if at < hunk.first else hunk.first
    return replace(hunk, first=max(0, first), last=max(0, first, hunk.last + grown))


def _shared_end(one: str, other: str, most: int) -> int:
    """How many characters both end with, of `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
