"""Where the byte streams come from: standard input and output, or one TCP connection.

Also the guard on stdout (invariant 7): whatever else prints in this process ends up on stderr.
"""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

STDIN_FD = 0
STDOUT_FD = 1
STDERR_FD = 2


@dataclass(frozen=True, slots=True)
class Streams:
    reader: BinaryIO
    writer: BinaryIO


def take_stdio() -> Streams:
    """The client's two pipes, moved to descriptors of our own.

    From here on descriptor 1 and `sys.stdout` lead to stderr, for Python's `print` and for C libraries
    alike, and descriptor 0 is empty: a child process cannot swallow messages. (A daemon thread that
    blocks in `sys.stdin` itself would also abort the interpreter's shutdown.)
    """
    reader = os.fdopen(os.dup(STDIN_FD), "rb")
    writer = os.fdopen(os.dup(STDOUT_FD), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN_FD)
    os.close(nothing)
    os.dup2(STDERR_FD, STDOUT_FD)
    sys.stdout = sys.stderr
    return Streams(reader, writer)


def listen(host: str, port: int) -> tuple[str, Callable[[], Streams]]:
    """Listen on `host`:`port` (0: any free port). Returns the address, and a call that waits for the
    one client that is served. Raises OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    bound = listener.getsockname()

    def accept() -> Streams:
        connection, _ = listener.accept()
        listener.close()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Streams(connection.makefile("rb"), connection.makefile("wb"))

    return f"{bound[0]}:{bound[1]}", accept
