"""The command line of the fence, and groups: all that needs no bubblewrap."""

from itertools import pairwise
from pathlib import Path

import pytest

from midfill.server.sandbox import Job, Limits
from midfill.server.sandbox.command import ENVIRONMENT, Fence, command
from midfill.server.sandbox.groups import OWN_PROCESSES, group_for
from midfill.server.sandbox.interpreter import Piece

USER = Fence("bwrap", nobody=False)
ROOT = Fence("bwrap", nobody=True)
GROUPED = Fence("bwrap", nobody=True, groups=("/group",))
JOB = Job((("deep/in/t.py", "pass"),), ("-I", "/code/deep/in/t.py"), Limits(scratch_bytes=4096))
PIECES = (
    Piece(Path("/opt/python/bin/python"), Path("/opt/python/bin/python3"), is_link=True),
    Piece(Path("/opt/python/lib/python3.12"), Path("/opt/python-3.12.1/lib/python3.12")),
)


def split(fence: Fence) -> tuple[list[str], list[str]]:
    """What bubblewrap is told, and what it is to start."""
    line = command(fence, "/opt/python/bin/python", PIECES, JOB, [9])
    at = line.index("--")
    return line[:at], line[at + 1 :]


def pairs(line: list[str]) -> set[tuple[str, ...]]:
    return set(pairwise(line))


@pytest.mark.parametrize("fence", [USER, ROOT, GROUPED], ids=str)
def test_every_fence_shuts_out_network_processes_environment_and_terminal(fence):
    fenced, _ = split(fence)
    for flag in ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--clearenv", "--new-session"):
        assert flag in fenced
    assert "--die-with-parent" in fenced
    assert "--bind" not in fenced  # nothing of this machine can be written
    named = {fenced[at + 1] for at, word in enumerate(fenced) if word == "--setenv"}
    assert named == ENVIRONMENT.keys()


@pytest.mark.parametrize("fence", [USER, ROOT, GROUPED], ids=str)
def test_what_can_be_written_has_a_size_and_the_rest_is_closed_last(fence):
    fenced, _ = split(fence)
    assert fenced.count("--tmpfs") == 1
    at = fenced.index("--tmpfs")
    assert fenced[at - 2 : at + 2] == ["--size", "4096", "--tmpfs", "/tmp"]
    assert fenced[-6:] == ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]


def test_code_comes_in_by_a_descriptor_readable_for_anybody_its_folders_too():
    fenced, _ = split(ROOT)
    at = fenced.index("--ro-bind-data")
    assert fenced[at - 2 : at + 3] == ["--perms", "0444", "--ro-bind-data", "9", "/code/deep/in/t.py"]
    assert pairs(fenced) >= {("--dir", "/code"), ("--dir", "/code/deep"), ("--dir", "/code/deep/in")}


def test_pieces_of_an_interpreter_are_read_only_and_its_links_stay_links():
    fenced, _ = split(USER)
    for how, piece in zip(("--symlink", "--ro-bind"), PIECES, strict=True):
        at = fenced.index(str(piece.name))
        assert fenced[at - 2 : at] == [how, str(piece.source)]
    assert pairs(fenced) >= {("--dir", "/opt"), ("--dir", "/opt/python"), ("--dir", "/opt/python/lib")}


def test_root_becomes_nobody_before_anything_of_the_job_runs():
    _, started = split(ROOT)
    assert started[0].endswith("/setpriv")
    assert {"--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"} <= set(started)
    assert started.index("--no-new-privs") < started.index("/opt/python/bin/python")


def test_a_user_gets_a_namespace_that_allows_no_further_one_and_no_capability():
    fenced, started = split(USER)
    assert {"--unshare-user", "--disable-userns"} <= set(fenced)
    assert "--cap-add" not in fenced
    assert not started[0].endswith("/setpriv")


def test_processes_are_counted_by_the_group_or_by_the_limit():
    assert "--nproc=32" in split(USER)[1]
    assert "--nproc=32" in split(ROOT)[1]
    assert not any(word.startswith("--nproc") for word in split(GROUPED)[1])
    for word in ("--cpu=10:11", "--core=0", f"--as={2**30}", f"--fsize={2**24}", "--nofile=64"):
        assert word in split(GROUPED)[1]


def test_a_group_holds_so_many_processes_and_is_removed(tmp_path):
    kept = []
    with group_for((str(tmp_path),), Limits(processes=5)) as joins:
        (group,) = tmp_path.iterdir()
        assert joins == (str(group / "cgroup.procs"),)
        assert (group / "pids.max").read_text() == str(5 + OWN_PROCESSES)
        kept.append(group)
        (group / "pids.max").unlink()  # a real group's files go with it
    assert not kept[0].exists()


def test_a_place_where_no_group_can_be_made_says_so(tmp_path):
    with pytest.raises(OSError, match="nowhere"), group_for((str(tmp_path / "nowhere"),), Limits()):
        pass
