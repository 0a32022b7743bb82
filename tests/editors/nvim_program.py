"""A Neovim as a process: a home of its own, the README's lines as its init.lua, ended with all below it.

Embedded, or in a terminal where its own screen and questions are; both answer to pynvim. Knows nothing of
what is on the screen.
"""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path
from unittest import mock

import psutil
import pynvim

from midfill.model.store.local import CACHE_ENV, cache_root
from tests.editors.plugin import ROOT, bare_checkout, set_up
from tests.editors.processes import end
from tests.editors.terminal import Terminal
from tests.editors.waiting import DEADLINE_S, POLL_S

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
{after}
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


class NvimProgram:
    """One Neovim with one file open."""

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
        checkout: Path | None = None,
        lazy: str = "",
        in_terminal: bool = False,
        without_model: bool = False,
    ) -> None:
        """`before`, `extra_lua`: lines around those of the README. `lazy`: when lazy.nvim loads the plugin
        (`plugin.py`). `ready_made`: a server is on PATH; else there is none at all, nor in `checkout`, this
        one or another. `without_model`: as on a machine where none was downloaded."""
        self._home = home = file.parent.parent / "nvim-home"
        home.mkdir(exist_ok=True)
        checkout = checkout or (ROOT if ready_made else bare_checkout(home / "checkout"))
        given = json.dumps({"settings": settings, "keymaps": keymaps})
        init = home / "init.lua"
        init.write_text(
            INIT.format(
                before=before,
                readme=set_up(checkout, f"vim.json.decode([==[{given}]==])", lazy),
                encodings=json.dumps(encodings),
                after=extra_lua,
            ),
            encoding="utf-8",
        )
        self._command = [program, "-u", str(init), "-i", "NONE", str(file)]
        self._environment = {
            "PATH": f"{server_folder}{os.pathsep}{os.environ['PATH']}" if ready_made else "/usr/bin:/bin",
            "NVIM_LOG_FILE": str(home / "nvim.log"),
            "MIDFILL_STATISTICS_DIR": str(home / "statistics"),
            "MIDFILL_STATE_DIR": str(home / "state"),
            CACHE_ENV: str(home / "empty" if without_model else cache_root()),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")},
        }
        self.terminal = Terminal(home, os.environ | self._environment) if in_terminal else None

    def start(self) -> pynvim.Nvim:
        self.api = self._in_terminal(self.terminal) if self.terminal else self._embedded()
        self.process = psutil.Process(self.api.funcs.getpid())
        self._seen = {self.process}
        return self.api

    def _embedded(self) -> pynvim.Nvim:
        program, *arguments = self._command
        with mock.patch.dict(os.environ, self._environment):  # pynvim passes ours on
            return pynvim.attach("child", argv=[program, "--embed", "--headless", *arguments])

    def _in_terminal(self, terminal: Terminal) -> pynvim.Nvim:
        socket = self._home / "socket"
        program, *arguments = self._command
        terminal.start(program, "--listen", str(socket), *arguments)
        latest = time.monotonic() + DEADLINE_S
        while True:
            try:
                return pynvim.attach("socket", path=str(socket))
            except OSError:
                if time.monotonic() > latest:
                    raise
                time.sleep(POLL_S)

    def stop(self) -> None:
        self.family()  # a killed Neovim has no children any more: end those seen before, too
        with contextlib.suppress(OSError, EOFError, pynvim.NvimError):
            self.api.command("qall!")
        end(self._seen, SHUTDOWN_S)
        self.api.close()
        if self.terminal:
            self.terminal.stop()

    def family(self) -> list[psutil.Process]:
        """Neovim and every process below it, the server's among them."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [self.process, *self.process.children(recursive=True)]
            self._seen.update(family)
            return family
        return []
