"""One session from the first byte to the exit code: streams, event loop, the client's life."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from midfill.server.app import App
from midfill.server.framing import BrokenFrame, FrameReader, FrameWriter
from midfill.server.loop import on_loop
from midfill.server.protocol import register
from midfill.server.transport import Streams, listen, take_stdio
from midfill.server.watch import watch_client

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
"""A forward pass that takes longer than this is not waited for."""


def serve_stdio() -> int:
    """Serve the client at the other end of stdin and stdout. Returns the process's exit code."""
    streams = take_stdio()
    return _run(lambda: streams)


def serve_tcp(host: str, port: int) -> int:
    """Serve one client over TCP; says on stderr where it listens. Raises OSError."""
    address, accept = listen(host, port)
    sys.stderr.write(f"midfill: listening on {address}\n")
    sys.stderr.flush()
    return _run(accept)


def _run(open_streams: Callable[[], Streams]) -> int:
    code, clean = asyncio.run(_session(open_streams))
    if not clean:
        # A forward pass still runs; the interpreter's teardown would crash under it.
        os._exit(code)
    return code


async def _session(open_streams: Callable[[], Streams]) -> tuple[int, bool]:
    """Run until exit, end of stream or the client's death. Returns the exit code, and whether every
    thread that uses the device has ended."""
    loop = asyncio.get_running_loop()
    app = App()
    register(app)
    app.exited = loop.create_future()
    logging.getLogger("midfill").addHandler(app.client_log)

    writer = FrameWriter(on_broken=lambda: on_loop(loop, app.exit, 1))
    app.server.protocol.set_writer(writer)

    def open_reader() -> BinaryIO:
        streams = open_streams()
        writer.start(streams.writer)
        return streams.reader

    def receive(frame: bytes | BrokenFrame) -> None:
        on_loop(loop, app.server.protocol.receive, frame)

    FrameReader(open_reader, receive, lambda: on_loop(loop, app.exit, 1)).start()
    watcher = loop.create_task(watch_client(app))
    code = await app.exited
    watcher.cancel()
    logging.getLogger("midfill").removeHandler(app.client_log)
    clean = await asyncio.to_thread(app.model.close, CLOSE_TIMEOUT_S)
    writer.close()
    return code, clean
