-- Midfill for `vim.lsp.enable('midfill')`. Neovim finds this file by its name on the runtime path.
-- Settings: vim.lsp.config('midfill', { settings = { midfill = { debounceMs = 50 } } })
return {
  cmd = { 'midfill', 'serve', '--stdio' },
  filetypes = {
    'c', 'cpp', 'cs', 'css', 'dart', 'elixir', 'go', 'haskell', 'html', 'java', 'javascript',
    'javascriptreact', 'julia', 'kotlin', 'lua', 'make', 'markdown', 'ocaml', 'perl', 'php', 'python',
    'r', 'ruby', 'rust', 'scala', 'scss', 'sh', 'sql', 'swift', 'toml', 'typescript', 'typescriptreact',
    'vim', 'vue', 'yaml', 'zig',
  },
  root_markers = { { 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' }, '.git' },
  -- The server also asks for its section later; this spares it a start with the wrong model.
  before_init = function(params, config)
    local section = (config.settings or {}).midfill
    if section and not vim.tbl_isempty(section) then
      params.initializationOptions = section
    end
  end,
  handlers = {
    -- { state, reason, model, progress }: for a status line.
    ['midfill/status'] = function(_, status)
      vim.g.midfill_status = status
    end,
  },
}
