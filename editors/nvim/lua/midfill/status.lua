-- What the server says of itself (`midfill/status`), kept for the status line and for `:MidfillStatus`.
local M = {}

---@class midfill.Status
---@field state 'starting'|'downloading'|'loading'|'ready'|'busy'|'failed'|'off'
---@field reason string
---@field model string
---@field device? string
---@field progress? number 0–1

---@type midfill.Status?
M.current = nil

---What `:MidfillInstall` is doing, while it does.
---@type string?
M.installing = nil

---@param status midfill.Status
function M.take(status)
  for key, value in pairs(status) do
    status[key] = value ~= vim.NIL and value or nil
  end
  M.current = status
  vim.g.midfill_status = status
  M.redraw()
end

function M.redraw()
  vim.api.nvim_exec_autocmds('User', { pattern = 'MidfillStatus', modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

local WORDS = {
  starting = 'starting',
  downloading = 'downloading',
  loading = 'loading',
  failed = 'failed',
}

---A few words for a status line; no `%`, which would mean something there. Empty where Midfill is not at work.
---@return string
function M.line()
  if M.installing then
    return 'Midfill: installing'
  end
  local client = require('midfill.client').get(vim.api.nvim_get_current_buf())
  if not client then
    return ''
  end
  local status = M.current or { state = 'starting' }
  local work = require('midfill.progress').title()
  if work then
    return 'Midfill: ' .. work:gsub('%%', '')
  elseif require('midfill.switch').is_off(vim.api.nvim_get_current_buf()) then
    return 'Midfill: off'
  elseif status.state == 'ready' then
    return 'Midfill'
  elseif status.state == 'busy' then
    return 'Midfill …'
  elseif status.state == 'off' then
    return ('Midfill: %s'):format((status.reason or ''):gsub('-', ' '))
  end
  local done = status.progress and (' %d/100'):format(status.progress * 100) or ''
  return ('Midfill: %s%s'):format(WORDS[status.state] or status.state, done)
end

return M
