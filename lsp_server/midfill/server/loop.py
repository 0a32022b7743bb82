"""The one way from another thread onto the event loop."""

import asyncio
import contextlib
from collections.abc import Callable


def on_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Call `call(*args)` on `loop`, in order with other such calls. Nothing happens once the loop is
    closed: the session is over and nobody waits."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)
