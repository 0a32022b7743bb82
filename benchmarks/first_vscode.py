"""From a machine with only VS Code to its first suggestion: steps, seconds, MB, in a fresh folder.

Fetched anew: the server and all that it needs, by the extension's own "Install". There already: the default
model's file (where the hub cannot be reached no one could fetch it), Python, VS Code with its workbench in
Chromium, driven by keys and one click. Summary: `clicks`, `server_s` (from the click to a server that loads
the model), `first_suggestion_s` (from `--install-extension` to grey text), `downloaded_mb`, `disk_mb`.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import Row, report
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.model.store.local import CACHE_ENV, cache_root
from tests.editors.vscode import VscodeSession
from tests.editors.vscode_program import CHROMIUM, VscodeProgram, chromium_program
from tools import build_vsix

TEXT = '''def is_even(number: int) -> bool:
    """Whether two divides it."""
    '''
TYPED = "return number"
PATIENCE_S = 1800
PLAIN_PATH = os.pathsep.join([str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"])
"""A Python and no `midfill`."""


def main() -> None:
    program, chromium = shutil.which("vscode-server"), chromium_program()
    if not program or not chromium:
        raise SystemExit("vscode-server (`.ci/get-vscode`) and Chromium must be on PATH")
    if not (cache_root() / "models" / DEFAULT_MODEL).exists():
        raise SystemExit("the default model is not here: make model")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        rows = _measure(program, browser, build_vsix.build(Path(folder) / "vsix"), Path(folder))
        browser.close()
    server = rows[1]
    report(
        "first_vscode",
        rows,
        {
            "clicks": 1,
            "server_s": server["seconds"],
            "first_suggestion_s": sum(row["seconds"] for row in rows),
            "downloaded_mb": server["downloaded MB"],
            "disk_mb": server["on disk MB"],
        },
    )


def _measure(program: str, browser: Browser, vsix: Path, folder: Path) -> list[Row]:
    home, cache = folder / "home", folder / "cache"
    cache.mkdir()
    (cache / "models").symlink_to(cache_root() / "models")
    environment = {"PATH": PLAIN_PATH, CACHE_ENV: str(cache), "PIP_NO_CACHE_DIR": "1"}
    clock = _Clock()
    installed = VscodeProgram(program, [vsix], home, {}, {}, environment)
    rows = [clock.row("install the .vsix", mb=vsix.stat().st_size / 1e6)]
    with VscodeSession(browser, installed) as vscode:
        vscode.wait_for("the offer", lambda: vscode.said("not installed yet"))
        clock.restart()  # the window would have been open
        received = _received()
        vscode.choose("Install")
        vscode.wait_for(
            "a server that loads its model",
            lambda: "loading" in vscode.status() or "ready" in vscode.status(),
            PATIENCE_S,
        )
        row = clock.row("one click on Install", mb=_received() - received)
        rows.append(row | {"on disk MB": _size(_server(home))})
        vscode.wait_for("ready", lambda: "ready" in vscode.status(), PATIENCE_S)
        rows.append(
            clock.row("the model is loaded and made ready for this processor")
            | {"on disk MB": _size(cache)}
        )
        vscode.open("first.py", TEXT)
        vscode.type(TYPED)
        suggestion = vscode.wait_for("grey text", vscode.ghost)
        rows.append(clock.row(f"open a file, type: `{TYPED}`, and see `{suggestion.strip()}`"))
    return rows


class _Clock:
    """Seconds since the last row."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def row(self, step: str, mb: float | None = None) -> Row:
        began, self._last = self._last, time.perf_counter()
        print(f"{self._last - began:6.1f} s  {step}", flush=True)
        return {"step": step, "seconds": self._last - began, "downloaded MB": mb, "on disk MB": None}

    def restart(self) -> None:
        """What passed since the last row counts nowhere."""
        self._last = time.perf_counter()


def _server(home: Path) -> Path:
    """The environment that the extension made."""
    (found,) = home.rglob("midfill-installed.json")
    return found.parent


def _received() -> float:
    """MB that came to this machine over a network since it started, whoever wanted them."""
    counted = psutil.net_io_counters(pernic=True)
    return sum(each.bytes_recv for name, each in counted.items() if name != "lo") / 1e6


def _size(folder: Path) -> float:
    """MB of the files in it; what links point to is not in it."""
    files = (Path(top) / name for top, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files) / 1e6


if __name__ == "__main__":
    main()
