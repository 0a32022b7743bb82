"""The Neovim plugin as a user's configuration names it: where it lies, and the README's lines for it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = "{ keymaps = true }"
"""What the README gives to `setup`."""

LAZY = """
-- What lazy.nvim does with a plugin, in its order: Neovim itself loads none, the plugin's folder comes onto
-- the runtime path, then its plugin/ files, then `config`; an event that it waited for comes again.
vim.go.loadplugins = false
vim.loader.enable()
local spec = {spec}
local function load()
  vim.opt.runtimepath:append(spec.dir)
  for _, file in ipairs(vim.fn.glob(spec.dir .. '/plugin/**/*.lua', true, true)) do
    vim.cmd.source(file)
  end
  spec.config({{ name = 'midfill', dir = spec.dir }}, {{}})
end
local function load_on(event, again)
  vim.api.nvim_create_autocmd(event, {{ once = true, callback = function(found)
    load()
    if again then
      vim.api.nvim_exec_autocmds(event, {{ buffer = found.buf, modeline = false }})
    end
  end }})
end
local moments = {{
  start = load,
  ft = function() load_on('FileType', true) end,
  VeryLazy = function()
    vim.api.nvim_create_autocmd('VimEnter', {{ callback = function() vim.schedule(load) end }})
  end,
}}
moments['{moment}']()
"""


def bare_checkout(folder: Path) -> Path:
    """This checkout as it is before `make setup`: the plugin would take the server of a `.venv` in it."""
    folder.mkdir()
    for part in ("editors", "lsp_server", "model", "tools"):
        (folder / part).symlink_to(ROOT / part)
    return folder


def set_up(checkout: Path, options: str, lazy: str = "") -> str:
    """The lines that the README tells a user to put into init.lua, with other options for `setup`.

    `lazy`: those for lazy.nvim, which loads the plugin at this moment: `start`, `ft` or `VeryLazy`.
    """
    folder = checkout / "editors" / "nvim"
    text = (folder / "README.md").read_text(encoding="utf-8")
    plain, spec, *_ = re.findall(r"```lua\n(.*?)```", text, re.DOTALL)
    lines = str(spec if lazy else plain)
    assert OPTIONS in lines
    lines = lines.replace("/path/to/midfill", str(checkout)).replace(OPTIONS, options)
    return LAZY.format(spec=lines, moment=lazy) if lazy else lines
