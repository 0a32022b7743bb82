// Puts the parts together. The only file that knows them all.
import * as vscode from 'vscode'
import { registerCommands } from './commands'
import { Documents } from './documents'
import type { Server } from './locate'
import { tellOfOthers } from './others'
import { Session } from './session'
import { StatusBar } from './statusBar'

let session: Session | undefined

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const version = String(context.extension.packageJSON.version)
  const output = vscode.window.createOutputChannel('Midfill', { log: true })
  const bar = new StatusBar()
  const documents = new Documents()
  const started = (server: Server): void => {
    compare(server, version)
    void tellOfOthers(context.globalState)
  }
  const current = new Session(context, version, output, bar, started)
  session = current
  context.subscriptions.push(output, bar, documents)
  registerCommands(context, current, documents, version)
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('midfill.server')) void current.restart()
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => current.restart()),
    vscode.extensions.onDidChange(() => tellOfOthers(context.globalState)),
  )
  await current.start()
}

export async function deactivate(): Promise<void> {
  await session?.stop()
}

/** Say once a start which of the two is behind, where they are not of one version. */
function compare(server: Server, own: string): void {
  if (server.version === own) return
  const behind = older(server.version, own) ? 'server' : 'extension'
  const sentence = `Midfill’s server is version ${server.version}, its extension ${own}: please upgrade the ${behind}.`
  const remedy = server.from === 'installed' ? ['Update the Server'] : []
  void vscode.window.showWarningMessage(sentence, ...remedy).then((answer) => {
    if (answer) void vscode.commands.executeCommand('midfill.ui.install')
  })
}

function older(one: string, other: string): boolean {
  return one.localeCompare(other, 'en', { numeric: true }) < 0
}
