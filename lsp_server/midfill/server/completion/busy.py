"""Says that somebody waits, when somebody has waited for a while. Event loop only."""

import asyncio
import contextlib
from collections.abc import Iterator

from midfill.server.model_host import ModelHost

BUSY_AFTER_S = 0.3
"""A request that takes longer shows as busy; quicker ones would only make the status bar flicker."""


@contextlib.contextmanager
def shown_as_busy(model: ModelHost) -> Iterator[None]:
    """Whoever is inside waits for `model`."""
    waited = False

    def show() -> None:
        nonlocal waited
        waited = True
        model.began_waiting()

    timer = asyncio.get_running_loop().call_later(BUSY_AFTER_S, show)
    try:
        yield
    finally:
        timer.cancel()
        if waited:
            model.stopped_waiting()
