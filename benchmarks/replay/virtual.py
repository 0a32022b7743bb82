"""A virtual clock: an event loop whose time stands still while anything runs, and jumps to the next timer.

Hours of typing pass in seconds, and the same program gives the same times on every machine. Whatever would
run on another thread runs here at once: a thread has a clock of its own.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class NothingLeft(RuntimeError):  # noqa: N818 - the name says it
    """Everybody waits and no timer is set: on a real clock this would hang."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is in virtual seconds, from 0."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self._jump))

    def time(self) -> float:
        return self._now

    def run_in_executor(  # type: ignore[override]  # the arguments' own types matter to nobody here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def _jump(self, seconds: float) -> None:
        self._now += seconds


class _Jumping(selectors.DefaultSelector):
    """Where the loop would sleep for its next timer, it is told that the time has passed."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise NothingLeft("nothing is ready and no timer is set")
        self._jump(timeout)
        return ready


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """`main` on a virtual clock of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
