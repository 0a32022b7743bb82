// Installs the wheel that travels in the .vsix, with progress and a way to stop it.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as vscode from 'vscode'
import { bundled } from './locate'
import { folderOf, removeOthers } from './managed'
import { findPython } from './python'
import { type Ended, run } from './processes'

/** A line of tools/install_server.py. */
interface Line {
  readonly message?: string
  readonly fraction?: number | null
  readonly error?: string
}

/** Whether it was installed. What went wrong is said to the user. */
export async function install(
  context: vscode.ExtensionContext,
  version: string,
  output: vscode.LogOutputChannel,
): Promise<boolean> {
  const { installer, folder } = bundled(context)
  const wheel = (await readdir(folder).catch(() => [])).find((name) => name.endsWith('.whl'))
  if (!wheel) return fail(output, 'this build of the extension carries no server; set midfill.server.path')
  const python = await findPython()
  if (typeof python === 'string') return fail(output, python)
  const storage = context.globalStorageUri.fsPath
  const args = [...python.args, installer, folderOf(storage, version), join(folder, wheel)]
  if (python.uv) args.push('--uv', python.uv)
  output.info(`installing with ${python.command} ${args.join(' ')}`)

  const options = { location: vscode.ProgressLocation.Notification, title: 'Installing Midfill’s server', cancellable: true }
  const ended = await vscode.window.withProgress(options, (progress, token) =>
    follow(python.command, args, output, progress, token),
  )
  if (ended === undefined) return false // the user stopped it
  const error = ended.error ?? (ended.code === 0 ? '' : `exit status ${ended.code}`)
  if (error) return fail(output, error)
  await removeOthers(storage, version)
  return true
}

async function follow(
  command: string,
  args: readonly string[],
  output: vscode.LogOutputChannel,
  progress: vscode.Progress<{ message?: string; increment?: number }>,
  token: vscode.CancellationToken,
): Promise<(Ended & { error?: string }) | undefined> {
  const stop = new AbortController()
  token.onCancellationRequested(() => stop.abort())
  let error: string | undefined
  let done = 0
  const onLine = (text: string): void => {
    const line = parse(text)
    if (!line) {
      output.info(text)
      return
    }
    error ??= line.error
    const fraction = line.fraction ?? done
    if (line.message) progress.report({ message: line.message, increment: (fraction - done) * 100 })
    done = fraction
  }
  const ended = await run(command, args, { signal: stop.signal, onLine })
  if (token.isCancellationRequested) return undefined
  return error === undefined ? ended : { ...ended, error }
}

function parse(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}

function fail(output: vscode.LogOutputChannel, why: string): false {
  output.error(`not installed: ${why}`)
  void vscode.window.showErrorMessage(`Midfill’s server was not installed: ${why}`, 'Show Log').then((answer) => {
    if (answer) output.show()
  })
  return false
}
