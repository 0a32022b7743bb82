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
  local created = vim.tbl_filter(function(change)
    return change.kind == 'create'
  end, (params.edit or {}).documentChanges or {})
  for _, change in ipairs(created) do
    local options, file = change.options or {}, vim.uri_to_fname(change.uri)
    -- Neovim would empty it (0.12), where the specification says that the edit fails.
    if not options.overwrite and not options.ignoreIfExists and vim.uv.fs_stat(file) then
      return { applied = false, failureReason = file .. ' is there already' }
    end
  end
  local answer = vim.lsp.handlers[METHOD](problem, params, context)
  if answer and answer.applied then
    for _, change in ipairs(created) do
      trim(vim.uri_to_bufnr(change.uri))
    end
  end
  return answer
end

return M
