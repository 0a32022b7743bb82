-- A server that ended by itself is started again: later and later, then no more, and that is said.
local M = {}

M.DELAYS_MS = { 1000, 2000, 4000 }
-- A server that ran for so long counts as sound: a crash after that is the first.
M.SOUND_MS = 180000
local SIGTERM = 15

local crashes = 0
local last_ms = 0

---For a client's `on_exit`.
function M.ended(code, signal)
  if vim.v.exiting ~= vim.NIL or (code == 0 and signal == 0) or signal == SIGTERM then
    return
  end
  vim.schedule(function()
    local now = vim.uv.now()
    crashes = now - last_ms > M.SOUND_MS and 1 or crashes + 1
    last_ms = now
    local delay = M.DELAYS_MS[crashes]
    if not delay then
      crashes = 0
      local often = ('Midfill: the server ended %d times in a row.'):format(#M.DELAYS_MS + 1)
      vim.notify(often .. ' :MidfillLog says more, :MidfillRestart tries again.', vim.log.levels.ERROR)
      return
    end
    vim.defer_fn(function()
      require('midfill.server').start()
    end, delay)
  end)
end

return M
