-- Keys: a <Plug> mapping for everything, and real ones only where the user asked for them.
local M = {}

-- `keymaps = true` in setup: with Alt, which Neovim leaves free in insert mode.
M.DEFAULTS = {
  accept = '<M-l>',
  accept_word = '<M-w>',
  accept_line = '<M-e>',
  next = '<M-n>',
  previous = '<M-p>',
  dismiss = '<M-d>',
}

local DESCRIPTIONS = {
  accept = 'Midfill: accept the suggestion',
  accept_word = 'Midfill: accept its next word',
  accept_line = 'Midfill: accept its next line',
  next = 'Midfill: next suggestion, or ask for one',
  previous = 'Midfill: previous suggestion',
  dismiss = 'Midfill: dismiss the suggestion',
}

local function plug(name)
  return ('<Plug>(midfill-%s)'):format(name:gsub('_', '-'))
end

function M.define_plugs()
  for name, description in pairs(DESCRIPTIONS) do
    vim.keymap.set('i', plug(name), function()
      require('midfill.suggestion')[name]()
    end, { desc = description })
  end
end

-- Without a mapping, Alt with a key leaves insert mode in a terminal: nobody who accepts a moment too late
-- wants that.
local ALT = '^<[MAma]%-'

---Where a key's former meaning goes: a mapping that it had, kept under another name, or the key itself.
---@param key string
---@return string? nil: it had none worth having
local function former(key)
  local mapping = vim.fn.maparg(key, 'i', false, true)
  if vim.tbl_isempty(mapping) or mapping.buffer == 1 then
    return not key:find(ALT) and key or nil
  elseif (mapping.desc or ''):find('^Midfill: ') then -- ours, from an earlier call of setup
    return M.formers[key]
  end
  local kept = ('<Plug>(midfill-else-%s)'):format(key:gsub('[<>]', ''))
  mapping.lhs = kept
  mapping.lhsraw = vim.api.nvim_replace_termcodes(kept, true, true, true)
  mapping.lhsrawalt = nil
  vim.fn.mapset('i', false, mapping)
  return kept
end

M.formers = {} ---@type table<string, string>

---@param wanted boolean|table<string, string|false> what `setup` was given
function M.map(wanted)
  if not wanted then
    return
  end
  for name, key in pairs(wanted == true and M.DEFAULTS or wanted) do
    if not DESCRIPTIONS[name] then
      local known = table.concat(vim.tbl_keys(DESCRIPTIONS), ', ')
      error(('midfill: there is nothing called %q to map; there are %s'):format(name, known), 0)
    end
    if key then
      local otherwise = former(key)
      M.formers[key] = otherwise
      vim.keymap.set('i', key, function()
        require('midfill.suggestion')[name](otherwise)
      end, { desc = DESCRIPTIONS[name] })
    end
  end
end

return M
