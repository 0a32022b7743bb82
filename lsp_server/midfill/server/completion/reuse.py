"""Typed through: what was shown last is still the answer while its own text is being typed. Pure.

One suggestion a document. A cache of more than that, and joining a running decode, is issue 4's.
"""

from dataclasses import dataclass

from midfill.server.completion.cleanup import Suggestion, trimmed
from midfill.server.completion.cursor import normalize
from midfill.server.documents import grew_by
from midfill.server.text import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class Shown:
    """A suggestion as it left, with `\\n` line ends, and the text it was made for."""

    snapshot: DocumentSnapshot
    suggestion: Suggestion

    def typed_through(self, now: DocumentSnapshot, offset: int) -> Suggestion | None:
        """What is left of it at `offset` in `now`, if all that happened since is that it was typed."""
        start = self.suggestion.offset
        typed = grew_by(self.snapshot, now, start)
        if typed is None or offset != start + len(typed):
            return None
        behind = self.snapshot.text[start : start + self.suggestion.replace]
        rest = trimmed(self.suggestion, normalize(typed), len(typed), behind)
        return rest if rest is not None and rest.text else None
