// Runs a program to its end, line by line, and ends it when told to. Knows nothing of what it runs.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Ended {
  /** Exit status; -1 when the program could not be started or was killed. */
  readonly code: number
  readonly output: string
}

/** Aborting `signal` ends the program and its children (its own process group, but on Windows). */
export async function run(
  command: string,
  args: readonly string[],
  options: { signal?: AbortSignal; timeoutMs?: number; onLine?: (line: string) => void } = {},
): Promise<Ended> {
  const grouped = process.platform !== 'win32'
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: grouped, windowsHide: true })
  const kill = (): void => {
    try {
      if (grouped && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      else child.kill()
    } catch {
      // it has ended by itself
    }
  }
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(kill, options.timeoutMs)
  options.signal?.addEventListener('abort', kill)
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line)
      options.onLine?.(line)
    })
  }
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      lines.push(error.message)
      resolve(-1)
    })
    child.on('close', (status) => resolve(status ?? -1))
  })
  clearTimeout(timer)
  options.signal?.removeEventListener('abort', kill)
  return { code, output: lines.join('\n') }
}
