"""A terminal of its own (tmux) that an editor runs in: its keys, and its screen with or without colours.

Must not know which editor that is.
"""

import os
import subprocess
from pathlib import Path

import psutil

COLUMNS, ROWS = 100, 30
COMMAND_S = 60


class Terminal:
    """One tmux server with one window."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """`folder` holds the socket; `environment` is all that the program gets."""
        self._socket = folder / "tmux"
        self._environment = environment | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self._environment.pop("TMUX", None)

    def start(self, *command: str) -> None:
        self._tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), *command)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def stop(self) -> None:
        """Hangs up on the program."""
        self._tmux("kill-server")

    def program(self) -> psutil.Process:
        """What was started in it."""
        return psutil.Process(int(self._tmux("display-message", "-p", "#{pane_pid}")))

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def colours(self) -> str:
        """The screen with its escape sequences, every line to its end."""
        return self._tmux("capture-pane", "-e", "-N", "-p")

    def type(self, text: str) -> None:
        """Press the keys that write `text`."""
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Enter`, `Tab`, `C-x`, `Escape`."""
        self._tmux("send-keys", *keys)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", os.devnull, *arguments]
        ended = subprocess.run(
            command,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=COMMAND_S,
            check=False,
        )
        return ended.stdout
