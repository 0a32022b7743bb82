"""Brings a session's counts to disk, off the event loop, now and then and at its end; off where the user
does not want it.

Nothing that goes wrong here reaches an editor: it is logged, once.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from midfill.server.completion.run import Answer, Run
from midfill.server.documents import DocumentStore
from midfill.server.settings import Settings
from midfill.server.statistics.days import Days, default_folder
from midfill.server.statistics.figures import figures
from midfill.server.statistics.observer import Observer
from midfill.server.text import DocumentSnapshot

log = logging.getLogger(__name__)

WRITE_AFTER_S = 60.0
"""A server that is killed loses the counts of this long."""


class Recorder:
    """Event loop only, but for the writing."""

    def __init__(self, documents: DocumentStore, settings: Callable[[], Settings]) -> None:
        self._documents = documents
        self._settings = settings
        folder = default_folder()
        self._days = Days(folder) if folder else None
        self._observer = self._new_observer()
        self._timer: asyncio.TimerHandle | None = None
        self._writing = threading.Lock()
        self._complained = False

    def answered(self, run: Run, answer: Answer) -> None:
        self._observe(lambda observer: observer.answered(run, answer))

    def changed(self, now: DocumentSnapshot) -> None:
        self._observe(lambda observer: observer.changed(now))

    def accepted(self, uri: str) -> None:
        self._observe(lambda observer: observer.accepted(uri))

    def closed(self, uri: str) -> None:
        self._observe(lambda observer: observer.closed(uri))

    async def figures(self, days: int | None) -> dict[str, Any]:
        """What `midfill stats --json` says, this session up to now included."""
        counts = self._take()
        return await asyncio.to_thread(self._write_and_sum, counts, days)

    def close(self) -> None:
        """The session ends: write what is left, which takes a few milliseconds."""
        self._observe(lambda observer: observer.close())
        if self._timer is not None:
            self._timer.cancel()
        self._write(self._take())

    @property
    def is_on(self) -> bool:
        return self._days is not None and self._settings().statistics == "on"

    def _observe(self, tell: Callable[[Observer], None]) -> None:
        if not self.is_on:
            self._observer = self._new_observer()
            return
        try:
            tell(self._observer)
        except Exception as error:
            self._complain(error)
        if self._timer is None and self._observer.counts:
            self._timer = asyncio.get_running_loop().call_later(WRITE_AFTER_S, self._write_soon)

    def _new_observer(self) -> Observer:
        return Observer(_now, _later, self._documents.snapshot)

    def _take(self) -> Counter[str]:
        counts, self._observer.counts = self._observer.counts, Counter()
        return counts

    def _write_soon(self) -> None:
        self._timer = None
        asyncio.get_running_loop().run_in_executor(None, self._write, self._take())

    def _write(self, counts: Counter[str]) -> None:
        if self._days is None or not counts:
            return
        with self._writing:
            try:
                self._days.add(datetime.now().date().isoformat(), counts)
            except OSError as error:
                self._complain(error)

    def _write_and_sum(self, counts: Counter[str], days: int | None) -> dict[str, Any]:
        self._write(counts)
        return figures(self._days.read(days) if self._days else {})

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            log.warning("statistics are incomplete: %s", type(error).__name__)
        self._complained = True


def _now() -> float:
    return asyncio.get_running_loop().time()


def _later(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)
