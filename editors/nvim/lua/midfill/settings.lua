-- Every setting and its default. Written by `make fix` from settings.py: change it there.

---@class midfill.Settings
---Which engine runs the model. `scripted` is a deterministic stand-in for tests. The model is loaded
---again when this changes. Default: `'transformers'`.
---@field backend? 'transformers'|'scripted'
---Model for completions: a name from `midfill model list`, a hub id that was pulled (`owner/name`,
---`owner/name@commit`), or a path: a GGUF file, a folder, a LoRA adapter's. Empty: the one chosen with
---`midfill model use`, else the default. The model is loaded again when this changes. Default: `''`.
---@field model? string
---Model for code actions, named as `model` is. Empty: the same model. Another one is loaded at the
---first action; two that do not fit into memory together take turns. The model is loaded again when
---this changes. Default: `''`.
---@field instructModel? string
---Minutes without a request after which the model leaves memory; the next request loads it again. 0:
---never. The model is loaded again when this changes. Default: `0`.
---@field unloadAfterMinutes? number
---The same for `instructModel`, where it is another one. The model is loaded again when this changes.
---Default: `10`.
---@field instructUnloadAfterMinutes? number
---`auto`, `cpu`, `cuda`, `cuda:1`, `mps`. The model is loaded again when this changes. Default:
---`'auto'`.
---@field device? string
---Number format of the weights in memory. `auto` measures what this machine does faster. The model is
---loaded again when this changes. Default: `'auto'`.
---@field dtype? 'auto'|'float32'|'bfloat16'|'float16'
---How weights are rounded for writing, token by token. `auto`: `int4` on a CPU, for models of Llama's
---and Qwen2's architecture and unless `dtype` is set; else `none`. `int8` and `int4` are refused with
---a message where they cannot run. The model is loaded again when this changes. Default: `'auto'`.
---@field quantization? 'auto'|'none'|'int8'|'int4'
---How the model is asked to fill in the middle. `auto` goes by the model's name, then by its
---vocabulary and a trial when it is loaded; `none` completes left to right. The model is loaded again
---when this changes. Default: `'auto'`.
---@field fimDialect? 'auto'|'none'|'codegemma'|'granite-4'|'qwen2.5-coder'|'qwen2.5-coder-spm'|'codellama'|'codellama-psm'|'starcoder2'|'starcoder2-spm'|'starcoder'|'starcoder-spm'|'granite'|'stable-code'|'mellum'|'refact'|'santacoder'|'deepseek-coder'|'codestral'|'seed-coder'|'codegen2.5'
---How long typing must rest before the model is asked, in milliseconds, or `auto`. An explicit request
---never waits. Default: `'auto'`.
---@field debounceMs? 'auto'|number
---How many different suggestions an explicit request may get, to choose from. Default: `3`.
---@field candidates? integer
---While a suggestion is looked at and the device is idle, write the one that comes after it. Default:
---`'on'`.
---@field writeAhead? 'on'|'off'
---Reasons for which nothing is suggested unasked that shall not count, of: `mid-word`, `line-goes-on`,
---`nearly-empty`, `after-deletion`, `after-accept`, `popup-item`. Default: `{}`.
---@field silencesOff? string[]
---Most tokens a completion may have. Default: `64`.
---@field maxNewTokens? integer
---Most tokens of prompt and answer together. 0: 2048 on a CPU, 16384 on a GPU, at most the model's own
---limit, which for Code Llama is 100000. The model is loaded again when this changes. Default: `0`.
---@field contextTokens? integer
---Offer suggestions in the completion menu too. `auto`: only to editors without inline completion,
---such as Helix. Read when the editor starts the server. Default: `'auto'`.
---@field completionMenu? 'auto'|'on'|'off'
---0 always takes the likeliest token. Default: `0.0`.
---@field temperature? number
---CPU threads for the model. 0: one less than the machine has cores. The model is loaded again when
---this changes. Default: `0`.
---@field threads? integer
---Language ids to complete in, such as `python`, or not to, such as `!markdown`. Empty: all. Default:
---`{}`.
---@field languages? string[]
---Glob patterns of files in which nothing is suggested, and which no other file's suggestions are
---drawn from, such as `*.{env,pem}`, `secrets/` (a folder with all in it, at any depth) or `/data` (in
---the workspace folder, or the whole path). Default: `{}`.
---@field exclude? string[]
---Names of rules that shorten or drop what the model wrote, to switch off, such as `whole_syntax`.
---`midfill complete --explain` names those that fired. Default: `{}`.
---@field cleanupOff? string[]
---How sure the model must be of a suggestion that nobody asked for, as the mean probability of its
---tokens, 0–1, or `auto`: what was measured for the model, 0 for others. `0` shows everything.
---Default: `'auto'`.
---@field minConfidence? 'auto'|number
---Count on this machine what was shown, accepted and kept, for `midfill stats`. No code is stored.
---Default: `'on'`.
---@field statistics? 'on'|'off'
---What is logged. Source text only ever appears at `trace`. Default: `'info'`.
---@field logLevel? 'error'|'warning'|'info'|'debug'|'trace'
---Show the model what imported names near the cursor mean: signatures and outlines from other files of
---the workspace. Default: `'off'`.
---@field contextDefinitions? 'on'|'off'
---Show the model stretches of open and recent files that read like the text at the cursor. Default:
---`'on'`.
---@field contextSimilar? 'on'|'off'
---Show the model what was edited lately elsewhere. Default: `'off'`.
---@field contextEdits? 'on'|'off'
---How a Python docstring names parameters. `auto`: as the others in the file do, else `google`.
---Default: `'auto'`.
---@field docstringStyle? 'auto'|'google'|'numpy'|'rest'
---Examples in the docstring of a Python function: calls, with what they returned in the sandbox. Only
---where running tests was allowed. Default: `'on'`.
---@field docstringExamples? 'on'|'off'
---A model that classifies what code actions ask and what is answered, as Llama Guard does, named as
---`model` is. What it does not call safe is refused, and all of it where it cannot be asked. Empty: no
---filter. Completions have none. The model is loaded again when this changes. Default: `''`.
---@field safetyModel? string
---What becomes of generated tests that fail, since a bug may be why. `list`: they are told with their
---failures; `insert`: they are added too, commented out. Default: `'list'`.
---@field failingTests? 'list'|'insert'
---Python that runs generated tests. Empty: the workspace's `.venv`, else the server's own. Default:
---`''`.
---@field testPython? string

---What the server does where nothing is set.
---@type midfill.Settings
return {
  backend = 'transformers',
  model = '',
  instructModel = '',
  unloadAfterMinutes = 0,
  instructUnloadAfterMinutes = 10,
  device = 'auto',
  dtype = 'auto',
  quantization = 'auto',
  fimDialect = 'auto',
  debounceMs = 'auto',
  candidates = 3,
  writeAhead = 'on',
  silencesOff = {},
  maxNewTokens = 64,
  contextTokens = 0,
  completionMenu = 'auto',
  temperature = 0.0,
  threads = 0,
  languages = {},
  exclude = {},
  cleanupOff = {},
  minConfidence = 'auto',
  statistics = 'on',
  logLevel = 'info',
  contextDefinitions = 'off',
  contextSimilar = 'on',
  contextEdits = 'off',
  docstringStyle = 'auto',
  docstringExamples = 'on',
  safetyModel = '',
  failingTests = 'list',
  testPython = '',
}
