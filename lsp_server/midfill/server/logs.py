"""Logging: to stderr from the start, and to the client's log once it listens.

No source text below TRACE (invariant 7): pygls logs whole messages, so its loggers are silent unless
tracing.
"""

import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext

from lsprotocol import types

TRACE = 5
LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
}
LIBRARIES = ("pygls", "httpx2", "httpcore2", "huggingface_hub", "transformers", "asyncio")
BUFFERED_RECORDS = 200
"""Records kept for a client that has not said `initialized` yet."""

_MESSAGE_TYPES = (
    (logging.ERROR, types.MessageType.Error),
    (logging.WARNING, types.MessageType.Warning),
    (logging.INFO, types.MessageType.Info),
    (TRACE, types.MessageType.Log),
)


def configure(level: str = "info") -> None:
    """Log to stderr at `level`, one line a record."""
    logging.addLevelName(TRACE, "TRACE")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    number = LEVELS[level]
    logging.getLogger("midfill").setLevel(number)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG if number <= TRACE else logging.CRITICAL)


class ClientLog(logging.Handler):
    """Forwards Midfill's own records as `window/logMessage`; keeps them until `connect` is called."""

    def __init__(self) -> None:
        super().__init__()
        self._send: Callable[[types.LogMessageParams], None] | None = None
        self._kept: list[types.LogMessageParams] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def connect(self, send: Callable[[types.LogMessageParams], None]) -> None:
        """`send` may be called from any thread."""
        with self.lock or nullcontext():  # `emit` holds it too: nothing is lost or overtaken
            self._send = send
            kept, self._kept = self._kept, []
            for params in kept:
                send(params)

    def emit(self, record: logging.LogRecord) -> None:
        kind = next((kind for level, kind in _MESSAGE_TYPES if record.levelno >= level), None)
        if kind is None:
            return
        params = types.LogMessageParams(type=kind, message=self.format(record))
        if self._send is not None:
            self._send(params)
        elif len(self._kept) < BUFFERED_RECORDS:
            self._kept.append(params)
