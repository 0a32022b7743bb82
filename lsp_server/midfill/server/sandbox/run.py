"""Starts a job behind its fence, reads what it says, and ends it. Blocks: call it off the event loop."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midfill.server.sandbox.command import Fence, command
from midfill.server.sandbox.groups import group_for
from midfill.server.sandbox.interpreter import pieces_of
from midfill.server.sandbox.job import Job, Limit, Limits, Outcome, limit_hit

CHUNK_BYTES = 65536
STARTER = """
echo 1000 > /proc/self/oom_score_adj
while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done
shift
command -v nice >/dev/null && set -- nice -n 15 "$@"
exec "$@"
"""
"""Of /bin/sh: be the first to go when memory runs out (proc(5)), join the groups, become bubblewrap, behind
everybody else for a core: who types waits for the model, whose thread has a niceness of 5."""


class SandboxRefused(Exception):  # noqa: N818 - a decision, no fault
    """Nothing was run; the text says why, for a human."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One Python behind one fence. Get it from `open_sandbox`, which has tried it."""

    fence: Fence
    python: str

    def run(self, job: Job) -> Outcome:
        """Run `job` and wait for its end, at most its wall clock. Any thread, several at once.

        Raises SandboxRefused if it cannot even be started.
        """
        with contextlib.ExitStack() as stack:
            try:
                joins = stack.enter_context(group_for(self.fence.groups, job.limits))
                descriptors = [stack.enter_context(_in_memory(text)) for _, text in job.files]
                line = command(self.fence, self.python, pieces_of(Path(self.python)), job, descriptors)
                started = time.monotonic()
                process = stack.enter_context(
                    subprocess.Popen(
                        ["/bin/sh", "-c", STARTER, "sandbox", *joins, "--", *line],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                        env={},
                        pass_fds=descriptors,
                        start_new_session=True,
                    )
                )
            except (OSError, ValueError) as error:
                raise SandboxRefused(f"the sandbox does not start: {error}") from error
            try:
                killed, stdout, stderr = _read(process, job.limits, started)
            finally:
                _kill(process)
            code = process.wait()
            seconds = time.monotonic() - started
        code = 128 - code if code < 0 else code
        killed = killed or limit_hit(code, stderr)
        return Outcome(code, stdout, stderr, killed, seconds)


def _read(
    process: "subprocess.Popen[bytes]", limits: Limits, started: float
) -> tuple[Limit | None, str, str]:
    """Both streams, to their ends or to a limit. Whoever holds them open holds the job open."""
    said: dict[object, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    killed = None
    with selectors.DefaultSelector() as streams:
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            streams.register(stream, selectors.EVENT_READ)
        while streams.get_map():
            left = started + limits.wall_s - time.monotonic()
            ready = streams.select(left) if left > 0 else []
            if not ready:
                killed = Limit.WALL
                break
            for key, _ in ready:
                piece = os.read(key.fd, CHUNK_BYTES)
                said[key.fileobj] += piece
                if not piece:
                    streams.unregister(key.fileobj)
            if sum(map(len, said.values())) > limits.output_bytes:
                killed = Limit.OUTPUT
                break
    texts = [bytes(text[: limits.output_bytes]).decode("utf-8", "replace") for text in said.values()]
    if killed is None:
        try:
            process.wait(max(0.0, started + limits.wall_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed = Limit.WALL
    return killed, texts[0], texts[1]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """bubblewrap's end ends all inside: they are in a process namespace of its child's."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _in_memory(text: str) -> Iterator[int]:
    """A descriptor to read `text` from; nothing of it reaches a disk."""
    descriptor = os.memfd_create("midfill")
    try:
        os.write(descriptor, text.encode("utf-8", "replace"))
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
