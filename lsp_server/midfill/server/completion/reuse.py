"""Answers that are at hand: what was shown while it is typed, and what the model wrote before.

Nothing here waits or asks a model. Texts are kept as the model wrote them and cleaned up when they are
read: what stands behind the cursor may have changed. Times come from the caller's clock.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from midfill.model import Finish, FinishReason
from midfill.server.completion.cleanup import Suggestion, clean_up, trimmed
from midfill.server.completion.cursor import CursorContext, normalize
from midfill.server.documents import grew_by
from midfill.server.text import DocumentSnapshot, edited_snapshot

ENTRIES = 250
"""Kept over all documents (llama.vim's and Cody's figure)."""
TTL_S = 300.0
"""Text elsewhere in the file and in others changes meanwhile (Tabby's figure)."""
EMPTY_TTL_S = 2.0
"""How long nothing is asked again where the model had nothing to say."""
TAIL_CHARS = 2000
"""So much text before the cursor has to be the same."""
HEAD_CHARS = 500
"""So much text behind it, at most."""
WALK_BACK_CHARS = 128
"""An answer from this many characters before the cursor is still found (llama.vim's figure)."""

CONTRADICTED, TYPED = "contradicted", "typed already"

_HEAD = re.compile(r"[^\n]*\s*[^\n]*")

ContextAt = Callable[[DocumentSnapshot, int], CursorContext]


@dataclass(frozen=True, slots=True)
class Written:
    """What one model call wrote, before any clean-up."""

    text: str
    finish: Finish
    logprobs: tuple[float, ...] = ()
    """Natural logs, one a token of `text`."""
    ahead: bool = False
    """Before anybody asked for it."""

    @property
    def ended(self) -> bool:
        """By itself or by a rule, not because its room was used up."""
        return self.finish.reason is not FinishReason.LENGTH


def read(
    written: Written, snapshot: DocumentSnapshot, origin: int, offset: int, context_at: ContextAt
) -> tuple[Suggestion | None, str]:
    """What `written`, asked for at `origin`, suggests at `offset`; the text in between was typed since.

    Or None and why: the clean-up rule that dropped it, CONTRADICTED, TYPED, "empty". The text is cleaned
    as it was at `origin` with what now follows the cursor, so that typing does not change what is shown.
    """
    if not written.text:
        return None, "empty"
    typed = snapshot.text[origin:offset]
    before = edited_snapshot(snapshot, origin, offset, "") if typed else snapshot
    suggestion, rule = clean_up(written.text, context_at(before, origin))
    if suggestion is None:
        return None, f"dropped by {rule}"
    behind = snapshot.text[offset : offset + suggestion.replace]
    rest = trimmed(suggestion, normalize(typed), len(typed), behind)
    if rest is None:
        return None, CONTRADICTED
    return (rest, "") if rest.text else (None, TYPED)


@dataclass(slots=True, eq=False)
class Shown:
    """Suggestions as they left, with `\\n` line ends, and the text they were made for."""

    snapshot: DocumentSnapshot
    offset: int
    suggestions: tuple[Suggestion, ...]
    """All at `offset`, the one that is shown first being the first. There may be none."""
    ended: bool = True
    looked_ahead: bool = False
    """What comes after it was asked for already."""

    @property
    def behind(self) -> str:
        """What the first of them replaces."""
        return self.snapshot.text[self.offset : self.offset + self.suggestions[0].replace]

    def typed_through(self, now: DocumentSnapshot, offset: int) -> Suggestion | None:
        """What is left of it at `offset` in `now`, if all that happened since is that it was typed."""
        typed = grew_by(self.snapshot, now, self.offset)
        if typed is None or offset != self.offset + len(typed):
            return None
        for suggestion in self.suggestions:
            behind = self.snapshot.text[self.offset : self.offset + suggestion.replace]
            rest = trimmed(suggestion, normalize(typed), len(typed), behind)
            if rest is not None and rest.text:
                return rest
        return None

    def alive_in(self, now: DocumentSnapshot) -> bool:
        """Whether nothing but (some of) it was inserted since."""
        typed, first = grew_by(self.snapshot, now, self.offset), self.suggestions[0]
        agrees = typed is not None and first.text.startswith(normalize(typed))
        return agrees or self.accepted_in(now) is first

    def accepted_in(self, now: DocumentSnapshot) -> Suggestion | None:
        """The suggestion that was inserted whole to make `now`, by accepting it or by typing it."""
        text = self.snapshot.text
        for suggestion in self.suggestions:
            inserted = suggestion.text.replace("\n", self.snapshot.eol)
            end = self.offset + suggestion.replace
            if len(now.text) != len(text) + len(inserted) - suggestion.replace:
                continue
            if now.text == "".join((text[: self.offset], inserted, text[end:])):
                return suggestion
        return None

    def deleted_into(self, now: DocumentSnapshot) -> bool:
        """Whether `now` is the text it was made for, less some of what stood before it."""
        left = len(now.text) - (len(self.snapshot.text) - self.offset)
        if not 0 <= left < self.offset:
            return False
        before, after = self.snapshot.text[:left], self.snapshot.text[self.offset :]
        return now.text.startswith(before) and now.text.endswith(after)


@dataclass(frozen=True, slots=True)
class _Key:
    uri: str
    head: str
    tail: str


@dataclass(slots=True)
class Cache:
    """What the model wrote, by document and by the exact text around the cursor. The least recently used
    entry goes first; entries age."""

    _entries: OrderedDict[_Key, tuple[Written, float]] = field(default_factory=OrderedDict)
    _heads: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many entries have this text behind the cursor: most look-ups end here."""

    def put(self, snapshot: DocumentSnapshot, offset: int, written: Written, now: float) -> None:
        self.drop(snapshot, offset)
        key = _key(snapshot, offset)
        self._entries[key] = (written, now)
        self._heads[key.uri, key.head] = self._heads.get((key.uri, key.head), 0) + 1
        if len(self._entries) > ENTRIES:
            self._remove(next(iter(self._entries)))

    def find(self, snapshot: DocumentSnapshot, offset: int, now: float) -> Iterator[tuple[int, Written]]:
        """What was written at `offset`, or before it with the text in between not there yet; with the
        offset of each, nearest first."""
        head = suffix_head(snapshot.text, offset)
        if (snapshot.uri, head) not in self._heads:
            return
        for origin in range(offset, max(-1, offset - WALK_BACK_CHARS - 1), -1):
            key = _Key(snapshot.uri, head, snapshot.text[max(0, origin - TAIL_CHARS) : origin])
            written, since = self._entries.get(key, (None, 0.0))
            if written is None:
                continue
            if now - since >= (TTL_S if written.text else EMPTY_TTL_S):
                self._remove(key)
                continue
            self._entries.move_to_end(key)
            yield origin, written

    def has(self, snapshot: DocumentSnapshot, offset: int) -> bool:
        return _key(snapshot, offset) in self._entries

    def drop(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """Forget what was written exactly here."""
        if self.has(snapshot, offset):
            self._remove(_key(snapshot, offset))

    def forget(self, uri: str | None = None) -> None:
        """Forget one document, or everything."""
        for key in [key for key in self._entries if uri in (None, key.uri)]:
            self._remove(key)

    def _remove(self, key: _Key) -> None:
        del self._entries[key]
        self._heads[key.uri, key.head] -= 1
        if not self._heads[key.uri, key.head]:
            del self._heads[key.uri, key.head]


def suffix_head(text: str, offset: int) -> str:
    """The text from `offset` to the end of the next line that is not blank, exactly."""
    match = _HEAD.match(text[offset : offset + HEAD_CHARS])
    return match[0] if match else ""


def _key(snapshot: DocumentSnapshot, offset: int) -> _Key:
    tail = snapshot.text[max(0, offset - TAIL_CHARS) : offset]
    return _Key(snapshot.uri, suffix_head(snapshot.text, offset), tail)
