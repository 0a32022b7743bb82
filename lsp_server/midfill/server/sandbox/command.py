"""The command line of bubblewrap for one job. Starts nothing; of the machine it only asks what
`system_folders` reads.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from midfill.server.sandbox.interpreter import Piece
from midfill.server.sandbox.job import CODE, SCRATCH, Job, Limits

NOBODY = 65534
"""The uid and gid that own nothing."""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""All there is of it. One thread for number libraries: theirs count as processes."""
CLOSED = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup")
CLOSED_USER = ("--unshare-user", "--disable-userns")
"""A user namespace of its own, and none inside it."""
KEPT = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
"""What `DROP` needs, and gives up."""
DROP = (
    "/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
    "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--",
)  # fmt: skip
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True, slots=True)
class Fence:
    """How this machine lets a program be shut in."""

    bwrap: str
    nobody: bool
    """Run as uid 65534, which only root can arrange; else in a user namespace."""
    groups: tuple[str, ...] = ()
    """Folders of the cgroup hierarchy where a group for each job can be made; () if limits of the user
    (rlimits) have to do, which do not bind root."""

    def __str__(self) -> str:
        user = f"as uid {NOBODY}" if self.nobody else "in a user namespace"
        return f"bubblewrap, {user}, processes counted by {'a cgroup' if self.groups else 'rlimit'}"


def command(
    fence: Fence, python: str, pieces: Iterable[Piece], job: Job, descriptors: Sequence[int]
) -> list[str]:
    """bubblewrap around `python`; `descriptors` hold the job's files' texts, in their order."""
    # If this process dies, so does the job; in a session of its own it cannot type into a terminal.
    line = [fence.bwrap, *CLOSED, *(KEPT if fence.nobody else CLOSED_USER)]
    line += ["--die-with-parent", "--new-session", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        line += ["--setenv", name, value]
    line += ["--ro-bind", "/usr", "/usr", *system_folders()]
    line += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    line += ["--proc", "/proc", "--dev", "/dev"]
    line += ["--perms", "1777", "--size", str(job.limits.scratch_bytes), "--tmpfs", SCRATCH]
    for piece in pieces:
        how = "--symlink" if piece.is_link else "--ro-bind"
        line += [*_parents(str(piece.name)), how, str(piece.source), str(piece.name)]
    for here, inside in job.folders:
        line += [*_parents(inside), "--ro-bind", here, inside]
    for (name, _), descriptor in zip(job.files, descriptors, strict=True):
        inside = f"{CODE}/{name}"
        line += [*_parents(inside), "--perms", "0444", "--ro-bind-data", str(descriptor), inside]
    # bubblewrap's own / and /dev (with /dev/shm) are in memory too, and of no set size.
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH, "--"]
    line += [*(DROP if fence.nobody else ()), *_limited(job.limits, counted=bool(fence.groups))]
    return [*line, python, *job.arguments]


def _limited(limits: Limits, counted: bool) -> list[str]:
    """Limits are set inside: bubblewrap needs none, and in a user namespace processes count from 0."""
    line = ["/usr/bin/prlimit", f"--as={limits.memory_bytes}", f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}"]
    line += [f"--fsize={limits.file_bytes}", f"--nofile={limits.open_files}", "--core=0"]
    return [*line, *([] if counted else [f"--nproc={limits.processes}"]), "--"]


def _parents(inside: str) -> Iterator[str]:
    """Make the folders above as anybody may enter them: bubblewrap would give them their source's modes."""
    for folder in reversed(PurePosixPath(inside).parents[:-1]):
        yield from ("--dir", str(folder))


def system_folders() -> Iterator[str]:
    """/bin, /lib and so on as this machine has them: links into /usr, or folders."""
    for name in SYSTEM:
        path = f"/{name}"
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
