"""One suggestion on the screen, and what becomes of it, told from the document's changes alone. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import normalize
from midfill.server.completion.reuse import Shown
from midfill.server.documents import grew_by
from midfill.server.text import DocumentSnapshot

AT_ONCE_CHARS = 4
"""So many characters in one change were not typed: Neovim sends what was typed within 150 ms in one, and
hardly anybody types four keys in that time."""


class Outcome(StrEnum):
    """How a suggestion ended; each ends in one way."""

    ACCEPTED = "accepted"
    """All of it, or all that was left of it, came by one change, or the client said so."""
    PARTLY = "partly-accepted"
    """Some of it came by one change, then something else was typed."""
    TYPED = "typed-through"
    """Typed by hand to its end."""
    CONTRADICTED = "contradicted"
    """Something else was typed in its place, or deleted there."""
    REPLACED = "replaced"
    """Another one was shown instead."""
    LEFT = "left"
    """The work went on elsewhere, or the document was closed."""


@dataclass(slots=True, eq=False)
class Watched:
    """`shown` as it left, at `since` seconds; `language` and `source` are what it is counted under."""

    shown: Shown
    language: str
    source: str
    since: float
    done: int = 0
    """Characters of it that stand in the document."""
    pasted: int = 0
    """Those of them that came several at once."""
    ended_as: Suggestion | None = None
    """Which of the suggestions stands in the document, once one does."""

    def changed(self, now: DocumentSnapshot) -> Outcome | None:
        """The document is `now`. What that makes of it; None while it is still on the screen."""
        typed = self._typed(now)
        whole = self.shown.accepted_in(now) or self._ending_in(typed)
        if whole is not None:
            step = len(whole.text) - whole.replace - self.done  # what it covers stood there already
            self.ended_as = whole
            at_once = step >= AT_ONCE_CHARS or (step > 1 and not self.done)
            self.done = len(whole.text)
            return Outcome.ACCEPTED if at_once else Outcome.TYPED
        if typed is None:
            return self._gone(now)
        step = len(typed) - self.done
        if step >= AT_ONCE_CHARS:
            self.pasted += step
        self.done = len(typed)
        return None

    def goes_on_as(self, suggestion: Suggestion, now: DocumentSnapshot) -> bool:
        """Whether `suggestion`, for `now`, is only what is left of it."""
        rest = self.shown.typed_through(now, suggestion.offset)
        return rest is not None and rest.text == suggestion.text

    def _typed(self, now: DocumentSnapshot) -> str | None:
        """What was typed of it, with `\\n` line ends; None if that, or anything else, is not of it."""
        typed = grew_by(self.shown.snapshot, now, self.shown.offset)
        if typed is None:
            return None
        typed = normalize(typed)
        agrees = any(suggestion.text.startswith(typed) for suggestion in self.shown.suggestions)
        return typed if agrees else None

    def _ending_in(self, typed: str | None) -> Suggestion | None:
        """The one that was typed whole; the closers that it covers may still stand behind it."""
        return next((each for each in self.shown.suggestions if each.text == typed), None)

    def _gone(self, now: DocumentSnapshot) -> Outcome:
        if self.pasted:
            return Outcome.PARTLY
        before = self.shown.snapshot.text[: self.shown.offset]
        after = self.shown.snapshot.text[self.shown.offset :]
        here = now.text.startswith(before) and now.text.endswith(after)
        return Outcome.CONTRADICTED if here or self.shown.deleted_into(now) else Outcome.LEFT
