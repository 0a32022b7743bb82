// Which model: asks the server what there is, lets the user pick, has it fetched and put into the settings.
import * as vscode from 'vscode'
import type { Session } from './session'

/** A row of the server's `midfill.models`. */
interface Model {
  readonly name: string
  readonly size_bytes: number | null
  readonly licence: string | null
  readonly open_source: boolean | null
  readonly fits: string | null
  readonly installed: boolean
  readonly in_use: boolean
}

interface Item extends vscode.QuickPickItem {
  readonly model: Model
}

/** `which`: those to download, or those that are here and those to download. */
export async function pickModel(session: Session, which: 'missing' | 'all'): Promise<void> {
  const models = await session.ask<Model[]>('midfill.models')
  if (!models) return
  const offered = models.filter((model) => which === 'all' || !model.installed)
  const placeHolder = which === 'all' ? 'The model that writes your suggestions' : 'The model to download'
  const picked = await vscode.window.showQuickPick(offered.map(item), { placeHolder, matchOnDetail: true })
  if (!picked) return
  if (picked.model.installed) await use(picked.model.name)
  else await fetch(session, picked.model)
}

function item(model: Model): Item {
  const size = model.size_bytes === null ? '' : `${(model.size_bytes / 1e9).toFixed(1)} GB`
  const state = model.in_use ? 'in use unless set otherwise' : model.installed ? 'installed' : 'to download'
  const fits = model.fits ? `fits here: ${model.fits}` : ''
  return {
    model,
    label: `${model.installed ? '$(check)' : '$(cloud-download)'} ${model.name}`,
    description: state,
    detail: [size, model.licence, fits].filter(Boolean).join(', '),
  }
}

async function fetch(session: Session, model: Model): Promise<void> {
  if (model.open_source === false) {
    const command = `midfill model pull ${model.name}`
    const sentence = `${model.name} has a licence of its own (${model.licence}), to be read and accepted in a terminal: ${command}`
    const answer = await vscode.window.showInformationMessage(sentence, 'Copy the Command')
    if (answer) await vscode.env.clipboard.writeText(command)
    return
  }
  const answered = await session.ask<{ started: boolean }>('midfill.pullModel', model.name)
  if (answered?.started === false) void vscode.window.showWarningMessage('A download is under way already.')
  if (!answered?.started) return
  const end = await session.untilSettled()
  if (end.state === 'ready' && end.model === model.name) await use(model.name)
}

/** The server loads it as soon as the setting changes. */
async function use(name: string): Promise<void> {
  await vscode.workspace.getConfiguration('midfill').update('model', name, vscode.ConfigurationTarget.Global)
}
