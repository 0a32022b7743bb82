"""A backend with a safety filter's model beside it: loaded at the first request to it, unloaded when idle.

What is asked of it and what its verdicts mean is the server's business (`actions/safety.py`).
"""

import time
from collections.abc import Callable, Generator
from dataclasses import replace

from midfill.model.api import ChatRequest, Chunk, Event, LoadProgress, ModelInfo, Request
from midfill.model.backends.base import Backend, Report, Resting, TwoStep, most_chats_of
from midfill.model.backends.slot import Slot


class FilteredBackend:
    """See `Backend`. `unload_after_s`: seconds without a request to the filter; 0 means never."""

    def __init__(
        self,
        backend: Backend,
        make_filter: Callable[[], TwoStep],
        name: str,
        unload_after_s: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend, self._name, self._clock = backend, name, clock
        self._filter = Slot(make_filter, clock)
        self._unload_after_s = unload_after_s
        self._report: Report = lambda _: None
        self._last = LoadProgress("ready", "")
        """What the other models were last said to be: said again once the filter is loaded."""

    def load(self, report: Report) -> ModelInfo:
        """Load all but the filter. `report` is kept: loading that one goes there as well."""
        self._report = report

        def keep(progress: LoadProgress) -> None:
            self._last = progress
            report(progress)

        info = self._backend.load(keep)
        self._last = LoadProgress("ready", "")
        return info

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """See `Backend.stream`. A filter that cannot be loaded raises ModelError, every time."""
        if not (isinstance(request, ChatRequest) and request.to_filter):
            yield from self._backend.stream(request)
            return
        self._filter.touch()
        if self._filter.info is None:
            yield from self._loaded()
        try:
            yield from self._filter.backend.stream(replace(request, to_filter=False))
        finally:
            self._filter.touch()

    def rest(self) -> float | None:
        """See `Resting.rest`."""
        due = [self._backend.rest() if isinstance(self._backend, Resting) else None, self._unload_idle()]
        return min((seconds for seconds in due if seconds is not None), default=None)

    @property
    def most_chats(self) -> int:
        """See `most_chats_of`."""
        return min(most_chats_of(self._backend), self._filter.most_chats)

    def count_tokens(self, text: str) -> int:
        """As the model that completes counts."""
        return self._backend.count_tokens(text)

    def close(self) -> None:
        """Free the device."""
        self._filter.close()
        self._backend.close()

    def _loaded(self) -> Generator[Event, None, None]:
        def say(progress: LoadProgress) -> None:
            told = f"loading {self._name} for the safety filter"
            self._report(LoadProgress(progress.stage, told, progress.fraction))

        say(LoadProgress("load", ""))
        try:
            for _ in self._filter.make_ready(say):
                yield Chunk()
        finally:
            self._report(self._last)

    def _unload_idle(self) -> float | None:
        if not self._unload_after_s or self._filter.off:
            return None
        left_s = self._filter.used + self._unload_after_s - self._clock()
        if left_s > 0:
            return left_s
        self._filter.close()
        return None
