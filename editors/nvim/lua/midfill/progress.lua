-- Which work of the server can be cancelled (`$/progress`), and cancelling it. Neovim shows the progress itself.
local client_of = require('midfill.client')

local M = {}

---@type table<string|integer, { client: integer, title: string }> by token
local cancellable = {}

function M.watch()
  vim.api.nvim_create_autocmd('LspProgress', {
    group = vim.api.nvim_create_augroup('midfill.progress', { clear = true }),
    callback = function(event)
      local params, value = event.data.params, event.data.params.value
      if value.kind == 'begin' and value.cancellable then
        local client = vim.lsp.get_client_by_id(event.data.client_id)
        local ours = client and client.name == client_of.NAME
        cancellable[params.token] = ours and { client = client.id, title = value.title } or nil
      elseif value.kind == 'end' then
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
