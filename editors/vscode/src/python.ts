// A Python that is new enough to run the installer, or what to tell the user where there is none.
import { run } from './processes'
import { onPath } from './programs'

const NAMES = ['python3', 'python', 'python3.13', 'python3.14', 'python3.12', 'python3.11']
const PROBE_MS = 10_000
const CODE = 'import sys; print(sys.version.split()[0], sys.version_info >= (3, 11))'

export interface Python {
  readonly command: string
  /** Before the script's own arguments. */
  readonly args: readonly string[]
  readonly uv?: string
}

/** A Python, by way of uv if only uv is here (it fetches one); a sentence where there is neither. */
export async function findPython(): Promise<Python | string> {
  const [uv] = await onPath('uv')
  const old: string[] = []
  for (const name of NAMES) {
    for (const command of await onPath(name)) {
      const ended = await run(command, ['-c', CODE], { timeoutMs: PROBE_MS })
      const [version, good] = ended.code === 0 ? ended.output.trim().split(' ') : []
      if (good === 'True') return uv ? { command, args: [], uv } : { command, args: [] }
      if (version) old.push(`${command} is ${version}`)
    }
  }
  if (uv) return { command: uv, args: ['run', '--no-project', '--python', '>=3.11', 'python'], uv }
  const seen = old.length ? `found only: ${[...new Set(old)].join(', ')}` : 'none is on your PATH'
  return `Python 3.11 or later is needed (or uv, which fetches one); ${seen}.`
}
