-- Which program is the server, and starting it: by `vim.lsp.enable` where that is (0.11), else by hand.
local client_of = require('midfill.client')

local M = {}

local script = vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2))

---The folder that is on the runtime path.
M.plugin = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(script)))

---What `setup` was given; before anything else.
---@type string[]?
M.chosen = nil

---What `setup` and `configure` were given; over what `vim.lsp.config` has.
---@type midfill.Settings
M.settings = {}

local windows = vim.fn.has('win32') == 1

---@param environment string a Python virtual environment
---@return string
function M.program_in(environment)
  return environment .. (windows and '/Scripts/midfill.exe' or '/bin/midfill')
end

---@return string where `:MidfillInstall` builds
function M.environment()
  return vim.fs.normalize(vim.fn.stdpath('data') .. '/midfill/venv')
end

---@return string? the checkout of Midfill that this plugin lies in
function M.checkout()
  local folder = vim.fs.dirname(vim.fs.dirname(M.plugin))
  return vim.uv.fs_stat(folder .. '/lsp_server/midfill') and folder or nil
end

---@return string? program, string? from
function M.find()
  local checkout = M.checkout()
  local places = {
    { M.program_in(M.environment()), ':MidfillInstall' },
    { 'midfill', 'PATH' },
    { checkout and M.program_in(checkout .. '/.venv') or '', 'make setup' },
  }
  for _, place in ipairs(places) do
    if place[1] ~= '' and vim.fn.executable(place[1]) == 1 then
      return vim.fn.exepath(place[1]), place[2]
    end
  end
end

---@return boolean there is no such program as `setup` was told to start
function M.lacks_chosen()
  return M.chosen ~= nil and vim.fn.executable(M.chosen[1]) ~= 1
end

---Where what was chosen is not there, as in another virtual environment, what is found does: an installed one.
---@return string[]? command nil: there is no server here
function M.command()
  if M.chosen and not M.lacks_chosen() then
    return M.chosen
  end
  local program = M.find()
  return program and { program, 'serve', '--stdio' }
end

---@return vim.lsp.Config the file that Neovim 0.11 finds by itself
local function configuration()
  return dofile(M.plugin .. '/lsp/midfill.lua')
end

---What `setup` was given, for Neovim 0.10, which keeps no configuration.
---@type table
M.overrides = {}

local function start_by_hand(buffer)
  local config = vim.tbl_deep_extend('force', configuration(), M.overrides)
  if not vim.tbl_contains(config.filetypes, vim.bo[buffer].filetype) or vim.bo[buffer].buftype ~= '' then
    return
  end
  config.name = client_of.NAME
  config.root_dir = vim.fs.root(buffer, vim.iter(config.root_markers):flatten():totable())
  vim.lsp.start(config, {
    bufnr = buffer,
    -- Neovim 0.10 would start one more, with a model of its own, for every file that is in no project.
    reuse_client = function(client, wanted)
      return client.name == wanted.name and client.config.root_dir == wanted.root_dir
    end,
  })
end

---Lays our settings over those in `settings`, in place: a client keeps the table that it was started with.
---@param settings table what the server is told, all sections
function M.lay_settings_over(settings)
  if not vim.tbl_isempty(M.settings) then
    settings[client_of.NAME] = vim.tbl_extend('force', settings[client_of.NAME] or {}, M.settings)
  end
end

---Takes other settings, also for servers that run: they ask for all of theirs when they hear of a change.
---@param settings midfill.Settings
function M.configure(settings)
  M.settings = vim.tbl_extend('force', M.settings, settings)
  for _, client in ipairs(vim.lsp.get_clients({ name = client_of.NAME })) do
    M.lay_settings_over(client.settings)
    client_of.notify(client, 'workspace/didChangeConfiguration', { settings = client.settings })
  end
end

local said_missing = false

---Says once a session that there is no server, and what to do.
local function say_missing()
  if not said_missing then
    said_missing = true
    local wanted = M.chosen and ('%s is not there'):format(M.chosen[1]) or 'its server is not installed'
    local remedy = M.checkout() and ':MidfillInstall installs it.' or 'Name another with `cmd`: :help midfill-setup'
    vim.notify(('Midfill: %s. %s'):format(wanted, remedy), vim.log.levels.WARN)
  end
end

---Starts the server for every buffer of its languages, those to come included. May be called again.
function M.start()
  local group = vim.api.nvim_create_augroup('midfill.server', { clear = true })
  local command = M.command()
  if not command then
    vim.api.nvim_create_autocmd('FileType', {
      group = group,
      pattern = configuration().filetypes,
      callback = say_missing,
    })
    if vim.tbl_contains(configuration().filetypes, vim.bo.filetype) then
      vim.schedule(say_missing)
    end
  elseif vim.lsp.config then
    vim.lsp.config(client_of.NAME, { cmd = command })
    vim.lsp.enable(client_of.NAME)
  else
    M.overrides.cmd = command
    vim.api.nvim_create_autocmd('FileType', {
      group = group,
      callback = function(event)
        start_by_hand(event.buf)
      end,
    })
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      if vim.api.nvim_buf_is_loaded(buffer) then
        start_by_hand(buffer)
      end
    end
  end
end

return M
