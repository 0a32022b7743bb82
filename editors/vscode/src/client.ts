// One language client for one run of the server: what it is told, and what is taken from it on the way.
import * as vscode from 'vscode'
import {
  type CloseHandlerResult,
  type MessageActionItem,
  MessageType,
  type Middleware,
  ShowMessageRequest,
  type ShowMessageRequestParams,
  WorkDoneProgressCancelNotification,
} from 'vscode-languageclient'
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn } from 'vscode-languageclient/node'
import type { Status } from './status'
import type { Work } from './work'

/** Comes by `window/logMessage` too; other lines on stderr (a crash, a library) come only there. */
const OWN_RECORD = /^\d{4}-\d\d-\d\d [\d:,]+ [A-Z] midfill/
/** Server commands that may run what is in the workspace. */
const RUNS_CODE = ['midfill.unitTests', 'midfill.consentTests']

export interface Hooks {
  /** The server said what it is doing. */
  status(status: Status): void
  /** Inline suggestions were asked for, and this many came. */
  answered(count: number): void
  /** The server went away without being asked to. */
  closed(): void
  /** What the user has answered to this question before it came. */
  answeredBefore(question: string): string | undefined
  /** Where long work is shown. */
  readonly work: Work
}

/** Messages about a lost connection are ours to give: the library's own would come beside them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown, show?: boolean | 'force'): void {
    super.error(message, data, show === 'force' ? false : show)
  }
}

export function makeClient(command: string, output: vscode.LogOutputChannel, hooks: Hooks): LanguageClient {
  const client = new QuietClient(
    'midfill',
    'Midfill',
    // No `env` in the options: it would replace the whole environment.
    { command, args: ['serve', '--stdio'] },
    {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }, { scheme: 'vscode-vfs' }],
      // What the server wants to know before it asks for its settings.
      initializationOptions: () => ({ completionMenu: vscode.workspace.getConfiguration('midfill').get('completionMenu') }),
      outputChannel: output,
      traceOutputChannel: output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: (): CloseHandlerResult => {
          hooks.closed()
          return { action: CloseAction.DoNotRestart, handled: true, message: 'The server stopped.' }
        },
      },
      stdioOptions: { stdout: () => undefined, stderr: (input, channel) => followStderr(input, channel) },
      middleware: {
        ...middleware(hooks),
        handleWorkDoneProgress: (token, said, next) => {
          const cancel = (): void => void client.sendNotification(WorkDoneProgressCancelNotification.type, { token })
          const shown = hooks.work.take(token, said, cancel)
          if (!shown || said.kind === 'end') next(token, said) // the client forgets a token at its end
        },
      },
    },
  )
  client.onRequest(ShowMessageRequest.type, (params) => {
    const answer = hooks.answeredBefore(params.message)
    return params.actions?.find((each) => each.title === answer) ?? ask(params)
  })
  client.onNotification('midfill/status', (status: Status) => hooks.status(status))
  return client
}

/** As the library does. */
async function ask({ type, message, actions = [] }: ShowMessageRequestParams): Promise<MessageActionItem | null> {
  const { showErrorMessage, showWarningMessage, showInformationMessage } = vscode.window
  const show =
    type === MessageType.Error ? showErrorMessage : type === MessageType.Warning ? showWarningMessage : showInformationMessage
  return (await show<MessageActionItem>(message, ...actions)) ?? null
}

function middleware(hooks: Hooks): Middleware {
  return {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const found = await next(document, position, context, token)
      if (!token.isCancellationRequested) hooks.answered(Array.isArray(found) ? found.length : (found?.items.length ?? 0))
      return found
    },
    executeCommand: async (command, args, next) => {
      if (!vscode.workspace.isTrusted && RUNS_CODE.includes(command)) {
        void vscode.window.showWarningMessage('Midfill runs generated tests only in a workspace that you trust.')
        return undefined
      }
      return next(command, args) as unknown
    },
  }
}

function followStderr(input: NodeJS.ReadableStream, channel: vscode.LogOutputChannel): void {
  let rest = ''
  input.setEncoding('utf8')
  input.on('data', (piece: string) => {
    const lines = (rest + piece).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (!OWN_RECORD.test(line)) channel.warn(line)
  })
}
