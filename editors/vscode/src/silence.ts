// Why the last request got nothing, asked of the server once typing rests, for the status bar.
import type { Explanation } from './reports'

const REST_MS = 250

export class Silence {
  private timer: NodeJS.Timeout | undefined

  constructor(
    private readonly ask: () => Promise<Explanation | undefined>,
    private readonly tell: (reason: string) => void,
  ) {}

  /** A request was answered with so many suggestions. */
  answered(count: number): void {
    clearTimeout(this.timer)
    if (count > 0) this.tell('')
    else this.timer = setTimeout(() => void this.find(), REST_MS)
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private async find(): Promise<void> {
    const last = await this.ask()
    if (!last) return
    const said = last.stages.findLast((line) => line.stage === 'answer')?.said ?? ''
    this.tell(last.shown ? '' : said.replace(/^nothing: (.+?: )?/, ''))
  }
}
