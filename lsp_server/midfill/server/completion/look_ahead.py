"""Writes the suggestion that comes after the one on the screen, while the device is idle.

One call for each suggestion shown, pre-empted by any request (Lane.AHEAD). Event loop only.
"""

import asyncio

from midfill.server.completion.asking import Asking
from midfill.server.completion.decodes import Decodes
from midfill.server.completion.reuse import Cache, Shown
from midfill.server.completion.speculate import after_accept
from midfill.server.documents import DocumentStore

AFTER_S = 0.2
"""A suggestion is looked at for this long first: what the next key contradicts leads nowhere."""


class LookAhead:
    def __init__(self, documents: DocumentStore, decodes: Decodes, cache: Cache, asking: Asking) -> None:
        self._documents = documents
        self._decodes = decodes
        self._cache = cache
        self._asking = asking
        self._timer: asyncio.TimerHandle | None = None

    def soon(self, shown: Shown) -> None:
        """`shown` is on the screen, or what is left of it: the last one counts."""
        self.stop()
        if not shown.looked_ahead:
            self._timer = asyncio.get_running_loop().call_later(AFTER_S, self._look, shown)

    def stop(self) -> None:
        """What was shown is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, shown: Shown) -> None:
        now = self._documents.snapshot(shown.snapshot.uri)
        if now is None or not shown.alive_in(now):
            return
        if not self._decodes.idle or not self._asking.may_look_ahead:
            return
        shown.looked_ahead = True
        place = after_accept(shown)
        if place is not None and not self._cache.has(*place):
            self._decodes.look_ahead(*place, shown, self._asking.request_at(*place))
