-- Suggestions on and off: everywhere, or in one buffer. The server stays, so code actions do too.
local client_of = require('midfill.client')

local M = {}

---@param buffer integer
---@return boolean
function M.is_off(buffer)
  return vim.g.midfill_off == true or vim.b[buffer].midfill_off == true
end

---@param buffer integer
function M.apply(buffer)
  require('midfill.suggestion').enable(buffer, not M.is_off(buffer))
end

local function apply_everywhere()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if client_of.get(buffer) then
      M.apply(buffer)
    end
  end
  require('midfill.status').redraw()
end

---@param scope 'all'|'buffer'
---@return boolean on
function M.toggle(scope)
  local store = scope == 'buffer' and vim.b or vim.g
  store.midfill_off = not store.midfill_off or nil
  apply_everywhere()
  return not store.midfill_off
end

return M
