"""One completion request on its way: its cancel token, its mailbox, and what it has so far.

Lives on the event loop; only `deliver` is called by the model thread.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

from midfill.model import CancelReason, CancelToken, Chunk, Event, Finish
from midfill.server.completion.cleanup import Suggestion
from midfill.server.completion.cursor import Trigger
from midfill.server.loop import on_loop
from midfill.server.text import DocumentSnapshot


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request ends with. Exactly one of: a suggestion; nothing, and why; superseded."""

    suggestion: Suggestion | None = None
    reason: str = ""
    superseded: bool = False
    """The request's place is gone: the editor keeps what it shows (`null`, not an empty list)."""
    finish: Finish | None = None


class Interrupted(Exception):  # noqa: N818 - not a fault
    """The run was superseded, or the text it answers is gone."""


@dataclass(slots=True, eq=False)
class Run:
    snapshot: DocumentSnapshot
    offset: int
    trigger: Trigger
    token: CancelToken = field(default_factory=CancelToken)
    text: str = ""
    """What the model has written so far."""
    _mailbox: "asyncio.Queue[Event | None]" = field(default_factory=asyncio.Queue)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def deliver(self, event: Event) -> None:
        """Called on the model thread for every event."""
        on_loop(self._loop, self._mailbox.put_nowait, event)

    def interrupt(self, reason: CancelReason) -> None:
        """End the run now: the model stops within a step, whoever waits below wakes at once."""
        if self.token.cancel(reason):
            self._mailbox.put_nowait(None)

    async def rest(self, seconds: float) -> None:
        """Wait `seconds`. Raises Interrupted as soon as the run is interrupted."""
        if seconds <= 0:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next()

    async def collect(self) -> Finish:
        """Take events until the last. Raises Interrupted as soon as the run is interrupted."""
        while True:
            event = await self._next()
            if isinstance(event, Finish):
                return event
            self.text += event.text

    async def _next(self) -> Chunk | Finish:
        event = await self._mailbox.get()
        if event is None:
            raise Interrupted
        return event
