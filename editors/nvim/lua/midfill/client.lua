-- Our language server's client in this Neovim: find it, ask it, tell it. Hides what changed from 0.10 to 0.12.
local M = {}

M.NAME = 'midfill'

local calls_by_colon = vim.fn.has('nvim-0.11') == 1

---@param buffer? integer
---@return vim.lsp.Client? the one of this buffer; without a buffer, any
function M.get(buffer)
  return vim.lsp.get_clients({ name = M.NAME, bufnr = buffer })[1]
end

local function call(client, method, ...)
  if calls_by_colon then
    return client[method](client, ...)
  end
  return client[method](...)
end

---@return boolean sent, integer? id
function M.request(client, method, params, handler, buffer)
  return call(client, 'request', method, params, handler, buffer)
end

function M.notify(client, method, params)
  return call(client, 'notify', method, params)
end

function M.cancel(client, id)
  return call(client, 'cancel_request', id)
end

function M.supports(client, method)
  return call(client, 'supports_method', method)
end

function M.stop(client)
  return call(client, 'stop')
end

---Runs one of the server's commands. `done(result)` is called with its answer, if it gave one.
function M.execute(client, command, arguments, done)
  local params = { command = command, arguments = arguments or {} }
  M.request(client, 'workspace/executeCommand', params, function(problem, result)
    if problem then
      vim.notify(('Midfill: %s'):format(problem.message), vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end, 0)
end

---Where in a line of text a place of the protocol is, in bytes.
---@param line string
---@param character integer in units of `encoding`
---@param encoding string
---@return integer
function M.bytes(line, character, encoding)
  if encoding == 'utf-8' then
    return math.min(character, #line)
  elseif calls_by_colon then
    return vim.str_byteindex(line, encoding, character, false)
  end
  local most_32, most_16 = vim.str_utfindex(line)
  local wide = encoding == 'utf-16'
  return vim.str_byteindex(line, math.min(character, wide and most_16 or most_32), wide)
end

return M
