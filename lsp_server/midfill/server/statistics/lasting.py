"""Whether an accepted text still stands in the document, minutes later. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from midfill.server.completion.cursor import normalize
from midfill.server.text import DocumentSnapshot

AFTER_S = (30, 120, 300)
"""When it is looked for (Copilot's moments up to five minutes)."""
SLACK_CHARS = 2000
"""How far from its place, counted from the document's start or from its end, the whole text may stand."""
KEPT_SHARE = 0.5
"""More than this of its words, in order, are still it (Copilot: at most half of it edited)."""
GROWN = 1.5
"""A changed text is looked for in this many times its length, from its place on."""
MOST_WORDS = 32
"""Of a changed text that are looked for: 0.6–2 ms of the event loop (measured; most where words repeat)."""
TELLING = re.compile(r"(?:\W*\w){3}")
"""Text with less than three letters or digits stands everywhere."""

_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where `text` (with `\\n` line ends) began: code points from the document's start and to its end."""

    text: str
    from_start: int
    to_end: int


def still_there(place: Place, now: DocumentSnapshot) -> bool:
    """Whether `place.text` stands near its place whole, or there for the better part. Edits above move the
    place counted from the start, edits below the other; either will do."""
    start, end = place.from_start, len(now.text) - place.to_end
    lines = place.text.count("\n") * (len(now.eol) - 1)
    length = len(place.text) + lines
    for at in (start, end):
        around = now.text[max(0, at - SLACK_CHARS) : max(0, at + length + SLACK_CHARS)]
        if place.text in normalize(around):
            return True
    grown, behind = int(GROWN * length), max(0, end + length)
    windows = now.text[start : start + grown], now.text[max(0, behind - grown) : behind]
    return any(_share(place.text, window) > KEPT_SHARE for window in windows)


def _share(text: str, window: str) -> float:
    words = _WORDS.findall(text)[:MOST_WORDS]
    blocks = SequenceMatcher(None, words, _WORDS.findall(window), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(1, len(words))
