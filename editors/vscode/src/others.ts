// Other extensions that write grey text, too: each is named to the user once on this machine, and never again.
import * as vscode from 'vscode'

/** By their ids in lower case. Not GitHub.copilot-chat: VS Code has that one built in, used or not. */
const OTHERS: Record<string, string> = {
  'amazonwebservices.amazon-q-vscode': 'Amazon Q',
  'augment.vscode-augment': 'Augment',
  'codeium.codeium': 'Windsurf (Codeium)',
  'continue.continue': 'Continue',
  'ggml-org.llama-vscode': 'llama.vscode',
  'github.copilot': 'GitHub Copilot',
  'google.geminicodeassist': 'Gemini Code Assist',
  'sourcegraph.cody-ai': 'Cody',
  'supermaven.supermaven': 'Supermaven',
  'tabbyml.vscode-tabby': 'Tabby',
  'tabnine.tabnine-vscode': 'Tabnine',
}
const TOLD = 'others.told'

/** Says which of them are on here and were not named before. */
export async function tellOfOthers(memory: vscode.Memento): Promise<void> {
  const told = memory.get<string[]>(TOLD, [])
  const found = vscode.extensions.all.map((each) => each.id.toLowerCase()).filter((id) => id in OTHERS && !told.includes(id))
  if (!found.length) return
  await memory.update(TOLD, [...told, ...found])
  const names = found.map((id) => OTHERS[id]).join(', ')
  const sentence =
    `${names} also suggests code in grey. VS Code shows one suggestion at a time, so they hide each other: ` +
    'switch one of them off, for this workspace or for good.'
  const answer = await vscode.window.showInformationMessage(sentence, 'Show the Extension')
  if (answer) await vscode.commands.executeCommand('workbench.extensions.action.showExtensionsWithIds', found)
}
