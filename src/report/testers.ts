/** The report on testers' devices: its types, tables and lines. */
import type { ErrorCode } from '../error-codes.ts'
import type { Place } from '../errors.ts'
import { shortDevice } from '../plan/device-id.ts'
import type { Installation } from '../plan/tester-installation.ts'
import type { TestersFileChange } from '../plan/tester-list.ts'
import type { Assignment } from '../plan/testers.ts'
import { plural } from './format.ts'
import { code, details, escapeText, table } from './markdown.ts'

/** One device in the table. Names are untrusted text; the id is shown shortened. */
export interface TesterRow {
  readonly name: string | null
  readonly device: string
  readonly state: Assignment['state'] | 'failed'
  readonly from: string | null
  readonly to: string | null
  /** The open pull request that it is taken from. */
  readonly fromPull: number | null
  /** The newer pull request that has the device, when the table is another's. */
  readonly takenBy: number | null
  readonly until: string | null
  /** A dry run: nothing was done. */
  readonly planned: boolean
  readonly installation: Installation | null
}

export interface TesterFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly devices: readonly string[]
  readonly at: Place | null
}

/** What a run did with the devices of testers. */
export interface TestersReport {
  /** For the comment: the devices of its pull request. */
  readonly rows: readonly TesterRow[]
  /** For the summary: the devices that were moved. */
  readonly changed: readonly TesterRow[]
  readonly counts: {
    readonly assigned: number
    readonly released: number
    readonly renewed: number
    readonly failed: number
    /** In the file. */
    readonly total: number
  }
  readonly failures: readonly TesterFailure[]
  /** Of a pull request that changes the file: what merging it would do. */
  readonly merging: TestersFileChange | null
}

/** So many devices are shown; the rest is counted. */
const ROWS_SHOWN = 50
const NAMES_SHOWN = 10
/** A longer table of a comment is folded away. */
const OPEN_UP_TO = 8

/** The table of a comment or summary; empty without rows. In a table about one `channel` its name is not repeated. */
export function renderTesters(rows: readonly TesterRow[], channel: string | null = null): string {
  if (rows.length === 0) return ''
  const shown = rows.slice(0, ROWS_SHOWN)
  const withInstallation = shown.some(row => describeInstallation(row) !== '')
  const body = table(
    ['device', channel === null ? 'channel' : 'state', ...(withInstallation ? ['will it install?'] : [])],
    shown.map(row => [
      `${row.name === null ? '' : `${escapeText(row.name)} `}${code(shortDevice(row.device))}`,
      describeState(row, channel),
      ...(withInstallation ? [describeInstallation(row)] : []),
    ]),
  )
  const left = rows.length - shown.length
  return left === 0 ? body : `${body}\n\n${plural(left, 'more device', 'more devices')}.`
}

/** The section of a comment: open where there is something to look at. */
export function renderTesterSection(rows: readonly TesterRow[]): string {
  if (rows.length === 0) return ''
  const have = rows.filter(
    row => row.takenBy === null && (row.state === 'there' || row.state === 'set'),
  ).length
  const devices = plural(rows.length, "tester's device", "testers' devices")
  const title = `${have === rows.length ? 'On' : have === 0 ? 'On none of' : `On ${have} of`} ${devices}`
  const own = rows.find(({ takenBy, state }) => takenBy === null && state !== 'expired')?.to ?? null
  return details(`<b>${title}</b>`, renderTesters(rows, own ?? ''), { open: rows.length <= OPEN_UP_TO })
}

export function renderMerging(merging: TestersFileChange | null): string {
  if (merging === null) return ''
  const { added, removed, moved } = merging
  const counts = [
    added.length === 0 ? '' : `+${added.length}`,
    removed.length === 0 ? '' : `−${removed.length}`,
    moved.length === 0 ? '' : `moved ${moved.length}`,
  ].filter(part => part !== '')
  if (counts.length === 0) return 'Merging it changes the testers file, and nobody comes, goes or moves.'
  const name = (tester: { readonly name: string | null; readonly device: string }) =>
    `${tester.name === null ? '' : `${escapeText(tester.name)} `}${code(shortDevice(tester.device))}`
  const lines = [
    ...added.map(
      tester => `- ${name(tester)} comes${tester.channel === null ? '' : ` to ${code(tester.channel)}`}`,
    ),
    ...removed.map(tester => `- ${name(tester)} goes`),
    ...moved.map(
      ({ tester, from }) =>
        `- ${name(tester)} moves from ${from === null ? 'no channel' : code(from)} to ${tester.channel === null ? 'none' : code(tester.channel)}`,
    ),
  ]
  const more = lines.length - NAMES_SHOWN
  const list = [...lines.slice(0, NAMES_SHOWN), ...(more > 0 ? [`- and ${more} more`] : [])]
  return `Merging it changes the testers: ${counts.join(', ')}.\n\n${list.join('\n')}`
}

/** One line: what was done with how many. */
export function countTesters({ counts }: TestersReport): string {
  const parts = [
    counts.assigned === 0 ? '' : `${counts.assigned} assigned`,
    counts.released === 0 ? '' : `${counts.released} released`,
    counts.renewed === 0 ? '' : `${counts.renewed} renewed`,
    counts.failed === 0 ? '' : `${counts.failed} failed`,
  ].filter(part => part !== '')
  return parts.length === 0
    ? counts.total === 1
      ? 'The tester is on the right channel'
      : `All ${plural(counts.total, 'tester')} are on the right channel`
    : `${plural(counts.total, 'tester')}: ${parts.join(', ')}`
}

function describeState(row: TesterRow, channel: string | null): string {
  const { state, from, to, fromPull, takenBy, until, planned } = row
  if (takenBy !== null) return `↪️ taken by #${takenBy}, which is newer`
  switch (state) {
    case 'failed':
      return from === null ? `❌ not on ${code(to ?? '')}` : `❌ still on ${code(from)}`
    case 'set': {
      const what = planned ? 'would come' : '✅ assigned'
      return `${what}${to === channel ? '' : ` to ${code(to ?? '')}`}${fromPull === null ? '' : `, taken from #${fromPull}`}`
    }
    case 'there':
      return `✅ already ${to === channel ? 'there' : `on ${code(to ?? '')}`}`
    case 'release':
      return `${planned ? 'would be released from' : '👋 released from'} ${code(from ?? '')}`
    case 'by_hand':
      return `✋ stays on ${code(from ?? '')}, set by hand`
    case 'expired':
      return `⌛ expired ${escapeText(until ?? '')}${from === null ? '' : `, released from ${code(from)}`}`
    case 'none':
      return 'on no channel of its own'
  }
}

function describeInstallation({ installation, state, takenBy }: TesterRow): string {
  if (installation === null || takenBy !== null || state === 'failed' || state === 'by_hand') return ''
  switch (installation.kind) {
    case 'takes':
      return 'yes, at the next start'
    case 'runs':
      return 'runs it already'
    case 'never_seen':
      return 'never seen by Capgo'
    case 'refuses':
      return `**no**: ${escapeText(installation.rule)}`
  }
}

/** "2 devices (ada00000…, b0b00000…)". */
export function nameDevices(devices: readonly string[]): string {
  const shown = devices.slice(0, 5).map(shortDevice).join(', ')
  const more = devices.length > 5 ? ` and ${devices.length - 5} more` : ''
  return `${plural(devices.length, 'device')} (${shown}${more})`
}
