"""Builds `.venv` in the checkout: torch by `torch_choice`, then Midfill (editable) and the dev tools.

Run it with any Python ≥ 3.11: `python3 tools/setup.py`. Running it again costs nothing until something
that it depends on changes. Knows nothing of models: `fetch_default_model.py` gets those.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import torch_choice
import torch_facts

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / f"python{EXE}"
STAMP = VENV / "midfill-setup.sha256"


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def fingerprint() -> str:
    """Changes when the environment must be brought up to date. The place counts: a venv cannot move."""
    override = os.environ.get("MIDFILL_TORCH", "")
    digest = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n{ROOT}\n{override}".encode())
    for source in (
        ROOT / "pyproject.toml",
        *map(Path, (__file__, torch_choice.__file__, torch_facts.__file__)),
    ):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def dev_requirements(pyproject: str) -> list[str]:
    """The `dev` dependency group: pip before 25.1 has no `--group` (PEP 735)."""
    return [str(requirement) for requirement in tomllib.loads(pyproject)["dependency-groups"]["dev"]]


def create_venv() -> None:
    """A fresh `.venv`; it sees the packages of the Python that runs this only if they hold a good torch."""
    options = ["--clear"]
    if sys.prefix == sys.base_prefix:  # from inside a venv, "system" would mean the Python under it
        outer = torch_facts.installed_torch(Path(sys.executable))
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
    choice = torch_facts.choose_for(PYTHON)
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
    if (
        not PYTHON.exists()
        or torch_facts.answer_of(PYTHON, "-c", "import sys; print(sys.version)") != sys.version
    ):
        create_venv()
    install_torch()
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    module("pip", "install", "--editable", ".", *dev_requirements(pyproject))
    STAMP.write_text(wanted)
    say(f"done: {SCRIPTS / 'midfill'}")


if __name__ == "__main__":
    main()
