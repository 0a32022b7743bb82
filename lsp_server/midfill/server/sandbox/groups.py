"""A control group for one job: the kernel counts its processes, and its memory, whoever they run as."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from midfill.server.sandbox.job import Limits

ROOT = Path("/sys/fs/cgroup")
PLACES = ((ROOT / "pids",), (ROOT,))
"""Version 1's hierarchy of processes, and version 2's only one (cgroups(7))."""
OWN_PROCESSES = 3
"""bubblewrap's own: outside, inside, and one on its way."""
END_S = 1.0
"""How long killed processes may take to be gone; most are in a millisecond."""

_numbers = count()


def places() -> tuple[str, ...]:
    """Where a group that counts processes can be made; () where nowhere."""
    for folders in PLACES:
        try:
            with group_for(tuple(map(str, folders)), Limits()):
                return tuple(map(str, folders))
        except OSError:
            continue
    return ()


@contextlib.contextmanager
def group_for(folders: Sequence[str], limits: Limits) -> Iterator[tuple[str, ...]]:
    """Make a group below each of `folders` and remove it at the end; the files that a process joins by.

    Raises OSError where it cannot be made, or does not count processes.
    """
    made: list[Path] = []
    try:
        for folder in folders:
            group = Path(folder) / f"midfill-{os.getpid()}-{next(_numbers)}"
            group.mkdir()
            made.append(group)
            (group / "pids.max").write_text(str(limits.processes + OWN_PROCESSES))
            if (group / "memory.max").exists():
                (group / "memory.max").write_text(str(limits.memory_bytes + limits.scratch_bytes))
        yield tuple(str(group / "cgroup.procs") for group in made)
    finally:
        for group in made:
            _remove(group)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + END_S
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() < deadline:
                time.sleep(0.001)
                continue
        return
