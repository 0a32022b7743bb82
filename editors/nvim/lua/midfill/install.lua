-- `:MidfillInstall`: builds the server's environment from the checkout that the plugin lies in. The work is
-- done by tools/install_server.py there, which says in lines of JSON how far it is.
local python = require('midfill.python')
local server = require('midfill.server')
local status = require('midfill.status')

local M = {}

local running ---@type vim.SystemObj?
local last_error = ''

---@param message string
local function say(message, level)
  vim.notify('Midfill: ' .. message, level or vim.log.levels.INFO)
end

local function show(message, fraction)
  status.installing = message
  status.redraw()
  local done = type(fraction) == 'number' and (' %3d %%'):format(fraction * 100) or ''
  vim.api.nvim_echo({ { ('Midfill%s: %s'):format(done, message) } }, false, {})
end

---One line of the installer.
local function take(line)
  local understood, said = pcall(vim.json.decode, line)
  if not understood or type(said) ~= 'table' then
    return
  elseif said.message then
    show(said.message, said.fraction)
  elseif said.error then
    last_error = said.error
  end
end

---Calls `take` with whole lines, however they arrive.
local function by_lines()
  local rest = ''
  return function(_, data)
    rest = rest .. (data or '')
    vim.schedule(function()
      for line in rest:gmatch('([^\n]*)\n') do
        take(line)
      end
      rest = rest:match('[^\n]*$')
    end)
  end
end

local function ended(result, output)
  running, status.installing = nil, nil
  status.redraw()
  if result.code == 0 then
    say(('installed in %s'):format(server.environment()))
    vim.cmd.MidfillRestart()
  else
    local why = last_error ~= '' and last_error or ('exit status %d'):format(result.code)
    say(('the installation failed: %s. What pip said: :MidfillLog'):format(why), vim.log.levels.ERROR)
    require('midfill.log').take({ type = 1, message = output })
  end
end

---@param options { again: boolean } `again`: from scratch, whatever is there
function M.run(options)
  local checkout = server.checkout()
  if running then
    say('is being installed already: ' .. (status.installing or ''))
    return
  elseif not checkout then
    say('this plugin does not lie in a checkout of Midfill: install the server yourself (pip install)', vim.log.levels.ERROR)
    return
  end
  local program = python.find()
  if not program then
    local needed = ('Python %s or later, with venv, is needed (on Debian and Ubuntu: apt install python3-venv)')
    say(needed:format(python.MINIMUM), vim.log.levels.ERROR)
    return
  end
  if options.again then
    vim.fn.delete(server.environment(), 'rf')
  end
  last_error = ''
  show('looking at this machine')
  local command = { program, checkout .. '/tools/install_server.py', server.environment(), checkout }
  if vim.fn.executable('uv') == 1 then
    vim.list_extend(command, { '--uv', vim.fn.exepath('uv') })
  end
  local output = {}
  running = vim.system(command, {
    stdout = by_lines(),
    stderr = function(_, data)
      output[#output + 1] = data
    end,
  }, function(result)
    vim.schedule(function()
      ended(result, table.concat(output))
    end)
  end)
end

return M
