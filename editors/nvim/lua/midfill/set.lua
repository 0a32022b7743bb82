-- `:MidfillSet`: one setting, as it is typed on the command line.
local M = {}

---@param start string
---@return string[] names of settings that begin so
function M.names(start)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, start)
  end, vim.tbl_keys(require('midfill.settings')))
  table.sort(names)
  return names
end

---@param typed string such as `debounceMs 50`; what is no JSON is a string
function M.change(typed)
  local name, text = typed:match('^(%S+)%s*(.-)%s*$')
  if require('midfill.settings')[name] == nil then
    vim.notify(('Midfill has no setting %q: see docs/settings.md'):format(name), vim.log.levels.ERROR)
  elseif text == '' then
    local now = require('midfill.server').settings[name]
    local client = require('midfill.client').get()
    if now == nil and client then
      now = ((client.settings or {}).midfill or {})[name]
    end
    now = now == nil and require('midfill.settings')[name] or now
    vim.api.nvim_echo({ { ('%s = %s'):format(name, vim.inspect(now)) } }, false, {})
  else
    local is_json, value = pcall(vim.json.decode, text)
    require('midfill').configure({ [name] = is_json and value or text })
  end
end

return M
