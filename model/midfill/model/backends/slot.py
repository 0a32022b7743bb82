"""One model that comes and goes: off, being read on a thread of its own, or ready.

Knows what it holds and since when nobody asked; when to load and unload, and beside what, is for `pair.py`.
Everything but the reading runs on the model thread.
"""

import logging
import threading
from collections.abc import Callable, Generator

from midfill.model.api import LoadProgress, ModelInfo
from midfill.model.backends.base import Report, TwoStep, load_whole, most_chats_of, warm
from midfill.model.errors import ModelError, NotNow

log = logging.getLogger(__name__)

POLL_S = 0.005
"""How long one `next()` waits for the reader. A completion that comes meanwhile waits no longer."""


class _Abandoned(BaseException):
    """Nobody wants what is being read any more. No `except Exception` on its way may stop it."""


class Slot:
    """See the module. `make` is called anew for each load; `clock` counts seconds."""

    def __init__(self, make: Callable[[], TwoStep], clock: Callable[[], float]) -> None:
        self.info: ModelInfo | None = None
        """Of the model that is ready; None while there is none."""
        self.used = clock()
        """When it last had to do with a request."""
        self._make = make
        self._clock = clock
        self._backend: TwoStep | None = None
        self._reader: threading.Thread | None = None
        self._read = threading.Event()
        self._unwanted = threading.Event()
        self._failure: BaseException | None = None

    @property
    def backend(self) -> TwoStep:
        """What answers. Raises NotNow when nothing is ready."""
        if self.info is None or self._backend is None:
            raise NotNow("the model is not loaded")
        return self._backend

    @property
    def off(self) -> bool:
        """Whether it holds no memory: neither ready nor being loaded."""
        return self._backend is None and self._reader is None

    @property
    def most_chats(self) -> int:
        """See `most_chats_of`. What is not loaded yet may turn out to take one."""
        return most_chats_of(self._backend) if self.info is not None else 1

    def touch(self) -> None:
        self.used = self._clock()

    def load(self, report: Report) -> ModelInfo:
        """Load here and now. Raises as `Backend.load` does."""
        backend = self._backend = self._make()
        try:
            self.info = load_whole(backend, report)
        except BaseException:
            self.close()
            raise
        self.touch()
        return self.info

    def make_ready(self, report: Report) -> Generator[None, None, None]:
        """Load, if need be, in steps of POLL_S or one forward pass. Raises as `Backend.load` does.

        May be left off and begun again by another caller: what was read so far goes on.
        """
        if self.info is not None:
            return
        self.begin(report)
        while not self._read.wait(POLL_S):
            yield
        try:
            backend = self._settled()
            info = yield from warm(backend, report)
        except Exception:
            self.close()
            raise
        self.info = info
        self.touch()

    def begin(self, report: Report) -> None:
        """Start reading, unless that is under way, on a thread of its own; returns at once."""
        if not self.off:
            return
        self._read.clear()
        self._unwanted.clear()
        self._failure = None

        def checked(progress: LoadProgress) -> None:
            if self._unwanted.is_set():
                raise _Abandoned
            report(progress)

        def read() -> None:
            try:
                self._backend = self._make()
                self._backend.read(checked)
            except BaseException as error:
                self._failure = error
            finally:
                self._read.set()

        self._reader = threading.Thread(target=read, name="midfill-read", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Free the memory. Waits for a reader to notice."""
        self._unwanted.set()
        if self._reader is not None:
            self._reader.join()
        if self._backend is not None:
            self._backend.close()
        self._backend = self._reader = self.info = None

    def _settled(self) -> TwoStep:
        """What was read. Raises what the reader raised."""
        if self._reader is not None:
            self._reader.join()
        match self._failure:
            case ModelError():
                raise self._failure
            case Exception():
                log.error("loading failed", exc_info=self._failure)
                raise ModelError(f"loading failed: {type(self._failure).__name__}: {self._failure}")
            case BaseException():  # the load was abandoned
                raise self._failure
        assert self._backend is not None, "read, and not closed since"
        return self._backend
