-- What the server's answers look like as lines of text. Only words and columns; asks nobody.
local client_of = require('midfill.client')

local M = {}

---@param rows [string, string][]
---@return string[]
local function columns(rows)
  local width = 0
  for _, row in ipairs(rows) do
    width = math.max(width, vim.fn.strdisplaywidth(row[1]))
  end
  return vim.tbl_map(function(row)
    return row[1] .. (' '):rep(width - vim.fn.strdisplaywidth(row[1]) + 2) .. row[2]
  end, rows)
end

local function known(value)
  return value ~= nil and value ~= vim.NIL and value ~= ''
end

---@return string[]
function M.status()
  local versions, server = require('midfill.versions'), require('midfill.server')
  local status = require('midfill.status')
  local client = client_of.get(vim.api.nvim_get_current_buf()) or client_of.get()
  local now = status.current or {}
  local rows = {
    { 'suggestions', require('midfill.switch').is_off(vim.api.nvim_get_current_buf()) and 'off (:MidfillToggle)' or 'on' },
    { 'server', client and (now.state or 'starting') or 'not running here (:checkhealth midfill)' },
  }
  local function add(name, value)
    if known(value) then
      rows[#rows + 1] = { name, tostring(value) }
    end
  end
  add('because', now.reason)
  add('model', now.model)
  add('device', now.device)
  add('progress', now.progress and ('%d of 100'):format(now.progress * 100))
  add('installing', status.installing)
  add('program', client and table.concat(vim.iter({ client.config.cmd }):flatten():totable(), ' '))
  add('folder', client and client.config.root_dir)
  add('plugin', ('%s in %s'):format(versions.plugin, server.plugin))
  return columns(rows)
end

---@param said { shown: boolean, reason: string, stages: table[] } of `midfill.explainLast`
---@return string[]
function M.explanation(said)
  if #said.stages == 0 then
    return { 'Nothing was asked for yet: type in insert mode, or ask with <Plug>(midfill-next).' }
  end
  local rows = {}
  for _, line in ipairs(said.stages) do
    local ms = known(line.ms) and ('%.0f ms'):format(line.ms) or ''
    rows[#rows + 1] = { line.stage, ('%7s  %s'):format(ms, line.said) }
  end
  return columns(rows)
end

local function percent(share)
  return known(share) and ('%.0f %%'):format(share * 100) or ''
end

---@param figures table of `midfill.stats`
---@return string[]
function M.statistics(figures)
  local total = figures.total
  if total.shown == 0 then
    return { 'Nothing was suggested yet.' }
  end
  local rows = { { 'suggestions shown', tostring(total.shown) } }
  for _, name in ipairs({ 'accepted', 'partly_accepted', 'typed_through', 'contradicted', 'replaced', 'left' }) do
    local count = total[name] or 0
    rows[#rows + 1] = { (name:gsub('_', ' ')), ('%d  %s'):format(count, percent(count / total.shown)) }
  end
  for name, group in vim.spairs(figures.by_language) do
    rows[#rows + 1] = { 'in ' .. name, ('%d of %d accepted  %s'):format(group.accepted, group.shown, percent(group.acceptance)) }
  end
  for source, latency in vim.spairs(figures.latency_ms) do
    local median = known(latency.p50) and ('≤ %d ms'):format(latency.p50) or 'more than all buckets'
    local from = source == 'none' and 'nothing shown' or 'shown from ' .. source
    rows[#rows + 1] = { from, ('%d, half of them in %s'):format(latency.count, median) }
  end
  return vim.list_extend(columns(rows), vim.tbl_map(function(warning)
    return '! ' .. warning
  end, figures.warnings))
end

return M
