-- What the server does that takes its time and can be cancelled (`$/progress`): how far it is, in the message
-- line, and cancelling it. Neovim itself shows nothing of it.
local client_of = require('midfill.client')

local M = {}

---@type table<string|integer, { client: integer, title: string }> by token
local cancellable = {}

---Whether to tell; who has another plugin for it wants it once.
M.is_told = true

---@return string? what there is to tell of a piece of work; an end but by a cancel has a message of its own
local function words_of(title, value)
  if value.kind == 'begin' then
    return title .. ' …'
  elseif value.kind == 'report' then
    local share = (value.percentage or 0) > 0 and ('%d %% · '):format(value.percentage) or ''
    return ('%s: %s%s'):format(title, share, value.message or '')
  end
  return value.message == 'cancelled' and title .. ': cancelled' or nil
end

---One line, which goes away with the next message.
local function tell(text)
  if M.is_told then
    -- A longer one would want Enter.
    vim.api.nvim_echo({ { vim.fn.strcharpart(text, 0, vim.v.echospace) } }, false, {})
  end
end

function M.watch()
  vim.api.nvim_create_autocmd('LspProgress', {
    group = vim.api.nvim_create_augroup('midfill.progress', { clear = true }),
    callback = function(event)
      local params, value = event.data.params, event.data.params.value
      if value.kind == 'begin' and value.cancellable then
        local client = vim.lsp.get_client_by_id(event.data.client_id)
        local ours = client and client.name == client_of.NAME
        cancellable[params.token] = ours and { client = client.id, title = value.title } or nil
      end
      local work = cancellable[params.token]
      local text = work and words_of(work.title, value)
      if text then
        tell(text)
      end
      if value.kind == 'end' then
        cancellable[params.token] = nil
      end
      if value.kind ~= 'report' then
        require('midfill.status').redraw()
      end
    end,
  })
end

---@return string? what is under way, without our name
function M.title()
  local _, work = next(cancellable)
  return work and (work.title:gsub('^Midfill: ', ''))
end

---@return integer how many
function M.cancel()
  local count = 0
  for token, work in pairs(cancellable) do
    local client = vim.lsp.get_client_by_id(work.client)
    if client then
      client_of.notify(client, 'window/workDoneProgress/cancel', { token = token })
      count = count + 1
    end
  end
  if count == 0 then
    vim.api.nvim_echo({ { 'Midfill: nothing is under way that could be cancelled' } }, false, {})
  end
  return count
end

return M
