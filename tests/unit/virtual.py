"""Async tests on the replay's virtual clock: timers fire in order and at once, on every machine alike."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.replay.virtual import run


def on_virtual_clock(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on a loop of its own whose time is virtual; a wait without a timer raises."""

    @functools.wraps(test)
    def virtually(*args: Any, **named: Any) -> None:
        run(test(*args, **named))

    return virtually
