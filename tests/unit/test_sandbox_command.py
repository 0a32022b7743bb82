"""The command line of the fence, and the folders that a Python needs: all that needs no bubblewrap."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from midfill.server.sandbox import Job, Limits
from midfill.server.sandbox.command import ENVIRONMENT, Fence, command
from midfill.server.sandbox.groups import OWN_PROCESSES, group_for
from midfill.server.sandbox.interpreter import folders_of

USER = Fence("bwrap", nobody=False)
ROOT = Fence("bwrap", nobody=True)
GROUPED = Fence("bwrap", nobody=True, groups=("/group",))
JOB = Job((("deep/in/t.py", "pass"),), ("-I", "/code/deep/in/t.py"), Limits(scratch_bytes=4096))


def split(fence: Fence) -> tuple[list[str], list[str]]:
    """What bubblewrap is told, and what it is to start."""
    line = command(fence, "/opt/python/bin/python", [Path("/opt/python")], JOB, [9])
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


# --- interpreters ------------------------------------------------------------------------------------


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("")
    return path


def test_a_venvs_python_needs_the_installation_that_its_links_lead_to(tmp_path):
    real = make_program(tmp_path / "opt/python-3.12.1/bin/python3.12")
    (tmp_path / "opt/python-3.12").symlink_to("python-3.12.1")
    venv = tmp_path / "project/.venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python3").symlink_to(tmp_path / "opt/python-3.12/bin/python3.12")
    (venv / "bin/python").symlink_to("python3")
    assert folders_of(venv / "bin/python") == (
        venv,
        tmp_path / "opt/python-3.12",
        real.parents[1],
    )


def test_a_copied_interpreter_is_traced_by_its_marker(tmp_path):
    base = make_program(tmp_path / "opt/bin/python3").parents[1]
    venv = make_program(tmp_path / "venv/bin/python3").parents[1]
    (venv / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = 3.12.1\n")
    assert folders_of(venv / "bin/python3") == (venv, base)


def test_the_systems_python_needs_nothing_more():
    assert folders_of(Path("/usr/bin/env")) == ()


def test_a_python_whose_folder_holds_the_home_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home/me"))
    make_program(tmp_path / "home/me/bin/python3")
    make_program(tmp_path / "home/bin/python3")
    for place in ("home/me/bin/python3", "home/bin/python3"):
        with pytest.raises(ValueError, match="holds the home folder"):
            folders_of(tmp_path / place)


def test_links_that_go_round_are_refused(tmp_path):
    (tmp_path / "bin").mkdir()
    os.symlink("b", tmp_path / "bin/a")
    os.symlink("a", tmp_path / "bin/b")
    with pytest.raises((ValueError, OSError)):
        folders_of(tmp_path / "bin/a")
