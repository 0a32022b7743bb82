-- Do plugin and server fit together? They are one project: the same two leading numbers.
local M = {}

---Of this plugin; a test holds it to `pyproject.toml`.
M.plugin = '0.1.0'

---@param server string?
---@return string? what to do, in one sentence; nil: they fit
function M.advice(server)
  local ours, theirs = vim.version.parse(M.plugin), vim.version.parse(server or '')
  if not theirs then
    return ('the server does not say which version it is; this plugin is %s. :MidfillInstall brings its own.'):format(
      M.plugin
    )
  elseif ours.major == theirs.major and ours.minor == theirs.minor then
    return nil
  end
  local what = ('the server is %s, this plugin %s: '):format(server, M.plugin)
  if vim.version.lt(theirs, ours) then
    return what .. 'upgrade the server with :MidfillInstall.'
  end
  return what .. 'update the plugin.'
end

return M
