"""Builds `.venv` in the checkout: torch by `torch_choice`, then Midfill (editable) and the dev tools.

Run it with any Python ≥ 3.11: `python3 tools/setup.py`. Running it again costs nothing until something
that it depends on changes. Knows nothing of models: `fetch_default_model.py` gets those.
"""

import dataclasses
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import torch_choice

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / f"python{EXE}"
STAMP = VENV / "midfill-setup.sha256"
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
INDEX_TIMEOUT_S = 120
"""For asking pip which versions of torch there are: longer than its own retries take."""


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def fingerprint() -> str:
    """Changes when the environment must be brought up to date. The place counts: a venv cannot move."""
    override = os.environ.get("MIDFILL_TORCH", "")
    digest = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n{ROOT}\n{override}".encode())
    for source in (ROOT / "pyproject.toml", Path(__file__), Path(torch_choice.__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def dev_requirements(pyproject: str) -> list[str]:
    """The `dev` dependency group: pip before 25.1 has no `--group` (PEP 735)."""
    return [str(requirement) for requirement in tomllib.loads(pyproject)["dependency-groups"]["dev"]]


def answer_of(*command: str | Path, timeout_s: float | None = None) -> str:
    """What a command prints; empty when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


def installed_torch(python: Path) -> str:
    """The version of torch that `python` sees, without importing it; empty: none."""
    code = "import importlib.metadata as m; print(*[d.version for d in m.distributions(name='torch')][:1])"
    return answer_of(python, "-c", code)


def has_nvidia_gpu() -> bool:
    """Whether a driver is loaded: a card without one is of no use."""
    tool = shutil.which("nvidia-smi")
    return NVIDIA_DRIVER.exists() or (tool is not None and "GPU" in answer_of(tool, "--list-gpus"))


def offered_versions() -> tuple[str, ...]:
    """Every version of torch that pip could install here. Costs one look-up and no download."""
    try:
        answer = answer_of(PYTHON, "-m", "pip", "index", "versions", "torch", timeout_s=INDEX_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        say(f"pip did not say within {INDEX_TIMEOUT_S} s which versions of torch there are")
        return ()
    for line in answer.splitlines():
        label, _, versions = line.partition(":")
        if label.strip() == "Available versions":
            return tuple(version.strip() for version in versions.split(","))
    return ()


def create_venv() -> None:
    """A fresh `.venv`; it sees the packages of the Python that runs this only if they hold a good torch."""
    options = ["--clear"]
    if sys.prefix == sys.base_prefix:  # from inside a venv, "system" would mean the Python under it
        outer = installed_torch(Path(sys.executable))
        if torch_choice.release(outer) >= torch_choice.MINIMUM:
            say(f"this Python has torch {outer}: .venv will see its packages")
            options.append("--system-site-packages")
    say(f"making {VENV.name} with Python {platform.python_version()}")
    if subprocess.run([sys.executable, "-m", "venv", *options, VENV], check=False).returncode:
        sys.exit("setup: python -m venv failed (on Debian, python3-venv is a package of its own)")


def module(*arguments: str) -> None:
    """Run one of the environment's own modules; its failure ends the set-up."""
    say("python -m " + " ".join(arguments))
    quiet = {"pip": ("-qq",), "uv": ("-q",)}.get(arguments[0], ())  # -qq: errors only
    environment = os.environ | {"VIRTUAL_ENV": str(VENV), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    ended = subprocess.run([PYTHON, "-m", *arguments, *quiet], cwd=ROOT, env=environment, check=False)
    if ended.returncode:
        sys.exit(f"setup: that failed (exit status {ended.returncode})")


def install_torch() -> None:
    """Make the choice and carry it out; say what to do by hand where it fails."""
    facts = torch_choice.Facts(
        system=platform.system(),
        has_nvidia_gpu=has_nvidia_gpu(),
        installed=installed_torch(PYTHON),
        override=os.environ.get("MIDFILL_TORCH", ""),
    )
    if torch_choice.choose_without_asking(facts) is None:
        facts = dataclasses.replace(facts, offered=offered_versions())
    choice = torch_choice.choose(facts)
    say(f"torch: {choice.reason}")
    try:
        for command in choice.commands:
            module(*command)
    except SystemExit:
        say(f"install torch yourself ({PYTHON} -m pip install …) and run this again: it will be kept;")
        say("or name the build that you want: MIDFILL_TORCH='torch==2.13.0' make setup")
        raise


def main() -> None:
    wanted = fingerprint()
    complete = (SCRIPTS / f"midfill{EXE}").exists() and STAMP.exists()
    if complete and STAMP.read_text() == wanted:
        return
    if not PYTHON.exists() or answer_of(PYTHON, "-c", "import sys; print(sys.version)") != sys.version:
        create_venv()
    install_torch()
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    module("pip", "install", "--editable", ".", *dev_requirements(pyproject))
    STAMP.write_text(wanted)
    say(f"done: {SCRIPTS / 'midfill'}")


if __name__ == "__main__":
    main()
