-- `:checkhealth midfill`: what is here, what is missing, and what to do about it.
local client_of = require('midfill.client')
local server = require('midfill.server')
local versions = require('midfill.versions')

local M = {}

local VERSION_TIMEOUT_MS = 20000

local function editor()
  local version = tostring(vim.version())
  if vim.lsp.inline_completion then
    vim.health.ok(('Neovim %s shows inline completions itself'):format(version))
  elseif vim.fn.has('nvim-0.10') == 1 then
    vim.health.ok(('Neovim %s: this plugin draws the suggestions (0.12 does so itself)'):format(version))
  else
    vim.health.error(('Neovim %s is too old'):format(version), { 'Install Neovim 0.10 or later.' })
  end
end

local function program()
  local command = server.command()
  if server.lacks_chosen() then
    local advice = { 'Put right `cmd` in your configuration, or leave it out.' }
    vim.health.warn(('`cmd` names %s, which is not there'):format(server.chosen[1]), advice)
  end
  if not command then
    local advice = { ':MidfillInstall', "or setup({ cmd = { '/path/to/midfill', 'serve', '--stdio' } })" }
    vim.health.error('no server: `midfill` was not found', advice)
    return
  end
  local ended = vim.system({ command[1], '--version' }, { text = true }):wait(VERSION_TIMEOUT_MS)
  local version = (ended.stdout or ''):match('%d+%.%d+%.%S+')
  vim.health.ok(('server: %s (%s)'):format(command[1], version or 'of unknown version'))
  local advice = versions.advice(version)
  if advice then
    vim.health.warn(advice)
  else
    vim.health.ok(('server and plugin (%s) fit together'):format(versions.plugin))
  end
end

local function session()
  local clients = vim.lsp.get_clients({ name = client_of.NAME })
  if #clients == 0 then
    vim.health.info('the server is not running: it starts with the first file of a language it knows')
    return
  end
  local buffers = 0
  for _, client in ipairs(clients) do
    buffers = buffers + vim.tbl_count(client.attached_buffers)
  end
  vim.health.ok(('running for %d buffers'):format(buffers))
  local now = require('midfill.status').current
  if not now then
    vim.health.warn('it has not said yet how it is')
  elseif now.state == 'failed' then
    vim.health.error(('the model cannot be used: %s'):format(now.reason), { ':MidfillLog', 'midfill doctor' })
  elseif now.state == 'off' and now.reason == 'no-model' then
    vim.health.warn('there is no model yet', { ':MidfillPull downloads the default one' })
  else
    local on = now.device and (' on %s'):format(now.device) or ''
    vim.health.ok(('%s: %s%s'):format(now.state, now.model ~= '' and now.model or 'no model', on))
  end
end

---Two that suggest in one buffer draw over each other.
local function others()
  for _, client in ipairs(vim.lsp.get_clients()) do
    if client.name ~= client_of.NAME and client_of.supports(client, 'textDocument/inlineCompletion') then
      vim.health.warn(('%s suggests inline too'):format(client.name), { 'Have one of the two on in a buffer.' })
    end
  end
end

local function keys()
  local found = {}
  for _, mapping in ipairs(vim.api.nvim_get_keymap('i')) do
    if (mapping.desc or ''):find('^Midfill: ') and not mapping.lhs:find('^<Plug>') then
      found[#found + 1] = ('%s: %s'):format(mapping.lhs, mapping.desc:gsub('^Midfill: ', ''))
    end
  end
  table.sort(found)
  if #found > 0 then
    vim.health.ok('keys: ' .. table.concat(found, '; '))
  else
    vim.health.info('no keys of ours are mapped: setup({ keymaps = true }), or your own; :help midfill-keys')
  end
end

local function installer()
  local found, version = require('midfill.python').find()
  if found then
    vim.health.ok(('Python %s for :MidfillInstall: %s'):format(version, found))
  else
    vim.health.warn((':MidfillInstall needs Python %s or later, with venv'):format(require('midfill.python').MINIMUM))
  end
end

function M.check()
  vim.health.start('midfill: editor')
  editor()
  keys()
  others()
  vim.health.start('midfill: server')
  program()
  installer()
  session()
  vim.health.info('log: :MidfillLog; stderr is in ' .. require('midfill.log').file())
end

return M
