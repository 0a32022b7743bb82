"""The lines that each editor needs to start the server, as texts. Pure."""

import json
from collections.abc import Sequence
from pathlib import Path


def neovim(plugin: Path, command: Sequence[str]) -> str:
    """For a file that Neovim reads at start. `plugin`: the folder for the runtime path."""
    lua = ", ".join(map(_lua, command))
    return (
        f"vim.opt.runtimepath:append({_lua(str(plugin))})\n"
        "require('midfill').setup({\n"
        f"  cmd = {{ {lua} }},\n"
        "  keymaps = true, -- <M-l> accepts; :help midfill-keys\n"
        "})\n"
    )


def vscode(program: str) -> str:
    return (
        "Install the extension (`make vsix` in a checkout builds dist/midfill-VERSION.vsix):\n\n"
        "    code --install-extension midfill-VERSION.vsix\n\n"
        "It installs a server of its own, or uses this one, in settings.json:\n\n"
        f'    "midfill.server.path": {json.dumps(program)}\n'
    )


def emacs(command: Sequence[str]) -> str:
    """Eglot has no inline completion: suggestions come in its completion menu."""
    strings = " ".join(map(_lisp, command))
    return (
        ";; Not tested. Eglot starts one server for a mode: Midfill takes the place of another one.\n"
        "(with-eval-after-load 'eglot\n"
        "  (add-to-list 'eglot-server-programs\n"
        f"               '((python-mode python-ts-mode) . ({strings}))))\n"
    )


def _lua(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _lisp(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
