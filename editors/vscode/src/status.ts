// What the server says of itself (`midfill/status`), and how that reads in a status bar. Pure.

export type State = 'starting' | 'downloading' | 'loading' | 'ready' | 'busy' | 'failed' | 'off'

export interface Status {
  readonly state: State
  readonly reason: string
  readonly model: string
  readonly device?: string
  /** 0–1 while downloading or loading, when it is known. */
  readonly progress: number | null
}

export interface Shown {
  readonly text: string
  /** Lines of the tooltip; the first says the state in words. */
  readonly lines: readonly string[]
  /** The whole of it as one sentence, for a screen reader. */
  readonly spoken: string
  readonly severity: 'none' | 'warning' | 'error'
}

export const STARTING: Status = { state: 'starting', reason: '', model: '', progress: null }

const ICONS: Record<State, string> = {
  starting: '$(loading~spin)',
  downloading: '$(cloud-download)',
  loading: '$(loading~spin)',
  ready: '$(sparkle)',
  busy: '$(loading~spin)',
  failed: '$(error)',
  off: '$(circle-slash)',
}

const WORDS: Record<State, string> = {
  starting: 'starting',
  downloading: 'downloading a model',
  loading: 'loading the model',
  ready: 'ready',
  busy: 'thinking',
  failed: 'failed',
  off: 'off',
}

const REASONS: Record<string, string> = {
  'no-model': 'no model is installed yet',
  'no-server': 'no server is installed yet',
  idle: 'the model left memory; the next suggestion loads it again',
}

/** `silence`: why the last request got nothing, in words; empty when it got something. */
export function show(status: Status, silence = ''): Shown {
  const percent = status.progress === null ? '' : ` ${Math.floor(status.progress * 100)} %`
  const word = WORDS[status.state] + percent
  const reason = REASONS[status.reason] ?? status.reason
  const model = status.model + (status.device ? ` on ${status.device}` : '')
  const lines = [`Midfill: ${word}${reason ? ` (${reason})` : ''}`]
  if (model) lines.push(`Model: ${model}`)
  if (silence && status.state === 'ready') lines.push(`Nothing suggested here: ${silence}`)
  return {
    text: `${ICONS[status.state]} Midfill${percent}`,
    lines,
    spoken: lines.join('. '),
    severity: status.state === 'failed' ? 'error' : status.reason in REASONS && status.reason !== 'idle' ? 'warning' : 'none',
  }
}
