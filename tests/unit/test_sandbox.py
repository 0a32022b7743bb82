"""Somebody's code behind the fence: what it may do, what it tries, and what it ran into. Real runs need
bubblewrap and skip with the refusal where there is none."""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.server.sandbox import Job, Limit, Sandbox, SandboxRefused, open_sandbox, probe
from midfill.server.sandbox.command import Fence
from midfill.server.sandbox.job import limit_hit
from tests.unit.fenced import ROOMY, run, sandbox

__all__ = ["sandbox"]

SECRET = "MIDFILL_SANDBOX_TEST_SECRET"
OPEN = {part: part in ("files", "network") for part in sorted(probe.PARTS)}


def test_a_program_runs_to_its_end_and_says_what_it_has_to_say(sandbox):
    told = run(sandbox, "import sys\nprint('größer')\nprint('no', file=sys.stderr)\nsys.exit(3)")
    assert (told.exit, told.stdout, told.stderr, told.killed) == (3, "größer\n", "no\n", None)
    assert not told.passed
    assert run(sandbox, "assert True").passed


def test_files_lie_side_by_side_and_in_folders_and_cannot_be_changed(sandbox):
    files = (
        ("a/__init__.py", ""),
        ("a/b.py", "VALUE = 7"),
        ("t.py", "from a.b import VALUE; print(VALUE)"),
    )
    start = "import sys; sys.path.insert(0, '/code'); import t; open(t.__file__, 'a')"
    told = sandbox.run(Job(files, ("-I", "-c", start), ROOMY))
    assert (told.stdout, told.exit) == ("7\n", 1)
    assert "Read-only file system" in told.stderr or "Permission denied" in told.stderr


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", ""])
def test_a_file_outside_its_folder_is_refused(name):
    with pytest.raises(ValueError, match="not a path inside"):
        Job(((name, ""),), ())


def test_a_folder_that_is_lent_can_be_read_but_not_written(sandbox, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "lent.txt").write_text("here")
    code = "print(open('/lent/lent.txt').read())\nopen('/lent/new', 'w')"
    told = sandbox.run(replace(Job.of_code(code, ROOMY), folders=((str(tmp_path), "/lent"),)))
    assert (told.stdout, told.exit, os.listdir(tmp_path)) == ("here\n", 1, ["lent.txt"])


def test_the_environment_is_not_the_servers(sandbox, monkeypatch):
    monkeypatch.setenv(SECRET, "hidden")
    told = run(sandbox, "import os; print(sorted(os.environ), os.getcwd())")
    assert "PATH" in told.stdout
    assert "/tmp" in told.stdout
    assert SECRET not in told.stdout


def test_root_inside_is_not_root(sandbox):
    status = run(sandbox, "import os; print(os.getuid()); print(open('/proc/self/status').read())").stdout
    bounds = [line for line in status.splitlines() if line.startswith(("CapEff", "CapPrm", "CapInh"))]
    assert all(set(line.split()[1]) == {"0"} for line in bounds), bounds
    if sandbox.fence.nobody:
        assert status.startswith("65534\n")


def test_without_bubblewrap_nothing_is_run(monkeypatch):
    monkeypatch.setattr(probe.shutil, "which", lambda _: None)
    with pytest.raises(SandboxRefused, match="bubblewrap"):
        open_sandbox()


def fake_bwrap(folder: Path, body: str) -> str:
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "No permissions"),
        ("exit 0", "exit status 0"),
        ("echo '{}'", "exit status 0"),
        (f"echo '{json.dumps(OPEN)}'", "files and network would be open"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")
def test_a_bubblewrap_that_does_not_hold_is_refused(monkeypatch, tmp_path, body, reason):
    monkeypatch.setattr(probe.shutil, "which", lambda _: fake_bwrap(tmp_path, body))
    with pytest.raises(SandboxRefused, match=reason):
        open_sandbox()


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")
def test_a_fence_with_holes_is_seen_by_the_probe(monkeypatch, tmp_path):
    unfenced = 'while [ "$1" != -I ]; do shift; done; shift 2; exec PYTHON -I PROBE "$@"'
    program = tmp_path / "probe.py"
    program.write_text(probe.PROBE)
    body = unfenced.replace("PYTHON", sys.executable).replace("PROBE", str(program))
    monkeypatch.setattr(probe.shutil, "which", lambda _: fake_bwrap(tmp_path, body))
    with pytest.raises(SandboxRefused, match=r"files and .*code .*would be open"):
        open_sandbox()


def test_a_python_that_is_not_there_is_refused(sandbox):
    with pytest.raises(SandboxRefused):
        open_sandbox("/nowhere/bin/python3")


def test_root_without_a_group_becomes_nobody_else_is_refused(monkeypatch):
    monkeypatch.setattr(probe.os, "geteuid", lambda: 0)
    monkeypatch.setattr(probe, "places", tuple)
    assert list(probe._fences("bwrap")) == [Fence("bwrap", nobody=True)]
    monkeypatch.setattr(probe, "places", lambda: ("/g",))
    assert [fence.nobody for fence in probe._fences("bwrap")] == [True, False]
    assert all(fence.groups for fence in probe._fences("bwrap"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_every_way_of_roots_to_be_shut_in_holds(sandbox, monkeypatch):
    with_group = list(probe._fences(sandbox.fence.bwrap))
    for fence in [*with_group, Fence(sandbox.fence.bwrap, nobody=True)]:
        told = Sandbox(fence, sandbox.python).run(probe._probe(Path(sandbox.python)))
        assert probe._open_parts(told) == "", fence


@pytest.mark.parametrize(
    ("code", "last", "limit"),
    [
        (0, "MemoryError", None),
        (1, "MemoryError", Limit.MEMORY),
        (1, "AssertionError: MemoryError", None),
        (128 + signal.SIGXCPU, "", Limit.CPU),
        (1, "OSError: [Errno 28] No space left on device", Limit.SCRATCH),
        (1, "RuntimeError: can't start new thread", Limit.PROCESSES),
    ],
)
def test_the_limit_is_told_by_signal_and_last_words(code, last, limit):
    assert limit_hit(code, f"Traceback\n{last}\n") is limit


def test_which_limit_it_was_is_said_though_another_process_has_only_begun_to_say_so():
    begun = 'Traceback (most recent call last):\n  File "/code/main.py", line 5, in <module>\n'
    said = f"{begun}BlockingIOError: [Errno 11] Resource temporarily unavailable\n{begun}"
    assert limit_hit(1, said) is Limit.PROCESSES
    assert limit_hit(1, f"{said}ValueError: x\n") is None
    assert limit_hit(1, "") is None
