"""What the model would be asked at a place, and how its answer is read there, with the settings and the
model as they are now."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from midfill.model import FimRequest
from midfill.server.completion import policy
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.confidence import doubt, least
from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.request import build_request
from midfill.server.completion.reuse import Written, read
from midfill.server.context.keeper import ContextKeeper
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

CHARS_PER_CONTEXT_TOKEN = 8
"""Text to each side that is handed over for a context of one token; code has 3–4 characters a token."""


class Asking:
    def __init__(self, model: ModelHost, settings: Callable[[], Settings]) -> None:
        self.other_files: ContextKeeper | None = None
        self.patient = False
        """Nobody is typing (`FimRequest.patient`)."""
        self.folders: Callable[[], Sequence[str]] = tuple
        """Paths of those that the client has open."""
        self._model = model
        self._settings = settings

    def context_at(
        self, snapshot: DocumentSnapshot, offset: int, trigger: Trigger = Trigger.AUTOMATIC
    ) -> CursorContext:
        """The cursor in its text, as much of that as the model may read."""
        chars = self._model.context_tokens * CHARS_PER_CONTEXT_TOKEN
        return read_cursor(snapshot, offset, trigger, chars, self._settings().rules_off)

    def silence(self, snapshot: DocumentSnapshot) -> str:
        """Why the user's settings want nothing suggested in this document, as a code (`policy.silence`)."""
        return policy.silence(snapshot, self._settings(), self.folders())

    def request_at(
        self, snapshot: DocumentSnapshot, offset: int, trigger: Trigger = Trigger.AUTOMATIC
    ) -> FimRequest:
        """The request for this place, with what is ready of other files."""
        request = build_request(self.context_at(snapshot, offset, trigger), self._settings())
        if self.patient:
            request = replace(request, patient=True)
        if self.other_files is None:
            return request
        found = self.other_files.at(snapshot, offset)
        return replace(request, snippets=found.snippets, repository=found.repository)

    def rests_at(self, snapshot: DocumentSnapshot, offset: int) -> None:
        """The cursor is here, and nobody asks yet: what other files say of the place may be looked up."""
        if self.other_files is not None:
            self.other_files.touch(snapshot, offset)

    def read(
        self, written: Written, snapshot: DocumentSnapshot, origin: int, offset: int, trigger: Trigger
    ) -> tuple[Suggestion | None, str]:
        """What `written`, asked for at `origin`, suggests at `offset`, or None and why (`reuse.read`), one
        reason being that the model was not sure enough."""
        context_at = partial(self.context_at, trigger=trigger)
        suggestion, reason = read(written, snapshot, origin, offset, context_at)
        if suggestion is not None and (reason := doubt(written, trigger, self.least_confidence)):
            return None, reason
        return suggestion, reason

    @property
    def least_confidence(self) -> float:
        """For what nobody asked for, 0–1; 0 where it does not matter."""
        info = self._model.info
        return least(self._settings().min_confidence, info.name if info else "")

    @property
    def may_look_ahead(self) -> bool:
        """Whether the user and the model allow writing what nobody has asked for yet."""
        return self._settings().write_ahead == "on" and not self._model.silence
