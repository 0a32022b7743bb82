"""LSP base protocol frames over a pair of byte streams (specification, "Base Protocol").

Knows bytes and headers only: no JSON. Each stream has a thread of its own, so that the event loop
neither waits for a slow client nor stops reading cancellations.
"""

import contextlib
import logging
import queue
import re
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024 * 1024
"""A longer announced body is taken for a broken header, not for a message."""
LENGTH_HEADER = re.compile(rb"(?:^|[}\]])content-length[ \t]*:[ \t]*(\S*)[ \t]*$", re.IGNORECASE)
"""Also right behind a body whose own header was broken: so reading finds its way back."""
LENGTH_DIGITS = 20
"""More are no length; Python refuses to convert thousands of them."""
FLUSH_TIMEOUT_S = 1.0
"""How long closing waits for a client that does not read."""


class BrokenFrame(Exception):  # noqa: N818 - the frame is what is broken
    """A header block that announces no usable length. Reading goes on behind it."""


def read_frames(stream: BinaryIO) -> Iterator[bytes | BrokenFrame]:
    """The bodies that arrive on `stream` until it ends. Header names are matched in any case."""
    while (length := _read_headers(stream)) is not None:
        if isinstance(length, BrokenFrame):
            yield length
            continue
        body = stream.read(length)
        if len(body) < length:
            return
        yield body


def _read_headers(stream: BinaryIO) -> int | BrokenFrame | None:
    """The announced length; BrokenFrame for a block without one; None at the end of the stream."""
    length = ""
    seen_any = False
    while line := stream.readline(64 * 1024):
        line = line.rstrip(b"\r\n")
        if not line:
            if seen_any:
                break
            continue  # stray blank lines between messages
        seen_any = True
        if found := LENGTH_HEADER.search(line):
            length = found[1].decode("latin-1")
    else:
        return None
    if length.isdecimal() and len(length) <= LENGTH_DIGITS and int(length) <= MAX_BODY_BYTES:
        return int(length)
    return BrokenFrame("a header block without a usable Content-Length")


class FrameReader:
    """Reads frames on a daemon thread and hands them on in order."""

    def __init__(
        self,
        open_stream: Callable[[], BinaryIO],
        on_frame: Callable[[bytes | BrokenFrame], None],
        on_end: Callable[[], None],
    ) -> None:
        self._open_stream = open_stream
        self._on_frame = on_frame
        self._on_end = on_end

    def start(self) -> None:
        threading.Thread(target=self._run, name="midfill-reader", daemon=True).start()

    def _run(self) -> None:
        try:
            for frame in read_frames(self._open_stream()):
                self._on_frame(frame)
        except (OSError, ValueError) as error:  # ValueError: the stream was closed under us
            log.info("reading ended: %s", error)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is already closed
                self._on_end()


class FrameWriter:
    """pygls' writer: `write` queues and returns, a daemon thread does the blocking part."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        self._on_broken = on_broken
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, stream: BinaryIO) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(stream,), name="midfill-writer", daemon=True
        )
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        """Write what is queued, but wait for no client longer than FLUSH_TIMEOUT_S."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(FLUSH_TIMEOUT_S)

    def _run(self, stream: BinaryIO) -> None:
        try:
            while (data := self._queue.get()) is not None:
                stream.write(data)
                stream.flush()
        except (OSError, ValueError) as error:
            log.info("writing ended: %s", error)
            with contextlib.suppress(RuntimeError):
                self._on_broken()
