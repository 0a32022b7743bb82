"""What hostile code tries, and what stops it. Without bubblewrap it skips, and says so."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.server.sandbox import SCRATCH, Limit, Limits
from midfill.server.sandbox.interpreter import pieces_of
from tests.unit.fenced import ROOMY, run, sandbox

__all__ = ["sandbox"]

BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        {survive}
"""
COUNT_CHILDREN = """
import os, time
children = 0
try:
    while children < 500:
        if os.fork() == 0:
            time.sleep(60)
        children += 1
except OSError:
    print(children, flush=True)
os._exit(0)
"""
FILL = """
for n in range(99):
    open(f"{at}/{{n}}", "wb").write(b"x" * 2**20)
"""
DEAF = """
import signal, time
for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
time.sleep(60)
"""
RUNAWAY = """
import os, time
if os.fork():
    os.wait()
else:
    os.setsid()
    if os.fork():
        os.wait()
    time.sleep(60)
"""


def test_the_network_is_out_of_reach_even_this_machines(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)"
        assert run(sandbox, code).stderr.rstrip().endswith(("refused", "unreachable"))
    told = run(sandbox, "import socket\nsocket.create_connection(('192.0.2.1', 80), 5)")
    assert "unreachable" in told.stderr


@pytest.mark.parametrize("survive", ["raise", "pass"])
def test_a_fork_bomb_is_counted_and_cleared_away(sandbox, survive):
    told = run(sandbox, BOMB.format(survive=survive), Limits(wall_s=2.0))
    assert told.killed in (Limit.PROCESSES, Limit.WALL)
    forked = int(run(sandbox, COUNT_CHILDREN, replace(ROOMY, processes=10)).stdout)
    assert 5 <= forked <= 12  # bubblewrap's own are in the count


def test_the_disk_cannot_be_filled(sandbox):
    small = replace(ROOMY, scratch_bytes=8 * 2**20)
    assert run(sandbox, FILL.format(at="/tmp"), small).killed is Limit.SCRATCH
    for place in ("/dev/shm", "", "/code", "/dev", "/usr"):
        told = run(sandbox, FILL.format(at=place), small)
        assert told.stderr.rstrip().endswith(("'" + place + "/0'",)), told.stderr
        assert "Read-only" in told.stderr or "Permission denied" in told.stderr
    assert run(sandbox, "open('a', 'wb').write(b'x' * 2**22)", replace(ROOMY, file_bytes=2**20)).killed is (
        Limit.FILE
    )


def test_the_home_folder_and_other_files_are_not_there(sandbox, tmp_path):
    (tmp_path / "secret").write_text("x")
    tmp_path.chmod(0o755)
    places = [
        str(tmp_path / "secret"),
        "/etc/passwd",
        "/sys",
        str(Path.home() / ".bashrc"),
        "/var",
        __file__,
    ]
    told = run(sandbox, f"import os; print([p for p in {places!r} if os.path.exists(p)])")
    assert told.stdout == "[]\n"


def test_the_clock_cannot_be_outlived(sandbox):
    soon = Limits(wall_s=1.0)
    for code in ("while True: pass", "import time; time.sleep(60)", DEAF, RUNAWAY):
        told = run(sandbox, code, soon)
        assert told.timed_out, (code, told)
        assert told.seconds < 20
    assert run(sandbox, "while True: pass", replace(ROOMY, cpu_s=1)).killed is Limit.CPU


def test_what_a_program_leaves_behind_ends_with_it(sandbox):
    leave = "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(600)\nprint('gone')"
    told = run(sandbox, leave)
    assert (told.exit, told.stdout) == (0, "gone\n")
    assert told.seconds < 20


def test_huge_output_is_cut_and_ends_it(sandbox):
    small = replace(ROOMY, output_bytes=100_000)
    for code in ("while True: print('x' * 10_000)", "print('x' * 2_000_000)"):
        told = run(sandbox, code, small)
        assert (told.killed, len(told.stdout)) == (Limit.OUTPUT, 100_000)


def test_memory_ends(sandbox):
    assert run(sandbox, "x = bytearray(2**30)", replace(ROOMY, memory_bytes=2**28)).killed is Limit.MEMORY


def test_the_parent_cannot_be_seen_signalled_or_traced(sandbox):
    code = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"pids = [{os.getpid()}, {os.getppid()}, os.getppid()]\n"
        "print([libc.ptrace(16, pid, 0, 0) for pid in pids])\n"
        "print(sorted(int(n) for n in os.listdir('/proc') if n.isdigit())[-1] < 10)\n"
        f"os.kill({os.getpid()}, 9)"
    )
    told = run(sandbox, code)
    if sandbox.fence.nobody:
        assert told.stdout.startswith("[-1, -1, -1]\n")
    assert "True\n" in told.stdout
    assert "ProcessLookupError" in told.stderr


def test_several_at_once_do_not_share_a_scratch_folder(sandbox):
    seen: list[str] = []
    code = "import os; print(sorted(os.listdir('.'))); open('mine', 'w')"
    threads = [threading.Thread(target=lambda: seen.append(run(sandbox, code).stdout)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A checkout that lies below the same folder is bound there, with the Python in it.
    shown = [p.name for p in pieces_of(Path(sandbox.python)) if p.name.is_relative_to(SCRATCH)]
    names = sorted({name.relative_to(SCRATCH).parts[0] for name in shown})
    assert seen == [f"{names}\n"] * 4
