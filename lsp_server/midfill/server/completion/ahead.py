"""Prefilling ahead: while the cursor rests, the prompt's KV cache is computed before anybody asks.

Any request pre-empts it between two forward passes (Lane.AHEAD).
"""

import asyncio
from dataclasses import replace

from midfill.model import CancelToken, Event, Lane
from midfill.server.completion.service import CompletionService
from midfill.server.model_host import ModelHost
from midfill.server.text import DocumentSnapshot

REST_S = 0.3
"""Without a change for this long, the cursor rests. Longer than editors' own debounce (200 ms in
Neovim), so that a real request comes first."""
HEAD_CHARS_PER_TOKEN = 2
"""An opened file is prefilled from its head; this many characters a token surely fit the context."""


class PrefillAhead:
    """Event loop only. One place at a time: the last one touched."""

    def __init__(self, completions: CompletionService, model: ModelHost) -> None:
        self._completions = completions
        self._model = model
        self._timer: asyncio.TimerHandle | None = None
        self._wanted: tuple[DocumentSnapshot, int] | None = None
        self._last: tuple[DocumentSnapshot, int] | None = None

    def document_opened(self, snapshot: DocumentSnapshot) -> None:
        """Nobody knows yet where the cursor goes: the head of the file is before all of it."""
        head = self._model.context_tokens * HEAD_CHARS_PER_TOKEN
        self._rest_at(snapshot, min(len(snapshot.text), head))

    def document_changed(self, snapshot: DocumentSnapshot, offset: int) -> None:
        self._rest_at(snapshot, offset)

    def model_ready(self) -> None:
        """What was opened while the model was loading is prefilled now."""
        if self._wanted is not None:
            self._rest_at(*self._wanted)

    def other_files_changed(self, now: DocumentSnapshot | None) -> None:
        """The prompts of the document `now` show other files' text from here on: so does its cache."""
        if self._last is not None and self._last[0] is now:
            self._rest_at(*self._last)

    def stop(self) -> None:
        """Something better is under way."""
        if self._timer is not None:
            self._timer.cancel()

    def _rest_at(self, snapshot: DocumentSnapshot, offset: int) -> None:
        self.stop()
        self._wanted = self._last = (snapshot, offset)
        self._completions.asking.rests_at(snapshot, offset)
        self._timer = asyncio.get_running_loop().call_later(REST_S, self._prefill)

    def _prefill(self) -> None:
        if self._wanted is None:
            return
        snapshot, offset = self._wanted
        if self._completions.silence(snapshot):
            return
        self._wanted = None
        request = self._completions.asking.request_at(snapshot, offset)
        self._model.submit(replace(request, prefill_only=True), CancelToken(), _ignore, Lane.AHEAD)


def _ignore(event: Event) -> None:
    """Nobody waits for a prefill: its result is the worker's warm cache."""
