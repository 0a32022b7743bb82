-- The one suggestion that is on the screen by our hand: draws it, follows typing, puts pieces into the buffer.
-- Neovim 0.12 draws suggestions itself; there this file holds what is left of one that was taken in part, and
-- candidates that are cycled through. Knows nothing of servers and requests.
local pieces = require('midfill.pieces')

local M = {}

local namespace = vim.api.nvim_create_namespace('midfill')
local group = vim.api.nvim_create_augroup('midfill.shown', { clear = true })

---@class midfill.Item
---@field text string what is written from (row, col) on
---@field row integer 0-based
---@field col integer in bytes
---@field covered string what stands at (row, col) and is typed again by `text`
---@field done? fun() called when all of it was taken

---@type { buffer: integer, items: midfill.Item[], index: integer, count?: boolean }?
local state

---@param row integer
---@return string
local function line_of(buffer, row)
  return vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
end

---The item as it is now that some of it may have been typed: from the cursor on; nil: it fits no longer.
---@param item midfill.Item
---@return midfill.Item?
function M.at_cursor(item, buffer)
  if vim.api.nvim_get_current_buf() ~= buffer or vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' then
    return nil
  end
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local line = line_of(buffer, row - 1)
  local typed = line:sub(item.col + 1, col)
  if row - 1 ~= item.row or col < item.col or item.text:sub(1, #typed) ~= typed or #typed >= #item.text then
    return nil
  end
  local rest = item.text:sub(#typed + 1)
  local covered = item.covered
  if line:sub(col + 1, col + #covered) ~= covered then
    covered = ''
  end
  covered = covered:sub(pieces.overtaken(covered, rest) + 1)
  return { text = rest, row = item.row, col = col, covered = covered, done = item.done }
end

local function draw(buffer, item, hint)
  local lines = {}
  for text in vim.gsplit(item.text, '\n', { plain = true }) do
    lines[#lines + 1] = { { text, 'MidfillSuggestion' } }
  end
  if hint then
    table.insert(lines[#lines], { hint, 'MidfillCount' })
  end
  vim.api.nvim_buf_set_extmark(buffer, namespace, item.row, item.col, {
    virt_text = lines[1],
    virt_lines = vim.list_slice(lines, 2),
    virt_text_pos = item.covered ~= '' and 'overlay' or 'inline',
    hl_mode = 'combine',
  })
end

local function refresh()
  local item = M.current()
  if not item then
    return M.clear()
  end
  vim.api.nvim_buf_clear_namespace(state.buffer, namespace, 0, -1)
  draw(state.buffer, item, state.count and (' (%d/%d)'):format(state.index, #state.items) or nil)
end

---@return midfill.Item? what could be taken now
function M.current()
  return state and M.at_cursor(state.items[state.index], state.buffer)
end

---@return integer how many there are to choose from
function M.count()
  return state and #state.items or 0
end

function M.clear()
  if state and vim.api.nvim_buf_is_valid(state.buffer) then
    vim.api.nvim_buf_clear_namespace(state.buffer, namespace, 0, -1)
  end
  state = nil
  vim.api.nvim_clear_autocmds({ group = group })
end

---@param items midfill.Item[]
---@param options? { index?: integer, count?: boolean } `count`: say which of how many it is
function M.show(buffer, items, options)
  M.clear()
  options = options or {}
  state = { buffer = buffer, items = items, index = options.index or 1, count = options.count }
  refresh()
  if not state then
    return
  end
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = callback })
  end
  on({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, refresh)
  on({ 'InsertLeave', 'BufLeave', 'BufUnload' }, M.clear)
end

---@param step integer
function M.cycle(step)
  if state then
    M.show(state.buffer, state.items, { index = (state.index - 1 + step) % #state.items + 1, count = true })
  end
end

---Puts a piece of it into the buffer, behind it the cursor; what is left stays on the screen.
---@param cut fun(text: string): string
---@return boolean
function M.take(cut)
  local item = M.current()
  if not item then
    return false
  end
  local buffer, piece = state.buffer, cut(item.text)
  local rest = item.text:sub(#piece + 1)
  local gone = pieces.overtaken(item.covered, rest)
  M.clear()
  local lines = vim.split(piece, '\n', { plain = true })
  vim.api.nvim_buf_set_text(buffer, item.row, item.col, item.row, item.col + gone, lines)
  local row = item.row + #lines - 1
  local col = (#lines == 1 and item.col or 0) + #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + 1, col })
  if rest ~= '' then
    local covered = item.covered:sub(gone + 1)
    M.show(buffer, { { text = rest, row = row, col = col, covered = covered, done = item.done } })
  elseif item.done then
    item.done()
  end
  return true
end

return M
