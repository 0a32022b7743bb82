-- The commands `:Midfill…`. Each is a line or two here; the work is done elsewhere.
local client_of = require('midfill.client')

local M = {}

---@return vim.lsp.Client? the one of this buffer, or any; says so where there is none
local function client()
  local found = client_of.get(vim.api.nvim_get_current_buf()) or client_of.get()
  if not found then
    vim.notify('Midfill is not running here. :checkhealth midfill says why.', vim.log.levels.WARN)
  end
  return found
end

---Asks the server, and hands its answer on.
local function ask(command, arguments, done)
  local found = client()
  if found then
    client_of.execute(found, command, arguments, done)
  end
end

local function page(name, write)
  return function(result)
    require('midfill.page').open(name, require('midfill.reports')[write](result))
  end
end

local function restart()
  for _, found in ipairs(vim.lsp.get_clients({ name = client_of.NAME })) do
    client_of.stop(found)
  end
  local function start_when_gone(tries)
    if client_of.get() and tries > 0 then
      vim.defer_fn(function()
        start_when_gone(tries - 1)
      end, 100)
    else
      require('midfill.server').start()
    end
  end
  start_when_gone(50)
end

local function toggle(call)
  local scope = call.args == '' and 'all' or call.args
  local on = require('midfill.switch').toggle(scope)
  local where = scope == 'buffer' and ' in this buffer' or ''
  vim.api.nvim_echo({ { ('Midfill suggests %s%s'):format(on and 'again' or 'nothing more', where) } }, false, {})
end

local COMMANDS = {
  Status = { 'What Midfill is doing', function()
    require('midfill.page').open('status', require('midfill.reports').status())
  end },
  Explain = { 'Why the last suggestion came out as it did, or did not', function()
    ask('midfill.explainLast', nil, page('explain', 'explanation'))
  end },
  Stats = { 'What was suggested, and what became of it', function(call)
    ask('midfill.stats', { tonumber(call.args) }, page('stats', 'statistics'))
  end, nargs = '?' },
  Log = { "The server's log", function()
    require('midfill.log').open()
  end },
  Toggle = { 'Suggestions off or on: everywhere, or in this buffer', toggle, nargs = '?',
    complete = function()
      return { 'buffer' }
    end },
  Set = { 'Change a setting, from now on', function(call)
    require('midfill.set').change(call.args)
  end, nargs = '+', complete = function(start)
    return require('midfill.set').names(start)
  end },
  Restart = { 'Start the server again', restart },
  Cancel = { 'Stop the code actions under way', function()
    require('midfill.progress').cancel()
  end },
  Pull = { 'Download a model and use it', function(call)
    ask('midfill.pullModel', call.args ~= '' and { call.args } or {}, function(result)
      if not result.started then
        vim.notify('Midfill: a download is under way already')
      end
    end)
  end, nargs = '?' },
  Install = { 'Install the server', function(call)
    require('midfill.install').run({ again = call.bang })
  end, bang = true },
}

---May be called again.
function M.define()
  for name, command in pairs(COMMANDS) do
    vim.api.nvim_create_user_command('Midfill' .. name, command[2], {
      desc = command[1],
      nargs = command.nargs or 0,
      bang = command.bang or false,
      complete = command.complete,
    })
  end
  vim.api.nvim_set_hl(0, 'MidfillSuggestion', { default = true, link = vim.lsp.inline_completion and 'ComplHint' or 'NonText' })
  vim.api.nvim_set_hl(0, 'MidfillCount', { default = true, link = 'MoreMsg' })
  require('midfill.progress').watch()
end

return M
