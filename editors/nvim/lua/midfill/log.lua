-- What the server has to say (`window/logMessage`): the last lines, in a buffer. Its stderr is in Neovim's log.
local M = {}

local LINES = 1000
local LEVELS = { 'error', 'warning', 'info', 'log', 'debug' }
local lines = {} ---@type string[]

function M.take(params)
  for line in vim.gsplit(params.message, '\n', { plain = true, trimempty = true }) do
    lines[#lines + 1] = ('%s %-7s %s'):format(os.date('%H:%M:%S'), LEVELS[params.type] or '', line)
  end
  if #lines > LINES then
    lines = vim.list_slice(lines, #lines - LINES + 1)
  end
end

---@return string the file with the server's stderr
function M.file()
  return vim.lsp.log and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
end

function M.open()
  local shown = vim.list_slice(lines, 1)
  shown[#shown + 1] = ('What the server wrote to stderr is in %s (gf opens it).'):format(M.file())
  require('midfill.page').open('log', shown)
  vim.cmd('normal! G')
end

return M
