"""One session from the first byte to the exit code: streams, event loop, the client's life."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from midfill.server.app import App
from midfill.server.framing import BrokenFrame, FrameReader, FrameWriter
from midfill.server.loop import on_loop
from midfill.server.protocol import register
from midfill.server.transport import Streams, listen, take_stdio
from midfill.server.watch import watch_client

log = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
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
    app = App()
    register(app)
    code = INTERRUPTED
    try:
        code = asyncio.run(_session(app, open_streams))
    except KeyboardInterrupt:
        log.info("interrupted")
    if not app.model.close(CLOSE_TIMEOUT_S):
        # A forward pass still runs; the interpreter's teardown would crash under it.
        os._exit(code)
    return code


async def _session(app: App, open_streams: Callable[[], Streams]) -> int:
    """Run until exit, end of stream or the client's death. Returns the exit code."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_error)
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
    writer.close()
    return code


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a callback or a task of ours raised: the kind only, a message could hold source text."""
    error = context.get("exception")
    log.error("%s: %s", context.get("message", "an error in the event loop"), type(error).__name__)
