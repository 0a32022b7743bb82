-- What keys do to the suggestion on the screen, whoever draws it: Neovim 0.12 itself, or `shown.lua`.
local ask = require('midfill.ask')
local client_of = require('midfill.client')
local ghost = require('midfill.ghost')
local pieces = require('midfill.pieces')
local shown = require('midfill.shown')

local M = {}

local native = vim.lsp.inline_completion
M.is_native = native ~= nil

---What waits for a suggestion that Neovim is about to hand over; keys may come faster than it does.
---@type (fun(): boolean)[]?
local waiting

---@return midfill.Item? what Neovim showed, in our terms
local function adopted(item)
  if type(item.insert_text) ~= 'string' then
    return nil
  end
  local buffer = vim.api.nvim_get_current_buf()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  row = row - 1
  local last = col
  if item.range then
    local range, last_row = item.range, nil
    if range.to_extmark then
      row, col, last_row, last = range:to_extmark()
    else -- builds of 0.12 from before its release, such as the wheel that tests fall back to
      row, col, last_row, last = range.start.row, range.start.col, range.end_.row, range.end_.col
    end
    if row ~= last_row then
      return nil
    end
  end
  -- The range is of the text when it was asked for; what was typed since has moved its end along.
  local typed = math.max(0, vim.api.nvim_win_get_cursor(0)[2] - col)
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
  local covered = line:sub(col + typed + 1, last + typed)
  local client = vim.lsp.get_client_by_id(item.client_id)
  return {
    text = item.insert_text,
    row = row,
    col = col,
    covered = covered,
    done = client and ask.teller(client, item.command),
  }
end

---Runs `act` on the suggestion on the screen, `otherwise` where there is none, or none that fits any longer.
---@param act fun(): boolean?
---@param otherwise fun()
local function on_suggestion(act, otherwise)
  if shown.current() then
    act()
    return
  end
  local function run()
    if not shown.current() or act() == false then
      otherwise()
    end
  end
  if waiting then
    table.insert(waiting, run)
    return
  end
  local acts = { run }
  local function finish(item)
    if waiting == acts then
      waiting = nil
    end
    if item then
      shown.show(vim.api.nvim_get_current_buf(), { item })
    end
    while #acts > 0 do
      table.remove(acts, 1)()
    end
  end
  local takes = native and native.get({
    on_accept = function(item)
      finish(adopted(item))
      return nil -- Neovim itself inserts nothing
    end,
  })
  if not takes then
    otherwise()
    return
  end
  waiting = acts
  vim.schedule(finish) -- after Neovim's turn, should it have had nothing after all
end

---@param keys? string in Neovim's notation; they mean what they mean without any mapping
local function press(keys)
  return function()
    if keys then
      local remap = keys:find('^<Plug>') and 'mi' or 'ni'
      vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, true, true), remap, false)
    end
  end
end

local function taker(cut)
  return function(otherwise)
    on_suggestion(function()
      return shown.take(cut)
    end, press(otherwise))
  end
end

---Each takes keys to press where there is no suggestion, such as `'<Tab>'`.
M.accept = taker(pieces.all)
M.accept_word = taker(pieces.word)
M.accept_line = taker(pieces.line)

---@param otherwise? string
function M.dismiss(otherwise)
  on_suggestion(function()
    shown.clear()
    return true
  end, press(otherwise))
end

---Asks for several suggestions, and shows the one that is `step` after `text`.
local function ask_for_more(text, step)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of.get(buffer)
  if not client then
    return
  end
  ask.ask(client, buffer, ask.INVOKED, function(items)
    local at = text and 0 or 1 - step
    for index, item in ipairs(items) do
      at = item.text == text and index or at
    end
    if #items > 0 then
      shown.show(buffer, items, { index = (at - 1 + step) % #items + 1, count = true })
    elseif not text then
      vim.api.nvim_echo({ { 'Midfill has no suggestion here (:MidfillExplain says why)' } }, false, {})
    end
  end)
end

---@param step integer
local function cycler(step)
  return function()
    on_suggestion(function()
      if shown.count() > 1 then
        shown.cycle(step)
      else
        ask_for_more(shown.current().text, step)
      end
      return true
    end, function()
      ask_for_more(nil, step)
    end)
  end
end

---The next candidate. Where nothing is suggested, the server is asked for something.
M.next = cycler(1)
M.previous = cycler(-1)

---@param buffer integer
---@param on boolean
function M.enable(buffer, on)
  if native then
    native.enable(on, { bufnr = buffer })
  elseif on then
    ghost.attach(buffer)
  else
    ghost.detach(buffer)
  end
  if not on then
    shown.clear()
  end
end

-- When Neovim shows an answer, what is shown here is older.
if native then
  vim.api.nvim_create_autocmd('LspRequest', {
    group = vim.api.nvim_create_augroup('midfill.suggestion', { clear = true }),
    callback = function(event)
      local request, id = event.data.request, event.data.request_id
      if request.type == 'complete' and request.method == ask.METHOD and not ask.ours[id] then
        vim.schedule(function()
          local theirs = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
          if #vim.api.nvim_buf_get_extmarks(0, theirs, 0, -1, { limit = 1 }) > 0 then
            shown.clear()
          end
        end)
      end
    end,
  })
end

return M
