"""What the model would be asked at a place, with the settings and the model as they are now."""

from collections.abc import Callable

from midfill.model import FimRequest
from midfill.server.completion.cursor import CursorContext, Trigger, read_cursor
from midfill.server.completion.request import build_request
from midfill.server.model_host import ModelHost
from midfill.server.settings import Settings
from midfill.server.text import DocumentSnapshot

CHARS_PER_CONTEXT_TOKEN = 8
"""Text to each side that is handed over for a context of one token; code has 3–4 characters a token."""


class Asking:
    def __init__(self, model: ModelHost, settings: Callable[[], Settings]) -> None:
        self._model = model
        self._settings = settings

    def context_at(
        self, snapshot: DocumentSnapshot, offset: int, trigger: Trigger = Trigger.AUTOMATIC
    ) -> CursorContext:
        """The cursor in its text, as much of that as the model may read."""
        chars = self._model.context_tokens * CHARS_PER_CONTEXT_TOKEN
        return read_cursor(snapshot, offset, trigger, chars, self._settings().rules_off)

    def request_at(
        self, snapshot: DocumentSnapshot, offset: int, trigger: Trigger = Trigger.AUTOMATIC
    ) -> FimRequest:
        """The request for this place."""
        return build_request(self.context_at(snapshot, offset, trigger), self._settings())

    @property
    def may_look_ahead(self) -> bool:
        """Whether the user and the model allow writing what nobody has asked for yet."""
        return self._settings().write_ahead == "on" and not self._model.silence
