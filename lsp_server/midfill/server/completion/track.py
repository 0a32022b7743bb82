"""One open document between its requests: who asks, what is shown, what the last change did to that."""

from dataclasses import dataclass

from midfill.server.completion.policy import Recent
from midfill.server.completion.reuse import Shown
from midfill.server.completion.run import Run
from midfill.server.text import DocumentSnapshot


@dataclass(slots=True)
class Track:
    run: Run | None = None
    """The newest request, while it is unanswered."""
    shown: Shown | None = None
    _chars: int | None = None
    """How long the document was."""
    _deleting: bool = False
    _accepted: tuple[DocumentSnapshot, int] | None = None
    """The document just after a suggestion of one whole line was accepted, and where that ends."""

    def changed(self, now: DocumentSnapshot) -> Shown | None:
        """The document is `now`. Returns what was shown if the user has just deleted into it."""
        shrank = self._chars is not None and len(now.text) < self._chars
        self._chars = len(now.text)
        self._deleting = self._deleting and shrank
        self._accepted = None
        if self.shown is None:
            return None
        if shrank and self.shown.deleted_into(now):
            unwanted, self.shown, self._deleting = self.shown, None, True
            return unwanted
        accepted = self.shown.accepted_in(now)
        if accepted and self.shown.ended and "\n" not in accepted.text:
            self._accepted = now, accepted.offset + len(accepted.text)
        return None

    def asked(self, now: DocumentSnapshot) -> None:
        """A request came; nothing may have changed before it."""
        if self._chars is None:
            self._chars = len(now.text)

    def recent(self, now: DocumentSnapshot, offset: int, popup_fits: bool = True) -> Recent:
        """What was just done at `offset`, for a request there."""
        here = self._accepted is not None and self._accepted[0] is now and self._accepted[1] == offset
        return Recent(self._deleting, here, not popup_fits)
