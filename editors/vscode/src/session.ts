// The server's life: found, started, watched, started again after a crash, given up after several.
import * as vscode from 'vscode'
import { ExecuteCommandRequest, type LanguageClient } from 'vscode-languageclient/node'
import { Backoff } from './backoff'
import { makeClient } from './client'
import { locate, NoServer, type Server } from './locate'
import { DOWNLOAD, isAboutModel, offer } from './offer'
import type { Explanation } from './reports'
import { Silence } from './silence'
import { STARTING, type Status } from './status'
import type { StatusBar } from './statusBar'
import { Work } from './work'

export class Session implements vscode.Disposable {
  private client: LanguageClient | undefined
  private readonly backoff = new Backoff()
  readonly work = new Work()
  private retry: NodeJS.Timeout | undefined
  private readonly silence = new Silence(
    async () => (this.client?.isRunning() ? this.ask<Explanation>('midfill.explainLast') : undefined),
    (reason) => this.bar.setSilence(reason),
  )
  private starting: Promise<void> | undefined
  private wanted = false
  private fetchesModel = false

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly version: string,
    readonly output: vscode.LogOutputChannel,
    readonly bar: StatusBar,
    private readonly onServer: (server: Server) => void,
  ) {}

  /** Start the server, or start it again. What went wrong is said to the user, not thrown. */
  async restart(): Promise<void> {
    this.backoff.forget()
    await this.stop()
    await this.start()
  }

  async start(): Promise<void> {
    this.wanted = true
    this.starting ??= this.startOnce().finally(() => (this.starting = undefined))
    return this.starting
  }

  /** Ask the server's own command; undefined where no server runs. */
  async ask<T>(command: string, ...args: unknown[]): Promise<T | undefined> {
    const client = this.client
    if (!client?.isRunning()) {
      void vscode.window.showWarningMessage('Midfill’s server is not running.')
      return undefined
    }
    return (await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: args })) as T
  }

  /** The status once nothing is being fetched or loaded any more. */
  untilSettled(): Promise<Status> {
    return new Promise((resolve) => {
      const listening = this.bar.onChange((status) => {
        if (!['ready', 'busy', 'failed', 'off'].includes(status.state)) return
        listening.dispose()
        resolve(status)
      })
    })
  }

  async stop(): Promise<void> {
    this.wanted = false
    clearTimeout(this.retry)
    this.silence.stop()
    if (this.starting) this.client?.serverProcess?.kill() // a client that is starting cannot be stopped otherwise
    await this.starting
    const client = this.client
    this.client = undefined
    this.work.clear()
    await client?.dispose().catch((error: unknown) => this.output.warn(`stopping: ${String(error)}`))
    void vscode.commands.executeCommand('setContext', 'midfill.serverRuns', false)
  }

  dispose(): Promise<void> {
    return this.stop()
  }

  private async startOnce(): Promise<void> {
    this.bar.set(STARTING)
    try {
      const server = await locate(this.context, this.version, (why) => this.output.warn(why))
      if (!this.wanted) return
      this.output.info(`starting ${server.command} (${server.version}, from the ${server.from})`)
      const client = makeClient(server.command, this.output, {
        status: (status) => {
          if (status.state === 'ready') this.forgetAnswer()
          this.bar.set(status)
        },
        answered: (count) => this.silence.answered(count),
        closed: () => this.closed(client),
        answeredBefore: (question) => this.answeredBefore(question),
        work: this.work,
      })
      this.client = client
      await client.start()
      void vscode.commands.executeCommand('setContext', 'midfill.serverRuns', true)
      this.onServer(server)
    } catch (error) {
      if (error instanceof NoServer) this.sayNoServer(error)
      else this.failedToStart(String(error))
    }
  }

  /** The first question was about the model, too; it holds for one answer. */
  private answeredBefore(question: string): string | undefined {
    if (!this.fetchesModel || !isAboutModel(question)) return undefined
    this.fetchesModel = false
    return DOWNLOAD
  }

  /** It was said of one installation: nothing is fetched for it later, or after it failed. */
  forgetAnswer(): void {
    this.fetchesModel = false
  }

  /** It refused `initialize`, say. Had it stopped, `closed` would have seen to it. */
  private failedToStart(why: string): void {
    this.output.error(`the server did not start: ${why}`)
    if (this.client) this.bar.set({ state: 'failed', reason: why, model: '', progress: null })
  }

  private closed(client: LanguageClient): void {
    if (!this.wanted || this.client !== client) return
    this.client = undefined
    this.work.clear()
    void vscode.commands.executeCommand('setContext', 'midfill.serverRuns', false)
    const delay = this.backoff.next(Date.now())
    if (delay === undefined) {
      this.giveUp()
      return
    }
    this.output.warn(`the server stopped; it starts again in ${delay / 1000} s`)
    this.bar.set({ ...STARTING, reason: 'the server stopped and starts again' })
    this.retry = setTimeout(() => void this.start(), delay)
  }

  private giveUp(): void {
    const sentence = `Midfill’s server stopped ${this.backoff.count} times within three minutes and is left alone.`
    this.bar.set({ state: 'failed', reason: 'the server keeps stopping', model: '', progress: null })
    void vscode.window.showErrorMessage(sentence, 'Restart', 'Show Log').then((answer) => {
      if (answer === 'Restart') void this.restart()
      if (answer === 'Show Log') this.output.show()
    })
  }

  private sayNoServer(error: NoServer): void {
    this.output.warn(error.message)
    const state = error.installable ? 'off' : 'failed'
    this.bar.set({ state, reason: error.installable ? 'no-server' : error.message, model: '', progress: null })
    const [install, alone, settings] = ['Install', 'Without a Model', 'Open Settings']
    const answers = error.installable ? [install, alone] : [settings]
    const sentence = error.installable ? `${error.message} ${offer(this.context.globalStorageUri.fsPath)}` : error.message
    void vscode.window.showWarningMessage(sentence, ...answers).then((answer) => {
      this.fetchesModel = error.installable && answer === install
      if (answer === install || answer === alone) void vscode.commands.executeCommand('midfill.ui.install')
      if (answer === settings) void vscode.commands.executeCommand('workbench.action.openSettings', 'midfill.server.path')
    })
  }
}
