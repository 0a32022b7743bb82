"""One process at a time works on one model. Knows nothing of what the work is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from midfill.model.errors import ModelError

LOCK_POLL_S = 1.0
"""How often whoever waits for another process says so, and can be cancelled."""


@contextmanager
def locked(path: Path, on_wait: Callable[[], None] | None = None, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path`. While another holds it `on_wait` is called each second, and may raise.

    With `wait` off, raises ModelError instead of waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    timeout = 0.0
    while True:
        try:
            lock.acquire(timeout=timeout)
            break
        except Timeout:
            if not wait:
                raise ModelError(
                    f"Another Midfill is working on {path.stem}: try again when it is done."
                ) from None
            if on_wait:
                on_wait()
            timeout = LOCK_POLL_S
    try:
        yield
    finally:
        lock.release()
