-- Ghost text while typing, for Neovim 0.10 and 0.11, which have none of their own: asks and shows.
local ask = require('midfill.ask')
local client_of = require('midfill.client')
local shown = require('midfill.shown')

local M = {}

-- One key raises up to three events, and the server waits for a pause by itself: this joins the events.
local JOIN_MS = 10

local timers = {} ---@type table<integer, uv.uv_timer_t>
local pending = {} ---@type table<integer, integer>

local function cancel(client, buffer)
  if pending[buffer] then
    client_of.cancel(client, pending[buffer])
    ask.ours[pending[buffer]] = nil
    pending[buffer] = nil
  end
end

local function request(buffer)
  local client = client_of.get(buffer)
  if not client or vim.api.nvim_get_current_buf() ~= buffer or vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' then
    return
  end
  cancel(client, buffer)
  pending[buffer] = ask.ask(client, buffer, ask.AUTOMATIC, function(items)
    pending[buffer] = nil
    if #items > 0 then
      shown.show(buffer, items)
    else
      shown.clear()
    end
  end)
end

local function stop(buffer)
  local timer = timers[buffer]
  timers[buffer] = nil
  if timer and not timer:is_closing() then
    timer:stop()
    timer:close()
  end
end

---@param buffer integer
function M.attach(buffer)
  local group = vim.api.nvim_create_augroup('midfill.ghost:' .. buffer, { clear = true })
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, {
    group = group,
    buffer = buffer,
    callback = function()
      stop(buffer)
      timers[buffer] = vim.defer_fn(function()
        request(buffer)
      end, JOIN_MS)
    end,
  })
  vim.api.nvim_create_autocmd('InsertLeave', {
    group = group,
    buffer = buffer,
    callback = function()
      stop(buffer)
      local client = client_of.get(buffer)
      if client then
        cancel(client, buffer)
      end
    end,
  })
end

---@param buffer integer
function M.detach(buffer)
  stop(buffer)
  shown.clear()
  pcall(vim.api.nvim_del_augroup_by_name, 'midfill.ghost:' .. buffer)
end

return M
