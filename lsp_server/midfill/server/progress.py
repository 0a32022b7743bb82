"""Work-done progress in the client's own place for it (specification, "Work Done Progress").

Nothing here is awaited: a client that never answers `create` simply shows nothing.
"""

import itertools
import logging
from concurrent.futures import Future
from typing import Any

from lsprotocol import types

from midfill.server.wire import Wire

log = logging.getLogger(__name__)

_numbers = itertools.count(1)


class WorkDoneProgress:
    """One piece of work as the client shows it. Silent where the client has no such place."""

    def __init__(self, wire: Wire, supported: bool, title: str, cancellable: bool = False) -> None:
        self._wire = wire
        self._title = title
        self.token = f"midfill-{next(_numbers)}"
        """By which the client cancels it, where that is possible."""
        self._cancellable = cancellable or None  # left out, as it always was
        self._open = False
        self._last: tuple[str, int | None] | None = None
        self._ending: str | None = None
        if supported:
            params = types.WorkDoneProgressCreateParams(token=self.token)
            created = wire.send_request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params)
            created.add_done_callback(self._created)

    def report(self, message: str, fraction: float | None) -> None:
        percentage = None if fraction is None else int(fraction * 100)
        if self._open and (message, percentage) != self._last:
            self._last = (message, percentage)
            self._send(types.WorkDoneProgressReport(message=message, percentage=percentage))

    def end(self, message: str) -> None:
        self._ending = message
        if self._open:
            self._open = False
            self._send(types.WorkDoneProgressEnd(message=message))

    def _created(self, reply: "Future[Any]") -> None:
        if reply.cancelled() or reply.exception() is not None:
            log.info("the client refused a progress token")
            return
        self._open = True
        begin = types.WorkDoneProgressBegin(self._title, cancellable=self._cancellable, percentage=0)
        self._send(begin)
        if self._ending is not None:  # it was over before the client said yes
            self.end(self._ending)

    def _send(
        self,
        value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd,
    ) -> None:
        params = types.ProgressParams(token=self.token, value=value)
        self._wire.notify(types.PROGRESS, params)
