"""What is run and what came of it: plain frozen data. Knows nothing of how the fence is made."""

import signal
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

CODE = "/code"
"""Where a job's files lie inside, read-only."""
SCRATCH = "/tmp"
"""The working folder inside: the only place to write, in memory, gone when the job ends."""
MAIN = "main.py"
MIB = 2**20
SIGNALLED = 128
"""A shell's exit status, and bubblewrap's, of a program that signal n ended is 128 + n."""


class Limit(StrEnum):
    """What a job ran into."""

    WALL = "wall clock"
    CPU = "CPU time"
    OUTPUT = "output"
    MEMORY = "memory"
    FILE = "file size"
    SCRATCH = "scratch space"
    PROCESSES = "processes"


LAST_WORDS = (
    ("MemoryError", Limit.MEMORY),
    ("OSError: [Errno 27]", Limit.FILE),
    ("OSError: [Errno 28]", Limit.SCRATCH),
    ("BlockingIOError: [Errno 11]", Limit.PROCESSES),
    ("RuntimeError: can't start new thread", Limit.PROCESSES),
)
"""How a traceback ends, and the limit that this tells of (errno(3): EFBIG, ENOSPC, EAGAIN)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults: the wall clock is HumanEval's own harness's; the others are inference.md §6's."""

    wall_s: float = 3.0
    cpu_s: int = 10
    """Of each process."""
    memory_bytes: int = 1024 * MIB
    """Address space of each process; of all together where a memory cgroup can be had."""
    processes: int = 32
    """Threads count as well."""
    file_bytes: int = 16 * MIB
    scratch_bytes: int = 64 * MIB
    open_files: int = 64
    output_bytes: int = MIB
    """Of standard output and standard error together."""


@dataclass(frozen=True, slots=True)
class Job:
    """`arguments` go to the sandbox's Python; `files` lie under CODE, by their relative paths there.

    Raises ValueError for a path that would leave CODE.
    """

    files: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    folders: tuple[tuple[str, str], ...] = ()
    """Folders of this machine to be read inside: (here, inside). The caller answers for what is in them."""

    def __post_init__(self) -> None:
        for name, _ in self.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ValueError(f"not a path inside {CODE}: {name!r}")

    @classmethod
    def of_code(cls, code: str, limits: Limits | None = None) -> "Job":
        """One program, started as a file of its own, isolated from the environment (`python -I`)."""
        return cls(((MAIN, code),), ("-I", f"{CODE}/{MAIN}"), limits or Limits())


@dataclass(frozen=True, slots=True)
class Outcome:
    exit: int
    """The program's exit status; 128 + n if signal n ended it."""
    stdout: str
    stderr: str
    killed: Limit | None = None
    """The limit that ended it: WALL and OUTPUT are seen from outside, CPU by its signal; of the others
    the traceback tells, so that code which wants to can hide or forge them."""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.exit == 0 and self.killed is None

    @property
    def timed_out(self) -> bool:
        return self.killed is Limit.WALL


def limit_hit(exit_code: int, stderr: str) -> Limit | None:
    """Which limit a program that was not stopped from outside ended by, as far as it can be told."""
    if exit_code == SIGNALLED + signal.SIGXCPU:
        return Limit.CPU
    if exit_code == 0:
        return None
    # The last that says something: where many processes end at once, one may have only begun to say why.
    said = [
        line for line in stderr.splitlines() if line.strip() and not line.startswith((" ", "Traceback "))
    ]
    last = said[-1] if said else ""
    return next((limit for words, limit in LAST_WORDS if last.startswith(words)), None)
