"""A real Helix in a terminal of its own that a test types into and reads the screen of.

Its `languages.toml` is what `midfill editor helix --write` makes. Must not know what a test expects.
"""

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from midfill.model.store.local import CACHE_ENV, cache_root
from tests.editors.terminal import Terminal
from tests.editors.waiting import DEADLINE_S, Watched

LOG_TAIL_CHARS = 3000
STARTED = 'args = ["serve", "--stdio"]\n'


class HelixSession(Watched):
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
            CACHE_ENV: str(home / "empty" if without_model else cache_root()),
            "MIDFILL_STATISTICS_DIR": "",
            "MIDFILL_STATE_DIR": str(home / "state"),
            "PATH": f"{alone}:/usr/bin:/bin",
        }
        self.terminal = Terminal(home, self._environment)
        server = str(server_folder / "midfill")
        write = [server, "editor", "helix", "--write", "--program", str(self._program)]
        subprocess.run(write, env=self._environment, check=True, capture_output=True, text=True)
        self.configure(settings)
        (home / "config/helix/config.toml").write_text("[editor]\nauto-save = false\n")

    def configure(self, settings: dict[str, object]) -> None:
        """Write these settings of Midfill's, and no others, into `languages.toml`. Helix is not told."""
        self.settings = settings
        languages = self._home / "config/helix/languages.toml"
        given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
        place = re.compile(rf"({re.escape(STARTED)})(config = .*\n)?")
        text, count = place.subn(
            lambda found: f"{found[1]}config = {{ {given} }}\n", languages.read_text(encoding="utf-8")
        )
        assert count == 1
        languages.write_text(text, encoding="utf-8")

    def __enter__(self) -> Self:
        log = str(self._home / "helix.log")
        self.terminal.start(self._program, "-v", "--log", log, str(self.file))
        self.wait_for("Helix has opened the file", lambda: self.shows(" NOR "))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminal.stop()  # Helix, and by the end of its stdin the server

    def servers(self) -> list[psutil.Process]:
        """Midfill's servers that this Helix has started and that run."""
        with contextlib.suppress(psutil.NoSuchProcess):
            below = self.terminal.program().children(recursive=True)
            return [found for found in below if "serve" in found.cmdline()]
        return []

    def shows(self, text: str) -> bool:
        return text in self.terminal.screen()

    def wait_until_ready(self, deadline_s: float = DEADLINE_S, times: int = 1) -> None:
        """The server's log, which Helix keeps, has said so often that its model is loaded."""
        said = re.compile("window/logMessage: .*model ready")
        self.wait_for("the model is ready", lambda: len(said.findall(self.log())) >= times, deadline_s)

    def log(self) -> str:
        file = self._home / "helix.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def type(self, text: str) -> None:
        """Press the keys that write `text`."""
        self.terminal.type(text)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Enter`, `Tab`, `C-x`, `Escape`."""
        self.terminal.press(*keys)

    def command(self, line: str) -> None:
        """`line` as typed after a colon."""
        if not self.shows(" NOR "):
            self.press("Escape")
            # A colon that comes with Escape would be Alt and a colon.
            self.wait_for("normal mode", lambda: self.shows(" NOR "))
        self.type(f":{line}")
        self.press("Enter")

    def open(self, name: str, content: str) -> Path:
        """Another file beside the first, of this content, the cursor at its start."""
        self.file = self.file.parent / name
        self.file.write_bytes(content.encode())
        self.command(f'open "{self.file}"')
        self.wait_for(f"{name} is open", lambda: self.shows(f"/{name} ") or self.shows(f" {name} "))
        return self.file

    def act(self, title: str) -> None:
        """Choose the code action called so from the menu."""
        self.type(" a")
        self.wait_for("the menu of actions", lambda: self.shows(title))
        shown = [line for line in self.terminal.screen().splitlines() if "Midfill: " in line]
        above = next(row for row, line in enumerate(shown) if title in line)
        self.press(*["Down"] * above, "Enter")

    def saved(self) -> str:
        """The file, after `:write`."""
        self.command("write")  # takes what Helix said before off the screen
        self.wait_for("Helix says so", lambda: self.shows(" written, "))
        return self.file.read_text(encoding="utf-8")

    def dump(self) -> str:
        """The screen, and the end of the log."""
        shown = "\n".join(f"  |{line}" for line in self.terminal.screen().splitlines())
        return f"{shown}\nlog:\n{self.log()[-LOG_TAIL_CHARS:]}"
