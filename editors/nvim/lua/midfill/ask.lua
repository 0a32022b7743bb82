-- `textDocument/inlineCompletion` by our own hand: the request, and its items as `shown.lua` wants them.
local client_of = require('midfill.client')

local M = {}

M.METHOD = 'textDocument/inlineCompletion'
M.INVOKED, M.AUTOMATIC = 1, 2

---Ids of requests under way that this file has sent; Neovim 0.12 sends its own.
---@type table<integer, true>
M.ours = {}

---@return midfill.Item?
local function item_of(client, buffer, found)
  if type(found.insertText) ~= 'string' or found.insertText == '' then
    return nil
  end
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  row = row - 1
  local last = col
  if found.range then
    if found.range.start.line ~= row or found.range['end'].line ~= row then
      return nil
    end
    local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
    col = client_of.bytes(line, found.range.start.character, client.offset_encoding)
    last = client_of.bytes(line, found.range['end'].character, client.offset_encoding)
  end
  local covered = vim.api.nvim_buf_get_text(buffer, row, col, row, last, {})[1]
  return { text = found.insertText, row = row, col = col, covered = covered, done = M.teller(client, found.command) }
end

---@return fun()? what tells the server that its suggestion was taken
function M.teller(client, command)
  return command and function()
    client_of.execute(client, command.command, command.arguments)
  end
end

---Asks for suggestions at the cursor. `done(items)` comes only if the text is still the same, and not at all
---when the server has been asked anew in the meantime.
---@param done fun(items: midfill.Item[])
---@return integer? id
function M.ask(client, buffer, kind, done)
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local id
  local function answered(problem, result)
    if id then
      M.ours[id] = nil
    end
    local now = vim.api.nvim_get_current_buf() == buffer and vim.api.nvim_win_get_cursor(0) or {}
    local same = now[1] == row and now[2] == col and vim.api.nvim_buf_get_changedtick(buffer) == tick
    if problem or not result or not same then
      return
    end
    local items = {}
    for _, found in ipairs(result.items or result) do
      items[#items + 1] = item_of(client, buffer, found)
    end
    done(items)
  end
  local sent
  sent, id = client_of.request(client, M.METHOD, params, answered, buffer)
  if sent and id then
    M.ours[id] = true
  end
  return sent and id or nil
end

return M
