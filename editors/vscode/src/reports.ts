// The server's answers to `midfill.explainLast` and `midfill.stats`, as Markdown that reads well as it is. Pure.
import type { Status } from './status'

export interface Explanation {
  readonly shown: boolean
  readonly reason: string
  readonly status: Status
  readonly stages: readonly { readonly stage: string; readonly ms: number | null; readonly said: string }[]
}

interface Outcomes {
  readonly shown: number
  readonly accepted: number
  readonly partly_accepted: number
  readonly typed_through: number
}

export interface Statistics {
  readonly total: Outcomes
  readonly requests: number
  readonly said_accepted: number
  readonly still_there: Record<string, number | null>
  readonly by_language: Record<string, Outcomes>
  readonly silences: Record<string, number>
  readonly warnings: readonly string[]
}

export function explanation(last: Explanation): string {
  if (!last.stages.length) return '# The last request\n\nNothing was asked for yet.\n'
  const rows = last.stages.map(({ stage, ms, said }) => [stage, ms === null ? '' : `${ms} ms`, said])
  return `# The last request\n\n${table(['stage', 'time', 'what was done'], rows)}`
}

export function statistics(found: Statistics): string {
  if (!found.requests) return '# Suggestions on this machine\n\nNothing was counted here yet.\n'
  const { total } = found
  const totals = [
    ['requests', found.requests, ''],
    ['shown', total.shown, ''],
    ['accepted', total.accepted, percent(total.accepted, total.shown)],
    ['accepted by key, as the editor told', found.said_accepted, ''],
    ['accepted in part', total.partly_accepted, percent(total.partly_accepted, total.shown)],
    ['typed out by hand', total.typed_through, percent(total.typed_through, total.shown)],
  ].map((row) => row.map(String))
  const lasting = Object.entries(found.still_there)
    .filter(([, share]) => share !== null)
    .map(([after, share]) => [`accepted, still there after ${after}`, '', percent(share ?? 0, 1)])
  const languages = Object.entries(found.by_language).map(([name, each]) => [
    name,
    String(each.shown),
    percent(each.accepted, each.shown),
  ])
  const silences = Object.entries(found.silences).map(([reason, count]) => [reason, String(count)])
  return [
    '# Suggestions on this machine, the last 30 days\n',
    'Counts without code; they go nowhere. `midfill.statistics` switches them off.\n',
    table(['', 'number', 'of those shown'], [...totals, ...lasting]),
    languages.length ? table(['language', 'shown', 'accepted'], languages) : '',
    silences.length ? table(['silent, because', 'times'], silences) : '',
    ...found.warnings.map((warning) => `> ${warning}\n`),
  ]
    .filter(Boolean)
    .join('\n')
}

function percent(part: number, whole: number): string {
  return whole ? `${Math.round((100 * part) / whole)} %` : ''
}

/** Columns padded to one width, so that the source is a table, too. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line), ''].join('\n')
}
