"""A real Neovim that a test types into: starts it, presses keys, reads the screen's ghost text.

Knows how Neovim, or our plugin, shows inline completions (an extmark in its namespace); must not know what
a test expects.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.editors.nvim_program import NvimProgram
from tests.editors.terminal import Terminal
from tests.editors.waiting import DEADLINE_S, Watched

LOG_TAIL_CHARS = 3000


@dataclass(frozen=True, slots=True)
class Ghost:
    """Ghost text as it stands on the screen: 0-based row, byte column, and the text."""

    row: int
    column: int
    text: str


class NvimSession(Watched):
    """One Neovim with one file open. Use as a context manager: nothing it started is left running."""

    def __init__(
        self, program: str, server_folder: Path, file: Path, settings: dict[str, object], **options: Any
    ) -> None:
        """`options` as `NvimProgram` takes them."""
        self.file = file
        self._program = NvimProgram(program, server_folder, file, settings, **options)

    def __enter__(self) -> Self:
        self.api = self._program.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.stop()

    @property
    def process(self) -> psutil.Process:
        return self._program.process

    def family(self) -> list[psutil.Process]:
        """Neovim and every process below it, the server's among them."""
        return self._program.family()

    @property
    def terminal(self) -> Terminal:
        """Where this Neovim has a terminal."""
        assert self._program.terminal is not None
        return self._program.terminal

    def lua(self, code: str, *arguments: object) -> Any:
        return self.api.exec_lua(code, *arguments)

    def wait_until_ready(self, deadline_s: float = DEADLINE_S) -> None:
        """The server has answered `initialize` and says by `midfill/status` that its model is loaded."""
        ready = "return (vim.g.midfill_status or {}).state == 'ready'"
        self.wait_for("midfill/status says ready", lambda: self.lua(ready), deadline_s)

    def type(self, text: str) -> None:
        """Press the keys that write `text`, one after the other."""
        for character in text:
            self.press({"<": "<lt>", "\n": "<CR>"}.get(character, character))

    def press(self, keys: str) -> None:
        """Keys in Neovim's notation: `<Tab>`, `<Esc>`, `jj`."""
        self.api.input(keys)

    def ghost(self) -> Ghost | None:
        """What is shown and not yet part of the document."""
        marks = self.lua(
            "local found = {} for _, name in ipairs({ 'nvim.lsp.inline_completion', 'midfill' }) do"
            " local space = vim.api.nvim_create_namespace(name)"
            " local marks = vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })"
            " vim.list_extend(found, marks) end return found"
        )
        assert len(marks) < 2, f"two suggestions on the screen at once: {marks}"
        if not marks:
            return None
        _, row, column, details = marks[0]
        lines = [details.get("virt_text", []), *details.get("virt_lines", [])]
        text = "\n".join("".join(piece[0] for piece in line) for line in lines)
        return Ghost(row, column, text) if text else None

    def wait_for_ghost(self, deadline_s: float = DEADLINE_S) -> Any:
        """The ghost text that answers the document as it is now, not one that typing has left behind."""
        fresh = "return answered ~= nil and answered == vim.b.changedtick"
        what = "a request for this text is answered with ghost text"
        return self.wait_for(what, lambda: self.lua(fresh) and self.ghost(), deadline_s)

    def lines(self) -> list[str]:
        return list(self.api.current.buffer[:])

    def accept(self) -> tuple[list[str], list[str]]:
        """Press the key for all of the ghost text. Returns the lines before and after."""
        return self.press_to_change("<M-l>")

    def press_to_change(self, keys: str) -> tuple[list[str], list[str]]:
        """Press keys that change the document. Returns the lines before and after."""
        before = self.lines()
        self.press(keys)
        self.wait_for(f"{keys} changes the document", lambda: self.lines() != before)
        return before, self.lines()

    def page(self, name: str) -> list[str]:
        """The lines of our page called `name`, once it is open."""
        title = "return vim.api.nvim_buf_get_name(0)"
        self.wait_for(f"the page {name} is open", lambda: self.lua(title) == f"midfill://{name}")
        return self.lines()

    def health(self) -> Any:
        """What `:checkhealth midfill` reports."""
        self.api.command("checkhealth midfill")
        return self.wait_for("a report", lambda: "log: :Midf" in (now := "\n".join(self.lines())) and now)

    def messages(self) -> str:
        """What `:messages` shows."""
        return str(self.lua("return vim.api.nvim_exec2('messages', { output = true }).output"))

    def dump(self) -> str:
        """What a human would look at first: the lines, the cursor, the ghost text, the client, its log."""
        if self._program.terminal and self.api.api.get_mode()["blocking"]:
            return self.terminal.screen()  # it answers nothing else now
        log = Path(self.lua("return vim.lsp.log.get_filename()"))
        tail = log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:] if log.exists() else ""
        state = self.lua(
            "local c = vim.lsp.get_clients({ name = 'midfill' })[1];"
            "return { mode = vim.api.nvim_get_mode().mode, cursor = vim.api.nvim_win_get_cursor(0),"
            " initialized = c and c.initialized or false, status = vim.g.midfill_status or 'none',"
            " changedtick = vim.b.changedtick, answered = answered or 'nothing',"
            " messages = vim.api.nvim_exec2('messages', { output = true }).output }"
        )
        shown = "\n".join(f"  |{line}" for line in self.lines())
        return f"{shown}\nghost: {self.ghost()}\nstate: {state}\nlog:\n{tail}"
