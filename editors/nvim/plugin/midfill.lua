-- Sourced at start where the plugin is on the runtime path: commands and <Plug> mappings, no server yet.
if vim.fn.has('nvim-0.10') == 1 then
  require('midfill.commands').define()
  require('midfill.keys').define_plugs()
end
