"""A real VS Code that a test types into: its own server, its workbench in Chromium, our `.vsix` installed.

Knows how VS Code shows things (ghost text, status bar, notifications); must not know what a test expects.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, Error, Page

from tests.editors.vscode_program import VscodeProgram
from tests.editors.waiting import DEADLINE_S, POLL_S, Watched

KEY_MS = 30
"""Between two keys, a fast typist's."""
SCREENSHOTS = Path(os.environ.get("MIDFILL_SCREENSHOTS", ".editors/screenshots"))
"""Git ignores it."""
GHOST = ".ghost-text-decoration, .ghost-text-decoration-preview, .suggest-preview-text"
STATUS = ".statusbar-item[id$='midfill.status'] a"


class VscodeSession(Watched):
    """One VS Code with one window on one folder. Use as a context manager: nothing is left running."""

    def __init__(self, browser: Browser, program: VscodeProgram, folder: str = "") -> None:
        """`folder`: a URI; empty: the program's workspace."""
        self.program = program
        self._browser, self._folder = browser, folder

    @property
    def workspace(self) -> Path:
        return self.program.workspace

    def __enter__(self) -> Self:
        self._first = not self.program.runs
        if self._first:
            self.program.start()
        self.wait_for("VS Code's server listens", self.program.listens)
        self.page: Page = self._browser.new_page(viewport={"width": 1100, "height": 700})
        self.page.set_default_timeout(DEADLINE_S * 1000)
        self.page.goto(self.program.address(self._folder))
        self.page.wait_for_selector(".monaco-workbench .part.statusbar")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            with contextlib.suppress(Error):
                self.screenshot("failed")
        self.program.family()  # what is below it now is ended with it
        with contextlib.suppress(Error):
            self.page.close()
        if self._first:
            self.program.stop()

    def second(self) -> "VscodeSession":
        """Another window of the same VS Code on the same folder."""
        return VscodeSession(self._browser, self.program, self._folder)

    def open(self, name: str, content: str) -> Path:
        """Open a file of this content by Ctrl+P, as a person would, the cursor at its end."""
        file = self.workspace / name
        file.write_bytes(content.encode())
        self.press("Escape", "Control+p")
        self.page.wait_for_selector(".quick-input-widget input[type=text]")
        self.page.keyboard.insert_text(str(file))
        self.page.wait_for_selector(f".quick-input-list .monaco-list-row.focused[aria-label^='{name}']")
        self.press("Enter")
        self.page.wait_for_selector(f".tab.active[data-resource-name='{name}']")
        self.page.wait_for_selector(".editor-instance .monaco-editor.focused")
        # VS Code makes what asks for suggestions when the window is first idle with an editor in it: keys
        # before that ask nobody (1 of 10 windows here). Idle callbacks are called in their order.
        self.page.evaluate("new Promise(called => requestIdleCallback(called))")
        self.press("Control+End")
        return file

    def type(self, text: str) -> None:
        """Press the keys that write `text`; what no key writes comes at once, as from an input method."""
        for character in text:
            if character.isascii():
                self.page.keyboard.type(character, delay=KEY_MS)
            else:
                self.page.keyboard.insert_text(character)

    def compose(self, reading: str, chosen: str) -> None:
        """As an input method does: `reading` stands underlined for a while, then becomes `chosen`."""
        session = self.page.context.new_cdp_session(self.page)
        for end in range(1, len(reading) + 1):
            composed = {"text": reading[:end], "selectionStart": end, "selectionEnd": end}
            session.send("Input.imeSetComposition", composed)
        session.send("Input.insertText", {"text": chosen})

    def act(self, title: str) -> None:
        """Choose a code action from the menu that Ctrl+. opens, by keys."""
        self.press("Control+Period")
        self.page.wait_for_selector(f".action-widget .monaco-list-row:has-text('{title}')")
        focused = f".action-widget .monaco-list-row.focused:has-text('{title}')"
        for _ in self.page.query_selector_all(".action-widget .monaco-list-row"):
            if self.page.query_selector(focused):
                break
            self.press("ArrowDown")
        self.page.wait_for_selector(focused)
        self.press("Enter")

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

    def asks_by_hand(self, pattern: str) -> str:
        """Alt+\\, and what is shown within a second if it matches; else empty.

        Two keys that leave the text as it was come before: VS Code asks nobody twice at one place in one
        version of a text, whatever became of the settings.
        """
        self.press("Space", "Backspace", "Alt+Backslash")
        end = time.monotonic() + 1
        while not re.fullmatch(pattern, ghost := self.ghost()):
            if time.monotonic() > end:
                return ""
            time.sleep(POLL_S)
        return ghost

    def saved(self, file: Path) -> str:
        """The editor's text, by Ctrl+S and the file on disk. Not empty: a file without changes is written
        as well, and nothing in the window says when."""
        self.press("Control+s")
        self.page.wait_for_selector(f".tab.active:not(.dirty)[data-resource-name='{file.name}']")
        text: bytes = self.wait_for("the file", file.read_bytes)
        return text.decode()

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

    def said(self, text: str) -> str:
        """The notification with `text` in it; empty where there is none."""
        return next((each for each in self.notifications() if text in each), "")

    def buttons(self) -> list[str]:
        """Of the notifications."""
        found = self.page.query_selector_all(
            ".notifications-toasts .notification-list-item-buttons-container a"
        )
        return [each.inner_text() for each in found]

    def choose(self, button: str) -> None:
        """Press a notification's button."""
        self.page.click(f".notifications-toasts .monaco-button:has-text('{button}')")

    @contextlib.contextmanager
    def scripted(self, text: str, shown: str = "", **settings: object) -> Iterator[None]:
        """Another `scriptedText`, and settings beside it, in force at the cursor; then what was before.

        `shown` matches what is suggested then; empty: the text.
        """
        changed = {"scriptedText": text, **settings}
        before = {name: self.program.setting(name) for name in changed}
        try:
            self._script(shown or re.escape(text), changed)
            yield
        finally:
            self.open("restored.py", "total = ")
            self._script(re.escape(str(before["scriptedText"])), before)

    def _script(self, shown: str, settings: dict[str, object]) -> None:
        def asked() -> str:
            self.program.set(**settings)  # again, too: a window that has just opened misses a change
            return self.asks_by_hand(shown)

        self.wait_for(f"the new script {shown!r}", asked)

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
        with contextlib.suppress(Error, AttributeError):
            shown = (
                f"status: {self.status()}\nghost: {self.ghost()!r}\nnotifications: {self.notifications()}"
            )
            return f"{shown}\nscreenshot: {shot}"
        return self.program.output()


def _text(page: Page, lines: str) -> str:
    texts = page.eval_on_selector_all(lines, "found => found.map(each => each.textContent)")
    return "\n".join(texts).replace("\xa0", " ")
