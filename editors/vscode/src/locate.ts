// Which `midfill` to start: the setting, else PATH if that one runs, else what this extension installed.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import * as vscode from 'vscode'
import { installed } from './managed'
import { run } from './processes'
import { isProgram, onPath } from './programs'

/** A first `midfill --version` on a cold disk takes seconds. */
const PROBE_MS = 30_000

export interface Server {
  readonly command: string
  readonly version: string
  readonly from: 'setting' | 'path' | 'installed'
}

/** Why there is no server to start, as one sentence for the user. */
export class NoServer extends Error {
  constructor(
    message: string,
    /** An installation helps. It would not against the setting, which goes before what is installed. */
    readonly installable: boolean,
  ) {
    super(message)
  }
}

/** In a workspace that is not trusted VS Code leaves out its value (package.json, restrictedConfigurations). */
function setting(): string {
  const path = vscode.workspace.getConfiguration('midfill').get<unknown>('server.path')
  if (typeof path !== 'string' || !path.trim()) return ''
  return path.trim().replace(/^~(?=[/\\])/, homedir())
}

/** The server to start, having seen that it answers `--version`; `passOver` hears why PATH's is not it. Throws NoServer. */
export async function locate(
  context: vscode.ExtensionContext,
  version: string,
  passOver: (why: string) => void,
): Promise<Server> {
  const named = setting()
  if (named) {
    if (!isAbsolute(named)) throw new NoServer(`The setting midfill.server.path must be a whole path, not “${named}”.`, false)
    if (!(await isProgram(named))) throw new NoServer(`The setting midfill.server.path names no program: ${named}`, false)
    return probe(named, 'setting')
  }
  const [first] = await onPath('midfill')
  const [managed] = await installed(context.globalStorageUri.fsPath, version)
  if (first) {
    try {
      return await probe(first, 'path')
    } catch (error) {
      if (!managed || !(error instanceof NoServer)) throw error
      passOver(error.message)
    }
  }
  if (managed) return probe(managed.command, 'installed')
  throw new NoServer('Midfill’s server is not installed yet.', true)
}

async function probe(command: string, from: Server['from']): Promise<Server> {
  const ended = await run(command, ['--version'], { timeoutMs: PROBE_MS })
  const version = /^midfill, version (\S+)/m.exec(ended.output)?.[1]
  if (ended.code === 0 && version) return { command, version, from }
  const last = ended.output.trim().split('\n').at(-1) ?? ''
  const why = (last || (ended.code === -1 ? 'it did not answer' : `exit status ${ended.code}`)).replace(/\.?$/, '.')
  if (from === 'setting') throw new NoServer(`The setting midfill.server.path is wrong: ${command} does not run: ${why}`, false)
  throw new NoServer(`${command} is there but does not run: ${why}`, true)
}

/** The wheel that travels with the extension, and the installer beside it. */
export function bundled(context: vscode.ExtensionContext): { installer: string; folder: string } {
  const folder = context.asAbsolutePath('server')
  return { folder, installer: join(folder, 'install_server.py') }
}
