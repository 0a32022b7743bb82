-- Which Python installs the server: the first on PATH that is new enough.
local M = {}

M.MINIMUM = '3.11'
local NAMES = { 'python3', 'python3.13', 'python3.14', 'python3.12', 'python3.11', 'python', 'py' }
local CHECK = 'import sys, venv, ensurepip; print("%d.%d.%d" % sys.version_info[:3]); sys.exit(sys.version_info < (3, 11))'

---@return string? program, string? version
function M.find()
  for _, name in ipairs(NAMES) do
    if vim.fn.executable(name) == 1 then
      local ended = vim.system({ name, '-c', CHECK }, { text = true }):wait()
      if ended.code == 0 then
        return vim.fn.exepath(name), vim.trim(ended.stdout)
      end
    end
  end
end

return M
