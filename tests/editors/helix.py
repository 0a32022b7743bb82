"""A real Helix in a terminal of its own (tmux) that a test types into and reads the screen of.

Its `languages.toml` is what `midfill editor helix --write` makes. Must not know what a test expects.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs

POLL_S = 0.05
DEADLINE_S = 60.0
"""For anything that needs no model: a busy machine must not fail a test that is right."""
COLUMNS, ROWS = 100, 30
LOG_TAIL_CHARS = 3000


class HelixSession:
    """One Helix with one file open. Use as a context manager: nothing it started is left running."""

    def __init__(
        self,
        program: str,
        server_folder: Path,
        file: Path,
        settings: dict[str, object],
        home: Path,
        without_model: bool = False,
    ) -> None:
        """`home`: an empty folder. `without_model`: as on a machine where none was downloaded."""
        self.file, self._program, self._home = file, program, home
        alone = home / "bin"  # no other language server may have a word in the menus
        alone.mkdir()
        (alone / "midfill").symlink_to(server_folder / "midfill")
        self._environment = os.environ | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home if without_model else platformdirs.user_cache_path()),
            "MIDFILL_STATISTICS_DIR": "",
            "PATH": f"{alone}:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }
        self._configure(server_folder, settings)

    def _configure(self, server_folder: Path, settings: dict[str, object]) -> None:
        write = [server_folder / "midfill", "editor", "helix", "--write", "--program", self._program]
        subprocess.run(write, env=self._environment, check=True, capture_output=True, text=True)
        configuration = self._home / "config" / "helix"
        languages = configuration / "languages.toml"
        given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
        started = 'args = ["serve", "--stdio"]\n'
        text = languages.read_text(encoding="utf-8")
        assert text.count(started) == 1
        languages.write_text(text.replace(started, f"{started}config = {{ {given} }}\n"), encoding="utf-8")
        (configuration / "config.toml").write_text("[editor]\nauto-save = false\n")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._home / "tmux"), "-f", os.devnull, *arguments]
        environment = {name: value for name, value in self._environment.items() if name != "TMUX"}
        ended = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
        )
        return ended.stdout

    def __enter__(self) -> Self:
        size = ("-x", str(COLUMNS), "-y", str(ROWS))
        log = str(self._home / "helix.log")
        self._tmux("new-session", "-d", *size, self._program, "-v", "--log", log, str(self.file))
        self.wait_for("Helix has opened the file", lambda: self.shows(" NOR "))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")  # Helix, and by the end of its stdin the server

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def shows(self, text: str) -> bool:
        return text in self.screen()

    def wait_for(self, what: str, check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
        """Ask `check` until it answers something true, and return that. Fails with a dump of the screen."""
        end = time.monotonic() + deadline_s
        while not (seen := check()):
            if time.monotonic() > end:
                raise AssertionError(f"after {deadline_s:.0f} s still not: {what}\n{self.dump()}")
            time.sleep(POLL_S)
        return seen

    def wait_until_ready(self, deadline_s: float = DEADLINE_S) -> None:
        """The server's log, which Helix keeps, says that its model is loaded."""
        self.wait_for("the model is ready", lambda: "model ready" in self.log(), deadline_s)

    def log(self) -> str:
        file = self._home / "helix.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def type(self, text: str) -> None:
        """Press the keys that write `text`."""
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Enter`, `Tab`, `C-x`, `Escape`."""
        self._tmux("send-keys", *keys)

    def saved(self) -> str:
        """The file, after `:write`."""
        before = self.file.stat().st_mtime_ns
        self.press("Escape")
        self.type(":write")
        self.press("Enter")
        self.wait_for("the file is written", lambda: self.file.stat().st_mtime_ns != before)
        return self.file.read_text(encoding="utf-8")

    def dump(self) -> str:
        """What a human would look at first: the screen, and the end of the log."""
        shown = "\n".join(f"  |{line}" for line in self.screen().splitlines())
        return f"{shown}\nlog:\n{self.log()[-LOG_TAIL_CHARS:]}"
