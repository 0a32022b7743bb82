"""From a machine with only the editor to the first suggestion: steps, and seconds on this machine.

    python -m benchmarks.first_run [neovim] [helix]

A clone of this checkout's last commit, an empty home, no server anywhere. What is there already, since none
of it is ours to measure: the editor, Python, the wheels in pip's cache, the default model's file. Summary
per editor: `NAME_steps`, `NAME_s` (from the first step to the suggestion on the screen).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import Row, report
from midfill.model.store.local import CACHE_ENV, cache_root
from tests.editors.helix import HelixSession
from tests.editors.nvim import NvimSession

ROOT = Path(__file__).resolve().parents[1]
INSTALL_S, LOAD_S, ANSWER_S = 1500.0, 600.0, 60.0
TEXT = "import math\n\n\ndef distance(a, b):\n\n"
TYPED = "    return math."


def clone(folder: Path) -> Path:
    checkout = folder / "midfill"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
    return checkout


def neovim(program: str, folder: Path) -> Row:
    file = folder / "work" / "distance.py"
    file.parent.mkdir()
    file.write_text(TEXT)
    began = time.monotonic()
    checkout = clone(folder)
    with NvimSession(program, folder, file, {}, ready_made=False, checkout=checkout) as nvim:
        nvim.wait_for("what to do", lambda: ":MidfillInstall" in nvim.messages())
        nvim.press(":MidfillInstall<CR>")
        nvim.wait_for("the server", lambda: "installed in" in nvim.messages(), INSTALL_S)
        installed = time.monotonic()
        nvim.wait_until_ready(LOAD_S)
        ready = time.monotonic()
        nvim.press("5GA")
        nvim.type(TYPED)
        nvim.wait_for_ghost(ANSWER_S)
        return row("neovim", ["clone, two lines in init.lua", ":MidfillInstall"], began, installed, ready)


def helix(program: str, folder: Path) -> Row:
    home, file = folder / "home", folder / "work" / "distance.py"
    home.mkdir()
    file.parent.mkdir()
    file.write_text(TEXT)
    began = time.monotonic()
    checkout = clone(folder)
    environment = os.environ | {"XDG_CONFIG_HOME": str(home / "config"), "PATH": _path_with(program)}
    subprocess.run(["make", "helix"], cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)
    installed = time.monotonic()
    with HelixSession(program, checkout / ".venv" / "bin", file, {}, home) as helix:
        helix.wait_until_ready(LOAD_S)
        ready = time.monotonic()
        helix.type(f"5ggA{TYPED}")
        helix.wait_for("the menu", lambda: helix.shows(" text\n"), ANSWER_S)
        return row("helix", ["clone", "make helix"], began, installed, ready)


def _cache_of(models: Path, folder: Path) -> Path:
    """A cache of its own with the files of `models`: nothing was converted or compiled before."""
    cache = folder / "cache"
    cache.mkdir()
    (cache / "models").symlink_to(models)
    return cache


def _path_with(program: str) -> str:
    return f"{Path(program).parent}{os.pathsep}/usr/local/bin:/usr/bin:/bin"


def row(name: str, steps: list[str], began: float, installed: float, ready: float) -> Row:
    now = time.monotonic()
    return {
        "editor": name,
        "steps": "; ".join(steps),
        "number of steps": len(steps),
        "installed s": installed - began,
        "model ready s": ready - installed,
        "suggestion s": now - ready,
        "all s": now - began,
    }


EDITORS: dict[str, tuple[str, Callable[[str, Path], Row]]] = {
    "neovim": ("nvim", neovim),
    "helix": ("hx", helix),
}


def main() -> None:
    rows, models = [], cache_root() / "models"
    for name in sys.argv[1:] or EDITORS:
        program, measure = EDITORS[name]
        found = shutil.which(program)
        if found is None:
            raise SystemExit(f"no {program} on PATH (.ci/get-editors gets one)")
        with tempfile.TemporaryDirectory() as folder:
            os.environ[CACHE_ENV] = str(_cache_of(models, Path(folder)))
            rows.append(measure(found, Path(folder)))
    summary: dict[str, float | str | None] = {}
    for measured in rows:
        summary[f"{measured['editor']}_steps"] = measured["number of steps"]
        summary[f"{measured['editor']}_s"] = measured["all s"]
    report("first_run", rows, summary)


if __name__ == "__main__":
    main()
