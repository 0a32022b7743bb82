// Shows what the server tells as read-only text in an editor tab, where a screen reader and search reach it.
import * as vscode from 'vscode'

export const SCHEME = 'midfill'

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>()
  private readonly changed = new vscode.EventEmitter<vscode.Uri>()
  readonly onDidChange = this.changed.event
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this)

  /** Opens a tab called `name`, or renews the one that is open. */
  async show(name: string, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.txt` })
    this.texts.set(uri.path, text)
    this.changed.fire(uri)
    const document = await vscode.workspace.openTextDocument(uri)
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside })
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? ''
  }

  dispose(): void {
    this.registration.dispose()
    this.changed.dispose()
  }
}
