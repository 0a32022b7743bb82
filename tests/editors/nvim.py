"""A real Neovim that a test types into: starts it, presses keys, reads the screen's ghost text.

Knows how Neovim, or our plugin, shows inline completions (an extmark in its namespace); must not know what
a test expects. Neovim runs the lines of `editors/nvim/README.md`, so those are tested too.
"""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

import psutil
import pynvim

from tests.editors.plugin import ROOT, bare_checkout, set_up

POLL_S = 0.02
DEADLINE_S = 30.0
"""For anything that needs no model: a busy machine must not fail a test that is right."""
LOG_TAIL_CHARS = 3000
SHUTDOWN_S = 5.0
"""For `:qall` and an orderly end of the server, before whatever is left is killed."""

INIT = """
vim.o.swapfile = false
{before}
{readme}
local encodings = vim.json.decode('{encodings}')
if #encodings > 0 then
  local wanted = {{ general = {{ positionEncodings = encodings }} }}
  vim.lsp.config('midfill', {{ capabilities = wanted }})
end
-- The document's state at the time of each request, and of the last one answered.
_G.asked, _G.answered = {{}}, nil
vim.api.nvim_create_autocmd('LspRequest', {{ callback = function(event)
  local request = event.data.request
  if request.method ~= 'textDocument/inlineCompletion' then return end
  if request.type == 'pending' then
    asked[event.data.request_id] = vim.b[event.buf].changedtick
  elseif request.type == 'complete' then
    answered = asked[event.data.request_id]
  end
end }})
"""


def shows_inline_completions(program: str) -> bool:
    """Whether this Neovim starts and is new enough (0.12)."""
    return _says(program, "(vim.lsp or {}).inline_completion ~= nil")


def has_version(program: str, version: str) -> bool:
    """Whether this Neovim starts and is of the line `version`, such as `0.10`."""
    return _says(program, f"vim.startswith(tostring(vim.version()), '{version}.')")


def _says(program: str, expression: str) -> bool:
    command = [program, "--clean", "--headless", "-l", "-"]
    script = f"io.write(tostring({expression}))"
    ended = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
    return ended.stdout.strip() == "true"


@dataclass(frozen=True, slots=True)
class Ghost:
    """Ghost text as it stands on the screen: 0-based row, byte column, and the text."""

    row: int
    column: int
    text: str


class NvimSession:
    """One Neovim with one file open. Use as a context manager: nothing it started is left running."""

    def __init__(
        self,
        program: str,
        server_folder: Path,
        file: Path,
        settings: dict[str, object],
        *,
        encodings: tuple[str, ...] = (),
        before: str = "",
        extra_lua: str = "",
        keymaps: object = True,
        ready_made: bool = True,
    ) -> None:
        """`before`, `extra_lua`: lines around those of the README. `ready_made`: a server is on PATH; else
        there is none at all."""
        home = file.parent.parent / "nvim-home"
        home.mkdir(exist_ok=True)
        checkout = ROOT if ready_made else bare_checkout(home / "checkout")
        init = home / "init.lua"
        given = json.dumps({"settings": settings, "keymaps": keymaps})
        options = f"vim.json.decode([==[{given}]==])"
        init.write_text(
            INIT.format(
                before=before,
                readme=set_up(checkout, options),
                encodings=json.dumps(encodings),
            )
            + extra_lua,
            encoding="utf-8",
        )
        self.file = file
        self._program, self._init = program, init
        self._environment = {
            "PATH": f"{server_folder}{os.pathsep}{os.environ['PATH']}" if ready_made else "/usr/bin:/bin",
            "NVIM_LOG_FILE": str(home / "nvim.log"),
            "MIDFILL_STATISTICS_DIR": str(home / "statistics"),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")},
        }

    def __enter__(self) -> Self:
        command = [self._program, "--embed", "--headless", "-u", str(self._init), "-i", "NONE"]
        with mock.patch.dict(os.environ, self._environment):  # pynvim passes ours on
            self.api = pynvim.attach("child", argv=[*command, str(self.file)])
        self.process = psutil.Process(self.api.funcs.getpid())
        self._seen = {self.process}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.family()  # a killed Neovim has no children any more: end those seen before, too
        with contextlib.suppress(OSError, EOFError, pynvim.NvimError):
            self.api.command("qall!")
        _, alive = psutil.wait_procs(self._seen, timeout=SHUTDOWN_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.api.close()

    def family(self) -> list[psutil.Process]:
        """Neovim and every process below it, the server's among them."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [self.process, *self.process.children(recursive=True)]
            self._seen.update(family)
            return family
        return []

    def lua(self, code: str, *arguments: object) -> Any:
        return self.api.exec_lua(code, *arguments)

    def wait_for(self, what: str, check: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
        """Ask `check` until it answers something true, and return that. Fails with a dump of the screen."""
        end = time.monotonic() + deadline_s
        while not (seen := check()):
            if time.monotonic() > end:
                raise AssertionError(f"after {deadline_s:.0f} s still not: {what}\n{self.dump()}")
            time.sleep(POLL_S)
        return seen

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
