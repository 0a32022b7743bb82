"""What may come next, guessed from text: find where the last characters stood before, read what followed.

"Prompt lookup" (LLMA, arXiv 2304.04487), done on text: it sees all of the file, not only what fitted into
the prompt, and a cursor inside a token does not matter. Pure: knows no tokens, no model and no chances.
"""

from dataclasses import dataclass
from enum import StrEnum

WINDOW_CHARS = 32_768
"""How far above and below the cursor is looked: 1,000 lines. A search of it takes 0.02 ms (measured)."""
MIN_CHARS = 4
"""Fewer stand everywhere."""
MAX_CHARS = 64
"""A place that agrees for so long is as good as one that agrees for longer."""
GUESS_CHARS = 64
"""Read at a place: about twice what a pass can verify."""


class Source(StrEnum):
    """Where a guess was read."""

    SUGGESTION = "suggestion"
    """What was written at this place of the document before, and not taken or not finished."""
    ABOVE = "above"
    """The text before the cursor, and what has been written behind it."""
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Guess:
    """`text` may come next: in `source` it follows characters that agree with the last ones."""

    source: Source
    text: str
    agreeing: int
    """How many of these, white space not counted, MAX_CHARS at most."""


@dataclass(slots=True)
class _Place:
    at: int
    """Where in its text the guess begins."""
    matched: int
    """Characters before it that agree."""


class Lookup:
    """Follows an answer as it is written, and says what may come next."""

    def __init__(self, prefix: str, suffix: str = "", suggestion: str = "") -> None:
        """`suggestion` is `written()` of an earlier lookup in the same document."""
        self._texts = {
            Source.SUGGESTION: suggestion,
            Source.ABOVE: prefix[-WINDOW_CHARS:],
            Source.BELOW: suffix[:WINDOW_CHARS],
        }
        self._tail = prefix[-MAX_CHARS:]
        self._written = ""
        self._start = self._tail
        self._places: dict[Source, _Place] = {}

    def feed(self, text: str) -> None:
        """`text` was written."""
        if not text:
            return
        for source, place in list(self._places.items()):
            if self._texts[source].startswith(text, place.at):
                place.at += len(text)
                place.matched += len(text)
            else:
                del self._places[source]
        self._texts[Source.ABOVE] += text
        self._tail = (self._tail + text)[-MAX_CHARS:]
        self._written += text

    def guesses(self) -> list[Guess]:
        """One for each source that has the last characters, or fewer."""
        found = []
        for source, text in self._texts.items():
            place = self._places.get(source) or self._find(source, text)
            if place is None or place.at >= len(text):
                continue
            self._places[source] = place
            agreeing = len("".join(self._tail[-place.matched :].split()))
            found.append(Guess(source, text[place.at : place.at + GUESS_CHARS], agreeing))
        return found

    def written(self) -> str:
        """What stands before the cursor, what was written, and what else was suggested here before."""
        place = self._places.get(Source.SUGGESTION)
        rest = self._texts[Source.SUGGESTION][place.at :] if place else ""
        return self._start + self._written + rest

    def _find(self, source: Source, text: str) -> _Place | None:
        """The place that agrees longest; of several, the one nearest to the cursor."""
        # The last characters themselves are the end of what stands above: nothing follows them there.
        end = len(text) - 1 if source is Source.ABOVE else len(text)
        best, wanted = None, MIN_CHARS
        while wanted <= len(self._tail):
            sought = self._tail[-wanted:]
            begin = text.find(sought) if source is Source.BELOW else text.rfind(sought, 0, end)
            if begin < 0:
                break
            best = _Place(begin + wanted, self._agreeing(text, begin + wanted))
            wanted = best.matched + 1
        return best

    def _agreeing(self, text: str, end: int) -> int:
        """How many of the last characters stand before `end`."""
        there = text[max(0, end - MAX_CHARS) : end]
        count = 0
        for a, b in zip(reversed(there), reversed(self._tail), strict=False):
            if a != b:
                break
            count += 1
        return count
