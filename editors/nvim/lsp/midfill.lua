-- Midfill as Neovim 0.11 and later find it by its name on the runtime path. `require('midfill').setup()` uses
-- this file; `vim.lsp.enable('midfill')` alone does too, and shows what Neovim itself can show.
-- Settings: vim.lsp.config('midfill', { settings = { midfill = { debounceMs = 50 } } })

-- Neovim 0.10 and 0.11 do not say that they can, because it is this plugin that can.
local inline = { textDocument = { inlineCompletion = { dynamicRegistration = false } } }
local older = not vim.lsp.inline_completion

return {
  cmd = require('midfill.server').command() or { 'midfill', 'serve', '--stdio' },
  filetypes = {
    'c', 'cpp', 'cs', 'css', 'dart', 'elixir', 'go', 'haskell', 'html', 'java', 'javascript',
    'javascriptreact', 'julia', 'kotlin', 'lua', 'make', 'markdown', 'ocaml', 'perl', 'php', 'python',
    'r', 'ruby', 'rust', 'scala', 'scss', 'sh', 'sql', 'swift', 'toml', 'typescript', 'typescriptreact',
    'vim', 'vue', 'yaml', 'zig',
  },
  root_markers = { { 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' }, '.git' },
  capabilities = older and vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), inline) or nil,
  settings = {},
  -- The server also asks for its section later; this spares it a start with the wrong model.
  before_init = function(params, config)
    -- With it, Neovim 0.12 says after every edit what it was for, in two lines, and wants Enter.
    (params.capabilities.workspace.workspaceEdit or {}).changeAnnotationSupport = nil
    require('midfill.server').lay_settings_over(config.settings)
    local section = config.settings.midfill
    if section and not vim.tbl_isempty(section) then
      params.initializationOptions = section
    end
  end,
  on_init = function(_, answer)
    local advice = require('midfill.versions').advice((answer.serverInfo or {}).version)
    if advice then
      vim.notify('Midfill: ' .. advice, vim.log.levels.WARN)
    end
  end,
  on_attach = function(_, buffer)
    require('midfill.switch').apply(buffer)
  end,
  on_exit = function(code, signal)
    require('midfill.restarting').ended(code, signal)
  end,
  handlers = {
    ['midfill/status'] = function(_, status)
      require('midfill.status').take(status)
    end,
    ['workspace/applyEdit'] = function(...)
      return require('midfill.created').apply(...)
    end,
    ['window/logMessage'] = function(_, params)
      require('midfill.log').take(params)
    end,
  },
}
