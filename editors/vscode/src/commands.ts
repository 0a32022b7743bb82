// The commands that a user sees, `midfill.ui.*`. VS Code registers the server's own ids by itself.
import { rm } from 'node:fs/promises'
import * as vscode from 'vscode'
import type { Documents } from './documents'
import { install } from './install'
import { isOn, toggled } from './languages'
import { removeOthers } from './managed'
import { pickModel } from './models'
import { type Explanation, explanation, type Statistics, statistics } from './reports'
import type { Session } from './session'

export function registerCommands(
  context: vscode.ExtensionContext,
  session: Session,
  documents: Documents,
  version: string,
): void {
  const commands: Record<string, () => unknown> = {
    menu: () => menu(session),
    restart: () => session.restart(),
    install: () => reinstall(context, session, version),
    uninstall: () => uninstall(context, session),
    pullModel: () => pickModel(session, 'missing'),
    chooseModel: () => pickModel(session, 'all'),
    toggleLanguage,
    explainLast: async () => {
      const last = await session.ask<Explanation>('midfill.explainLast')
      if (last) await documents.show('Midfill: the last request', explanation(last))
    },
    showStatistics: async () => {
      const found = await session.ask<Statistics>('midfill.stats')
      if (found) await documents.show('Midfill: statistics', statistics(found))
    },
    showLog: () => session.output.show(),
    cancel: () => {
      if (session.work.running) session.work.cancel()
      else void vscode.window.showInformationMessage('Midfill is writing nothing that could be cancelled.')
    },
  }
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(`midfill.ui.${name}`, run))
  }
}

/** What the status bar item opens: the state in words, then every command. All of it by keyboard. */
async function menu(session: Session): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId
  const entry = (label: string, command: string): vscode.QuickPickItem & { command: string } => ({ label, command })
  const entries = [
    ...(language ? [entry(`${on(language) ? 'No suggestions' : 'Suggestions'} in ${language} files`, 'toggleLanguage')] : []),
    entry('Explain the last suggestion, or its absence', 'explainLast'),
    entry('Choose the model…', 'chooseModel'),
    entry('Download a model…', 'pullModel'),
    entry('Show statistics', 'showStatistics'),
    entry('Show the log', 'showLog'),
    ...(session.work.running ? [entry('Cancel what is being written', 'cancel')] : []),
    entry('Restart the server', 'restart'),
    ...(session.bar.current.reason === 'no-server' ? [entry('Install the server', 'install')] : []),
  ]
  const picked = await vscode.window.showQuickPick(entries, { title: session.bar.lines.join(' · '), placeHolder: 'Midfill' })
  if (picked) await vscode.commands.executeCommand(`midfill.ui.${picked.command}`)
}

async function reinstall(context: vscode.ExtensionContext, session: Session, version: string): Promise<void> {
  if (await install(context, version, session.output)) await session.restart()
  else session.forgetAnswer()
}

async function uninstall(context: vscode.ExtensionContext, session: Session): Promise<void> {
  const sentence = 'Remove the server that this extension installed, with its Python environment? Models stay; `midfill model remove` deletes those.'
  if ((await vscode.window.showWarningMessage(sentence, { modal: true }, 'Remove')) !== 'Remove') return
  await session.stop()
  await removeOthers(context.globalStorageUri.fsPath, '')
  await rm(context.globalStorageUri.fsPath, { recursive: true, force: true })
  await session.start()
}

function list(): string[] {
  const value = vscode.workspace.getConfiguration('midfill').get<unknown>('languages')
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function on(language: string): boolean {
  return isOn(language, list())
}

async function toggleLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId
  if (!language) {
    void vscode.window.showInformationMessage('Open a file first: suggestions are switched by its language.')
    return
  }
  const next = toggled(language, list())
  await vscode.workspace.getConfiguration('midfill').update('languages', next, vscode.ConfigurationTarget.Global)
  vscode.window.setStatusBarMessage(`Midfill: suggestions in ${language} files are ${isOn(language, next) ? 'on' : 'off'}`, 5000)
}
