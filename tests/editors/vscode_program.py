"""VS Code's own server as a process: our `.vsix` installed, settings in its files, ended with all below it.

Its workbench is shown by `vscode.py`. Knows nothing of what is on the screen.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import psutil

from tests.editors.processes import end

STOP_S = 5.0
"""For an orderly end, before whatever is left is killed."""
OUTPUT_CHARS = 3000
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
QUIET = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoCheckUpdates": False,
    "update.mode": "none",
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.tips.enabled": False,
    "files.hotExit": "off",
    "files.autoSave": "off",
    "git.enabled": False,
    "editor.inlineSuggest.enabled": True,
    "editor.wordBasedSuggestions": "off",
}
"""VS Code left to itself: nothing of its own over the text."""


class VscodeProgram:
    """One VS Code with a folder, data and extensions of its own."""

    def __init__(
        self,
        program: str,
        extensions: Sequence[Path],
        folder: Path,
        settings: dict[str, object],
        user: dict[str, object],
        environment: dict[str, str],
    ) -> None:
        """`extensions`: `.vsix` files. `settings`: the machine's; `user`: those over QUIET. `environment`
        lies over the test's own."""
        self.workspace = folder / "work space é"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self._program, self._data, self._extensions = program, folder / "data", folder / "extensions"
        self._environment = os.environ | {"HOME": str(folder)} | environment
        self._settings = dict(settings)
        self._user = QUIET | user
        self.restore_user_settings()
        self.set()
        command = self._command(*(f"--install-extension={vsix}" for vsix in extensions))
        ended = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def set(self, **changed: object) -> None:
        """Write `midfill.NAME` into this machine's settings (None: take it out); VS Code sees it at once.

        A window on a remote machine, as this one is, takes what is about the machine only from there.
        """
        self._settings |= {f"midfill.{name}": value for name, value in changed.items()}
        self._settings = {name: value for name, value in self._settings.items() if value is not None}
        self._write("Machine", self._settings)

    def setting(self, name: str) -> object:
        """Of this machine; None where it is not set."""
        return self._settings.get(f"midfill.{name}")

    def restore_user_settings(self) -> None:
        """As they were before VS Code wrote into them."""
        self._write("User", self._user)

    def user_settings(self) -> dict[str, object]:
        """As they stand in the user's file, VS Code's own changes included; empty while it writes."""
        text = (self._data / "User" / "settings.json").read_text(encoding="utf-8")
        return dict(json.loads(text or "{}"))

    def _write(self, whose: str, settings: dict[str, object]) -> None:
        file = self._data / whose / "settings.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")

    @property
    def runs(self) -> bool:
        return hasattr(self, "process")

    def start(self) -> None:
        """Start the server; it answers once it `listens`."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        listen = ("--host", "127.0.0.1", "--port", str(self._port), "--without-connection-token")
        with (self._data / "server.log").open("wb") as log:
            self.process = psutil.Popen(
                self._command(*listen), env=self._environment, stdout=log, stderr=log
            )
        self._seen: set[psutil.Process] = {self.process}

    def address(self, folder: str = "") -> str:
        """Of the workbench on `folder`, a URI or the `workspace`."""
        return f"http://127.0.0.1:{self._port}/?folder={quote(folder or str(self.workspace))}"

    def listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        self.process.terminate()
        end(self._seen, STOP_S)
        self.process.wait()

    def output(self) -> str:
        """The last that VS Code's server printed."""
        text = (self._data / "server.log").read_text(encoding="utf-8", errors="replace")
        return text[-OUTPUT_CHARS:]

    def family(self) -> list[psutil.Process]:
        """VS Code's server and every process below it, ours among them."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [self.process, *self.process.children(recursive=True)]
            self._seen.update(family)
            return family
        return []

    def servers(self) -> list[psutil.Process]:
        """Midfill's servers that this window has started and that run."""
        found = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if {"serve", "--stdio"} <= set(process.cmdline()):
                    found.append(process)
        return found

    def _command(self, *arguments: str) -> list[str]:
        folders = (
            "--user-data-dir",
            self._data,
            "--extensions-dir",
            self._extensions,
            "--server-data-dir",
            self._data,
        )
        return [
            self._program,
            "--accept-server-license-terms",
            "--force-disable-user-env",
            *map(str, folders),
            *arguments,
        ]


def chromium_program() -> str:
    """A Chromium or Chrome on PATH; empty where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), "")
