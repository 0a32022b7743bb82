"""Installs Midfill, with the right torch, into a virtual environment of its own, for an editor.

    python install_server.py VENV WHEEL|CHECKOUT [--uv PROGRAM]

Every line of stdout is a JSON object: `{"message", "fraction"}` on the way (fraction 0–1 or null), and as
the last one `{"done": true}` or `{"error": "one sentence"}`; what pip and uv print goes to stderr. Killed
half way it leaves no stamp, and the next run starts over; pip's own cache keeps what was downloaded.
Any Python ≥ 3.11, standard library only. Travels in the `.vsix` with the modules it imports.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch_facts
from pip_progress import Downloads

MINIMUM_PYTHON = (3, 11)
NEEDED_BYTES = 3_000_000_000
"""torch for CPUs, transformers and the rest unpacked, with room for pip's downloads (measured: 1.3 GB)."""
STAMP = "midfill-installed.json"
STEPS = (("making an environment", 0.0), ("PyTorch", 0.05), ("Midfill and what it needs", 0.6))
"""What is done, and the share of the whole at which it begins, roughly."""
SOURCES = ("lsp_server", "model", "editors/nvim")
"""What of a checkout the wheel is made of."""
EXE = ".exe" if os.name == "nt" else ""


class InstallError(Exception):
    """One sentence for the user."""


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def begin(step: int, detail: str = "") -> None:
    message, fraction = STEPS[step]
    say(
        message=f"{message}{': ' if detail else ''}{detail} (step {step + 1} of {len(STEPS)})",
        fraction=fraction,
    )


def python_of(venv: Path) -> Path:
    return venv / ("Scripts" if os.name == "nt" else "bin") / f"python{EXE}"


def digest_of(source: Path) -> str:
    """Of a wheel's bytes; of a checkout's files that become one."""
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    files = [source / "pyproject.toml"]
    for part in SOURCES:
        files += sorted(file for file in (source / part).rglob("*") if file.is_file())
    digest = hashlib.sha256()
    for file in files:
        if "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(source)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def is_complete(venv: Path, digest: str) -> bool:
    """Whether this very wheel was installed there to the end."""
    try:
        return bool(json.loads((venv / STAMP).read_text())["sha256"] == digest)
    except (OSError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def alone(venv: Path) -> Iterator[None]:
    """Two windows install at once: the second waits here, and then finds the work done."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{venv}.lock", "w") as lock:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(message="another window is installing: waiting for it", fraction=None)
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def follow(
    command: list[str], on_line: Callable[[str], None], environment: dict[str, str]
) -> tuple[int, str]:
    """Run a command, its lines to `on_line` and stderr. Returns its status and last line with an error."""
    last = ""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in map(str.rstrip, process.stdout):
            on_line(line)
            if not line.startswith("Progress "):
                print(line, file=sys.stderr, flush=True)
            if "error" in line.lower():
                last = line
    return process.returncode, last


def make_environment(venv: Path, uv: str) -> None:
    begin(0, "with uv" if uv else "")
    shutil.rmtree(venv, ignore_errors=True)
    ways: list[list[str | Path]] = [[sys.executable, "-m", "venv", "--clear", venv]]
    if uv:
        ways.insert(0, [uv, "venv", "--seed", "-q", "--python", sys.executable, venv])
    if all(subprocess.run(way, stdout=sys.stderr, check=False).returncode for way in ways):
        remedy = "on Debian and Ubuntu: apt install python3-venv"
        raise InstallError(f"{sys.executable} cannot make a virtual environment ({remedy})")


def install(venv: Path, step: int, arguments: tuple[str, ...], uv: str = "") -> None:
    """`python -m pip …` (or uv) in the environment, with what it downloads said on the way."""
    python = str(python_of(venv))
    environment = os.environ | {"VIRTUAL_ENV": str(venv), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if uv:
        ended, _ = follow(
            [uv, "pip", "install", "--python", python, *arguments[2:]], lambda _: None, environment
        )
        if ended == 0:
            return
        print("uv could not do it; trying pip", file=sys.stderr, flush=True)
    downloads = Downloads()

    def on_line(line: str) -> None:
        if told := downloads.take(line):
            begin(step, told)

    command = [python, "-m", *arguments]
    if arguments[0] == "pip" and _tells_progress(python):
        command.append("--progress-bar=raw")
    ended, last = follow(command, on_line, environment)
    if ended:
        raise InstallError(last or f"{' '.join(arguments)} ended with exit status {ended}")


def _tells_progress(python: str) -> bool:
    """Whether pip there has `--progress-bar=raw` (24.1 or later)."""
    return "raw" in torch_facts.answer_of(python, "-m", "pip", "install", "--help")


def run(venv: Path, wheel: Path, uv: str) -> None:
    """Everything, in order. Raises InstallError."""
    if sys.version_info < MINIMUM_PYTHON:
        raise InstallError(
            f"Python 3.11 or later is needed; this is {sys.version.split()[0]} ({sys.executable})"
        )
    digest = digest_of(wheel)
    with alone(venv):
        if is_complete(venv, digest):
            return
        free = shutil.disk_usage(venv.parent).free
        if free < NEEDED_BYTES:
            raise InstallError(
                f"{NEEDED_BYTES / 1e9:.0f} GB are needed in {venv.parent}; {free / 1e9:.1f} are free"
            )
        make_environment(venv, uv)
        # A newer pip says how much is left; where it cannot be had, this one does.
        python = str(python_of(venv))
        if not _tells_progress(python):
            subprocess.run([python, "-m", "pip", "install", "-qU", "pip"], stdout=sys.stderr, check=False)
        begin(1)
        choice = torch_facts.choose_for(python_of(venv))
        print(f"torch: {choice.reason}", file=sys.stderr, flush=True)
        for command in choice.commands:
            install(venv, 1, command)
        begin(2)
        install(venv, 2, ("pip", "install", str(wheel)), uv)
        (venv / STAMP).write_text(json.dumps({"wheel": wheel.name, "sha256": digest}))


def main() -> int:
    parser = argparse.ArgumentParser(description="Install Midfill's server for an editor.")
    parser.add_argument("venv", type=Path)
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--uv", default="", help="uv, if it is here: makes the environment and installs faster"
    )
    given = parser.parse_args()
    try:
        run(given.venv.absolute(), given.wheel, given.uv)
    except (InstallError, OSError) as error:
        say(error=str(error))
        return 1
    say(done=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
