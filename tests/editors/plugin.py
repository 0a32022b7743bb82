"""The Neovim plugin as a user's configuration names it: where it lies, and the README's lines for it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = "{ keymaps = true }"
"""What the README gives to `setup`."""


def bare_checkout(folder: Path) -> Path:
    """This checkout as it is before `make setup`: the plugin would take the server of a `.venv` in it."""
    folder.mkdir()
    for part in ("editors", "lsp_server", "model", "tools"):
        (folder / part).symlink_to(ROOT / part)
    return folder


def set_up(checkout: Path, options: str) -> str:
    """The lines that the README tells a user to put into init.lua, with other options for `setup`."""
    folder = checkout / "editors" / "nvim"
    blocks = re.findall(r"```lua\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert OPTIONS in blocks[0]
    return str(blocks[0]).replace("/path/to/midfill/editors/nvim", str(folder)).replace(OPTIONS, options)
