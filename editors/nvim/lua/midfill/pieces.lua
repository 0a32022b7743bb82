-- Cuts a suggestion into what one key takes: a word, a line. Pure; knows no buffers.
local M = {}

-- Letters, digits, `_` and every byte of a character beyond ASCII, so that none is cut in two.
local WORD = '^%s*[%w_\128-\255]+'
local SIGNS = '^%s*[^%s%w_\128-\255]+'

---The next word with the white space before it; where no word comes first, the signs up to it.
---@param text string
---@return string
function M.word(text)
  return text:match(WORD) or text:match(SIGNS) or text
end

---Up to the end of the line; of a text that begins with a line end, the line after it.
---@param text string
---@return string
function M.line(text)
  return text:match('^\n*[^\n]*')
end

---@param text string
---@return string
function M.all(text)
  return text
end

---How many bytes at the start of `covered` are no longer written by `rest`. The text behind the cursor that a
---suggestion types again, closers mostly, stays there for as long as the suggestion still has it in store.
---@param covered string
---@param rest string
---@return integer
function M.overtaken(covered, rest)
  for dropped = 0, #covered do
    local at, found = 1, true
    for index = dropped + 1, #covered do
      at = rest:find(covered:sub(index, index), at, true)
      if not at then
        found = false
        break
      end
      at = at + 1
    end
    if found then
      return dropped
    end
  end
  return #covered
end

return M
