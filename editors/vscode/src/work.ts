// What the server does for long and can be told to leave: a notification with a button, and a command for it.
import * as vscode from 'vscode'
import type { ProgressToken, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport } from 'vscode-languageclient'

export type Said = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd

interface Shown {
  report(said: WorkDoneProgressReport): void
  end(): void
  cancel(): void
}

export class Work {
  private readonly shown = new Map<ProgressToken, Shown>()

  get running(): boolean {
    return this.shown.size > 0
  }

  /** Shows it where it can be cancelled. False: it is left to the client, which has a place for the rest. */
  take(token: ProgressToken, said: Said, cancel: () => void): boolean {
    if (said.kind === 'begin') {
      if (said.cancellable) this.shown.set(token, show(said, cancel))
      return said.cancellable === true
    }
    const shown = this.shown.get(token)
    if (said.kind === 'report') shown?.report(said)
    else {
      shown?.end()
      this.shown.delete(token)
    }
    return shown !== undefined
  }

  /** Tells the server to stop all of it; each is shown until the server says that it ended. */
  cancel(): void {
    for (const each of this.shown.values()) each.cancel()
  }

  /** The server went away, and nothing more will be said. */
  clear(): void {
    for (const each of this.shown.values()) each.end()
    this.shown.clear()
  }
}

function show(begun: WorkDoneProgressBegin, cancel: () => void): Shown {
  let report: (said: WorkDoneProgressReport) => void = () => undefined
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  let percentage = 0
  const options = { location: vscode.ProgressLocation.Notification, title: begun.title, cancellable: true }
  void vscode.window.withProgress(options, (progress, token) => {
    token.onCancellationRequested(cancel)
    report = ({ message, percentage: now = percentage }) => {
      progress.report({ ...(message === undefined ? {} : { message }), increment: now - percentage })
      percentage = now
    }
    return ended
  })
  return { report: (said) => report(said), end, cancel }
}
