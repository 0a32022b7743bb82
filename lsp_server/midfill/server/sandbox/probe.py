"""Whether code can be run safely here. It is tried, since a program that exists may still be forbidden to
make namespaces, and a limit that is set may not bind.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from midfill.server.sandbox.command import Fence
from midfill.server.sandbox.groups import places
from midfill.server.sandbox.interpreter import pieces_of
from midfill.server.sandbox.job import CODE, Job, Limits, Outcome
from midfill.server.sandbox.run import Sandbox, SandboxRefused

FEW = 8
PROBE = f"""
import json, os, socket, sys, time
home, *shown = sys.argv[1:]
def is_more(path):
    if path in shown:
        return False
    if os.path.islink(path) or not any(piece.startswith(path + "/") for piece in shown):
        return True
    return any(is_more(os.path.join(path, name)) for name in os.listdir(path))
found = {{
    "files": os.path.exists("/etc/passwd"),
    "home": os.path.isdir(home) and any(is_more(os.path.join(home, name)) for name in os.listdir(home)),
    "code": os.access(__file__, os.W_OK),
    "disk": os.access("/", os.W_OK) or os.access("/dev/shm", os.W_OK),
}}
try:
    socket.create_connection(("192.0.2.1", 9), 0.1)
    found["network"] = True
except OSError as error:
    found["network"] = "unreachable" not in str(error)
children = []
try:
    while len(children) < {4 * FEW}:
        child = os.fork()
        if child == 0:
            time.sleep(60)
        children.append(child)
except OSError:
    pass
found["processes"] = len(children) > {2 * FEW}
for child in children:
    os.kill(child, 9)
print(json.dumps(found), flush=True)
os._exit(0)
"""
"""Prints what of the fence is open, and changes nothing if all is. 192.0.2.1 is nobody's (RFC 5737)."""
PARTS = {"files", "home", "code", "disk", "network", "processes"}
PROBE_LIMITS = Limits(wall_s=20.0, processes=FEW)
"""Not to be too strict with a machine that is busy."""


def open_sandbox(python: str = "") -> Sandbox:
    """A sandbox for `python` (empty: the one that runs this) whose fence was tried and held.

    Raises SandboxRefused with the reasons.
    """
    bwrap = shutil.which("bwrap")
    if sys.platform != "linux" or bwrap is None:
        raise SandboxRefused("code is run only behind bubblewrap (`bwrap`, on Linux), which is not here")
    python = os.path.abspath(python or sys.executable)
    try:
        probe = _probe(Path(python))
    except (OSError, ValueError) as error:
        raise SandboxRefused(str(error)) from error
    reasons = []
    for fence in _fences(bwrap):
        sandbox = Sandbox(fence, python)
        try:
            reason = _open_parts(sandbox.run(probe))
        except SandboxRefused as refused:
            reason = str(refused)
        if not reason:
            return sandbox
        reasons.append(f"{fence}: {reason}")
    raise SandboxRefused("; ".join(reasons) or "root, and neither a process group nor another user")


def _fences(bwrap: str) -> Iterator[Fence]:
    """The best first. Limits on a user's processes do not bind root, so root becomes nobody; where the
    interpreter cannot be read by nobody, a group must count."""
    if os.geteuid() != 0:
        yield Fence(bwrap, nobody=False)
        return
    groups = places()
    yield Fence(bwrap, nobody=True, groups=groups)
    if groups:
        yield Fence(bwrap, nobody=False, groups=groups)


def _probe(python: Path) -> Job:
    """Of the home folder, only the pieces of the interpreter may be seen."""
    home = Path.home()
    shown = [str(piece.name) for piece in pieces_of(python) if piece.name.is_relative_to(home)]
    program = f"{CODE}/probe.py"
    return Job((("probe.py", PROBE),), ("-I", program, str(home), *shown), PROBE_LIMITS)


def _open_parts(outcome: Outcome) -> str:
    """Why the fence does not hold; empty: it does."""
    try:
        found = json.loads(outcome.stdout)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.keys() != PARTS:
        return outcome.stderr.strip()[-300:] or f"exit status {outcome.exit}, killed by {outcome.killed}"
    left = [name for name, is_open in found.items() if is_open]
    return f"{' and '.join(left)} would be open" if left else ""
