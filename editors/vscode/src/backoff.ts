// How long to wait before a server that stopped is started again, and when to give up. Pure.

/** Stops longer ago than this no longer count: vscode-languageclient uses three minutes too. */
const WINDOW_MS = 180_000
/** One more stop than these within the window, and it is left alone. */
const DELAYS_MS = [500, 2_000, 8_000]

export class Backoff {
  private stops: number[] = []

  /** The server stopped at `now` (milliseconds): the delay until the next start, undefined to give up. */
  next(now: number): number | undefined {
    this.stops = this.stops.filter((stop) => now - stop < WINDOW_MS)
    this.stops.push(now)
    return DELAYS_MS[this.stops.length - 1]
  }

  /** How often it stopped within the window. */
  get count(): number {
    return this.stops.length
  }

  /** The user started it by hand, or something was changed: the past does not count. */
  forget(): void {
    this.stops = []
  }
}
