"""A real VS Code that a test types into: its own server, its workbench in Chromium, our `.vsix` installed.

Knows how VS Code shows things (ghost text, status bar, notifications); must not know what a test expects.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psutil
from playwright.sync_api import Browser, Error, Page

POLL_S = 0.05
DEADLINE_S = 60.0
"""For anything that needs no model: a busy machine must not fail a test that is right."""
KEY_MS = 30
"""Between two keys, a fast typist's."""
SCREENSHOTS = Path(os.environ.get("MIDFILL_SCREENSHOTS", "screenshots"))
GHOST = ".ghost-text-decoration, .ghost-text-decoration-preview, .suggest-preview-text"
STATUS = ".statusbar-item a[aria-label^='Midfill:']"
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


class VscodeSession:
    """One VS Code with one window on one folder. Use as a context manager: nothing is left running."""

    def __init__(
        self,
        program: str,
        browser: Browser,
        vsix: Path,
        folder: Path,
        settings: dict[str, object],
        user: dict[str, object],
        environment: dict[str, str],
    ) -> None:
        """`settings`: the machine's; `user`: those over QUIET. `environment` lies over the test's own."""
        self.workspace = folder / "work space é"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self._program, self._browser = program, browser
        self._data, self._extensions = folder / "data", folder / "extensions"
        self._environment = os.environ | {"HOME": str(folder)} | environment
        self._settings = dict(settings)
        self._write("User", QUIET | user)
        self.set()
        self._run("--install-extension", str(vsix))

    def set(self, **changed: object) -> None:
        """Write `midfill.NAME` into the settings of this machine; VS Code sees it at once.

        A window on a remote machine, as this one is, takes what is about the machine only from there.
        """
        self._settings |= {f"midfill.{name}": value for name, value in changed.items()}
        self._write("Machine", self._settings)

    def user_settings(self) -> dict[str, object]:
        """As they stand in the user's file, VS Code's own changes included."""
        text = (self._data / "User" / "settings.json").read_text(encoding="utf-8")
        settings: dict[str, object] = json.loads(text)
        return settings

    def _write(self, whose: str, settings: dict[str, object]) -> None:
        file = self._data / whose / "settings.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")

    def __enter__(self) -> Self:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._log = open(self._data / "server.log", "wb")
        listen = ("--host", "127.0.0.1", "--port", str(port), "--without-connection-token")
        self.process = psutil.Popen(
            self._command(*listen), env=self._environment, stdout=self._log, stderr=self._log
        )
        self._seen: set[psutil.Process] = {self.process}
        self._url = f"http://127.0.0.1:{port}/?folder={quote(str(self.workspace))}"
        self.wait_for("VS Code's server listens", lambda: _listens(port))
        self.page: Page = self._browser.new_page(viewport={"width": 1100, "height": 700})
        self.page.goto(self._url)
        self.page.wait_for_selector(".monaco-workbench .part.statusbar", timeout=DEADLINE_S * 1000)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            with contextlib.suppress(Error):
                self.screenshot("failed")
        self.family()
        with contextlib.suppress(Error):
            self.page.close()
        self.process.terminate()
        _, alive = psutil.wait_procs([*self._seen], timeout=5)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._log.close()

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

    def wait_for(self, what: str, check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
        """Ask `check` until it answers something true, and return that. Else fails, with a screenshot."""
        end = time.monotonic() + deadline_s
        while not (seen := check()):
            if time.monotonic() > end:
                raise AssertionError(f"after {deadline_s:.0f} s still not: {what}\n{self.dump()}")
            time.sleep(POLL_S)
        return seen

    def open(self, name: str, content: str) -> Path:
        """Open a file of this content by Ctrl+P, as a person would, the cursor at its end."""
        file = self.workspace / name
        file.write_bytes(content.encode())
        self.press("Control+p")
        box = self.page.wait_for_selector(".quick-input-widget input[type=text]")
        assert box is not None
        self.page.keyboard.insert_text(str(file))
        self.page.wait_for_selector(f".quick-input-list .monaco-list-row.focused[aria-label^='{name}']")
        self.press("Enter")
        self.page.wait_for_selector(f".tab.active[data-resource-name='{name}']")
        self.page.wait_for_selector(".editor-instance .monaco-editor.focused")
        self.press("Control+End")
        return file

    def type(self, text: str) -> None:
        """Press the keys that write `text`; what no key writes comes at once, as from an input method."""
        for character in text:
            if character.isascii():
                self.page.keyboard.type(character, delay=KEY_MS)
            else:
                self.page.keyboard.insert_text(character)

    def press(self, *keys: str) -> None:
        """Keys in Playwright's notation: `Tab`, `Control+ArrowRight`."""
        for key in keys:
            self.page.keyboard.press(key)

    def command(self, title: str) -> None:
        """Run a command by its title in the palette."""
        self.press("F1")
        self.page.wait_for_selector(".quick-input-widget input[type=text]")
        self.page.keyboard.insert_text(title)
        row = f".quick-input-list .monaco-list-row.focused[aria-label^='{title}']"
        self.page.wait_for_selector(row)
        self.press("Enter")

    def ghost(self) -> str:
        """What is shown in grey behind the cursor."""
        texts = self.page.eval_on_selector_all(GHOST, "found => found.map(each => each.textContent)")
        return "".join(texts).replace("\xa0", " ")

    def wait_for_ghost(self, text: str) -> None:
        self.wait_for(f"ghost text {text!r}", lambda: self.ghost() == text)

    def asks_by_hand(self, text: str) -> bool:
        """Alt+\\, then whether this text is shown within a second."""
        self.press("Alt+Backslash")
        end = time.monotonic() + 1
        while self.ghost() != text and time.monotonic() < end:
            time.sleep(POLL_S)
        return self.ghost() == text

    def saved(self, file: Path) -> str:
        """The editor's text, by Ctrl+S and the file on disk."""
        self.press("Control+s")
        tab = f".tab.active:not(.dirty)[data-resource-name='{file.name}']"
        self.page.wait_for_selector(tab, timeout=DEADLINE_S * 1000)
        return file.read_bytes().decode()

    def status(self) -> str:
        """What a screen reader says of the status bar item; empty where there is none."""
        item = self.page.query_selector(STATUS)
        return (item and item.get_attribute("aria-label")) or ""

    def wait_for_status(self, text: str) -> str:
        """Until the status bar item says something with `text` in it; all that it says."""
        self.wait_for(f"status with {text!r}", lambda: text in self.status())
        return self.status()

    def notifications(self) -> list[str]:
        found = self.page.query_selector_all(".notifications-toasts .notification-list-item-message")
        return [each.inner_text() for each in found]

    def tab_text(self, title: str) -> str:
        """The visible text of the editor whose tab's title holds `title`; empty where there is none."""
        group = f".editor-group-container:has(.tab.active[data-resource-name*='{title}'])"
        return _text(self.page, f"{group} .view-line")

    def screenshot(self, name: str) -> Path:
        test = re.sub(
            r"\W+", "-", os.environ.get("PYTEST_CURRENT_TEST", "by-hand").split("::")[-1].split(" ")[0]
        )
        file = SCREENSHOTS / f"vscode-{test}-{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file)
        return file

    def dump(self) -> str:
        """What a human would look at first."""
        shot = ""
        with contextlib.suppress(Error, AttributeError):
            shot = str(self.screenshot("dump").resolve())
        server = (self._data / "server.log").read_text(encoding="utf-8", errors="replace")
        with contextlib.suppress(Error, AttributeError):
            shown = (
                f"status: {self.status()}\nghost: {self.ghost()!r}\nnotifications: {self.notifications()}"
            )
            return f"{shown}\nscreenshot: {shot}"
        return server[-3000:]

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

    def _run(self, *arguments: str) -> None:
        ended = subprocess.run(
            self._command(*arguments), env=self._environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _text(page: Page, lines: str) -> str:
    texts = page.eval_on_selector_all(lines, "found => found.map(each => each.textContent)")
    return "\n".join(texts).replace("\xa0", " ")


def chromium_program() -> str:
    """A Chromium or Chrome on PATH; empty where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), "")
