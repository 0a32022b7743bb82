// The status bar item. Knows VS Code's side only; what it says is made by `status.ts`.
import * as vscode from 'vscode'
import { show, STARTING, type Status } from './status'

const COLOURS = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
}

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem
  private status = STARTING
  private silence = ''
  private readonly changed = new vscode.EventEmitter<Status>()
  readonly onChange = this.changed.event

  constructor() {
    this.item = vscode.window.createStatusBarItem('midfill.status', vscode.StatusBarAlignment.Right, 100)
    this.item.name = 'Midfill'
    this.item.command = 'midfill.ui.menu'
    this.draw()
    this.item.show()
  }

  get current(): Status {
    return this.status
  }

  set(status: Status): void {
    this.status = status
    const ready = status.state === 'ready' || status.state === 'busy'
    void vscode.commands.executeCommand('setContext', 'midfill.modelReady', ready)
    this.draw()
    this.changed.fire(status)
  }

  /** Why the last request got nothing; empty when it got something. */
  setSilence(reason: string): void {
    if (reason !== this.silence) {
      this.silence = reason
      this.draw()
    }
  }

  /** The lines of the tooltip, for the menu. */
  get lines(): readonly string[] {
    return show(this.status, this.silence).lines
  }

  dispose(): void {
    this.item.dispose()
    this.changed.dispose()
  }

  private draw(): void {
    const shown = show(this.status, this.silence)
    this.item.text = shown.text
    this.item.tooltip = [...shown.lines, 'Click for commands'].join('\n')
    this.item.accessibilityInformation = { label: shown.spoken, role: 'button' }
    this.item.backgroundColor = COLOURS[shown.severity]
  }
}
