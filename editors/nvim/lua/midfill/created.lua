-- Files that an edit of the server's creates (`workspace/applyEdit`). Neovim makes them; it leaves an empty line
-- at their end, since a buffer without text has one already, and that is taken away here.
local M = {}

local METHOD = 'workspace/applyEdit'

local function trim(buffer)
  local last = vim.api.nvim_buf_get_lines(buffer, -3, -1, false)
  if #last == 2 and last[2] == '' then
    vim.api.nvim_buf_set_lines(buffer, -2, -1, false, {})
  end
end

---For a client's `handlers`.
function M.apply(problem, params, context)
  local answer = vim.lsp.handlers[METHOD](problem, params, context)
  for _, change in ipairs((params.edit or {}).documentChanges or {}) do
    if change.kind == 'create' then
      trim(vim.uri_to_bufnr(change.uri))
    end
  end
  return answer
end

return M
