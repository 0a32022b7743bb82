-- Midfill in Neovim: the functions that a user's configuration calls. Each is done in a file of its own.
local M = {}

---@class midfill.Options
---@field cmd? string[] how the server is started; found by itself otherwise
---@field settings? midfill.Settings the server's settings, without `midfill.` before their names
---@field keymaps? boolean|table<string, string|false> true: `midfill.keys`.DEFAULTS; or keys by name
---@field filetypes? string[] instead of the languages in lsp/midfill.lua
---@field progress? boolean false: another plugin shows how far code actions are

local TYPES = {
  cmd = 'table',
  settings = 'table',
  keymaps = { 'table', 'boolean' },
  filetypes = 'table',
  progress = 'boolean',
}

local function check(options)
  for name, value in pairs(options) do
    local wanted = TYPES[name]
    if not wanted then
      error(('midfill: setup has no option %q; it has %s'):format(name, table.concat(vim.tbl_keys(TYPES), ', ')), 0)
    elseif not vim.tbl_contains(vim.islist(wanted) and wanted or { wanted }, type(value)) then
      error(('midfill: the option %s is a %s, not a %s'):format(name, vim.inspect(wanted), type(value)), 0)
    end
  end
end

---Changes settings from now on, without starting anything again.
---@param settings midfill.Settings
function M.configure(settings)
  if type(settings) ~= 'table' then
    error(('midfill: settings are a table, not a %s'):format(type(settings)), 0)
  end
  require('midfill.server').configure(settings)
end

---Starts the server for its languages, and suggests. Takes no key that it was not told to.
---@param options? midfill.Options
function M.setup(options)
  options = options or {}
  check(options)
  if vim.fn.has('nvim-0.10') == 0 then
    vim.notify('Midfill needs Neovim 0.10 or later.', vim.log.levels.ERROR)
    return
  end
  require('midfill.commands').define()
  require('midfill.progress').is_told = options.progress ~= false
  require('midfill.keys').define_plugs()
  require('midfill.keys').map(options.keymaps)
  local server = require('midfill.server')
  server.chosen = options.cmd
  server.configure(options.settings or {})
  local overrides = { filetypes = options.filetypes }
  if vim.lsp.config then
    vim.lsp.config('midfill', overrides)
  else
    server.overrides = overrides
  end
  server.start()
end

---For a status line: a few words, or none.
---@return string
function M.statusline()
  return require('midfill.status').line()
end

-- `require('midfill').accept('<Tab>')`: accepts, or presses the keys where nothing is suggested.
for _, name in ipairs({ 'accept', 'accept_word', 'accept_line', 'dismiss', 'next', 'previous' }) do
  M[name] = function(otherwise)
    return require('midfill.suggestion')[name](otherwise)
  end
end

return M
