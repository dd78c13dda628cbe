/** The report on testers' devices: its types, tables and lines. */
import type { ErrorCode } from '../error-codes.ts'
import type { Place } from '../errors.ts'
import { shortDevice } from '../plan/device-id.ts'
import type { Installation } from '../plan/tester-installation.ts'
import type { TestersFileChange } from '../plan/tester-list.ts'
import type { Assignment } from '../plan/testers.ts'
import { plural } from './format.ts'
import { clip, code, details, escapeText, link, table } from './markdown.ts'

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
  /** Page of its line in the testers file; null where that has none. */
  readonly entry: string | null
}

export interface TesterFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly devices: readonly string[]
  readonly at: Place | null
}

/** The changes of testers' devices in a run. */
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
  /** A dry run: the counts are of what would be done. */
  readonly isPlanned: boolean
  /** Of a pull request that changes the file: what merging it would do. */
  readonly merging: TestersFileChange | null
  /** Page on GitHub where a phone is added; null where that is not known. */
  readonly addPhone: string | null
}

/** Rows of devices that are well; those with a problem are all shown. */
const ROWS_SHOWN = 50
const NAMES_SHOWN = 3
const MAX_NAME = 60

/** How a device stands to the preview, problems first: the order of a table. */
const STANDINGS = {
  failed: '❌',
  refuses: '❌',
  never_seen: '⚠️',
  runs: '✅',
  takes: '✅',
  assigned: '✅',
  elsewhere: '↪️',
  by_hand: '✋',
  expired: '⌛',
  released: '👋',
  none: '–',
} as const
type Standing = keyof typeof STANDINGS
const ORDER = Object.keys(STANDINGS) as Standing[]
const PROBLEMS: readonly Standing[] = ['failed', 'refuses', 'never_seen']

function standingOf({ state, takenBy, installation }: TesterRow): Standing {
  if (takenBy !== null) return 'elsewhere'
  if (state === 'set' || state === 'there') return installation?.kind ?? 'assigned'
  return state === 'release' ? 'released' : state
}

/** The table of a comment or summary; empty without rows. In a table about one `channel` its name is not repeated. */
export function renderTesters(rows: readonly TesterRow[], channel: string | null = null): string {
  if (rows.length === 0) return ''
  const sorted = ORDER.flatMap(standing => rows.filter(row => standingOf(row) === standing))
  const problems = sorted.filter(row => PROBLEMS.includes(standingOf(row))).length
  const shown = sorted.slice(0, Math.max(problems, ROWS_SHOWN))
  const body = table(
    ['tester', 'status'],
    shown.map(row => [nameTester(row, rows), `${STANDINGS[standingOf(row)]} ${describe(row, channel)}`]),
  )
  const left = rows.length - shown.length
  return left === 0 ? body : `${body}\n\nand ${plural(left, 'more device')} without a problem.`
}

/** The section of a comment: counts and the names of problems on its line, inside a table and where to add a phone. */
export function renderTesterSection(rows: readonly TesterRow[], addPhone: string | null): string {
  if (rows.length === 0) return ''
  const of = (standing: Standing) => rows.filter(row => standingOf(row) === standing)
  const has = (standing: Standing, one: string, many: string, names = false): string[] => {
    const found = of(standing)
    if (found.length === 0) return []
    const who = names ? ` (${listNames(found, rows)})` : ''
    return [`${found.length.toLocaleString('en-US')} ${found.length === 1 ? one : many}${who}`]
  }
  const [first = 'none', ...more] = [
    ...has('runs', 'has it', 'have it'),
    ...has('takes', 'gets it at the next app start', 'get it at the next app start'),
    ...has('assigned', 'is on the channel', 'are on the channel'),
  ]
  const problems = [
    ...has('failed', 'could not be moved', 'could not be moved', true),
    ...has('refuses', 'cannot install it', 'cannot install it', true),
    ...has('never_seen', 'has not opened the app yet', 'have not opened the app yet'),
  ]
  const total = rows.length.toLocaleString('en-US')
  const counted = first === 'none' ? `none of ${total} has it` : first.replace(' ', ` of ${total} `)
  const alarm = of('failed').length + of('refuses').length > 0 ? '⚠️ ' : ''
  const own = rows.find(({ takenBy, state }) => takenBy === null && state !== 'expired')?.to ?? ''
  return details(
    `${alarm}<b>Testers:</b> ${[counted, ...more, ...problems].join(', ')}`,
    [renderTesters(rows, own), addPhone === null ? '' : link('Add a phone', addPhone)]
      .filter(part => part !== '')
      .join('\n\n'),
  )
}

/** The effect of merging a pull request that changes the testers file. */
export function renderMerging(merging: TestersFileChange | null): string {
  if (merging === null) return ''
  const { added, removed, moved } = merging
  const counts = [
    added.length === 0 ? '' : `adds ${added.length}`,
    removed.length === 0 ? '' : `removes ${removed.length}`,
    moved.length === 0 ? '' : `moves ${moved.length}`,
  ].filter(part => part !== '')
  if (counts.length === 0)
    return 'Merging changes the testers file, but no device is added, removed or moved.'
  const on = (channel: string | null) => (channel === null ? 'the default channel' : code(channel))
  const lines = [
    ...added.map(each => `- adds ${nameOf(each)}${each.channel === null ? '' : ` on ${code(each.channel)}`}`),
    ...removed.map(each => `- removes ${nameOf(each)}`),
    ...moved.map(({ tester, from }) => `- moves ${nameOf(tester)} from ${on(from)} to ${on(tester.channel)}`),
  ]
  const more = lines.length - ROWS_SHOWN
  return details(
    `<b>Merging changes the testers:</b> ${counts.join(', ')}`,
    [...lines.slice(0, ROWS_SHOWN), ...(more > 0 ? [`- and ${more} more`] : [])].join('\n'),
  )
}

/** One line: what was done with how many, or would be. */
export function countTesters({ counts, isPlanned }: TestersReport): string {
  const [assigned, released, renewed, failed] = isPlanned
    ? ['to assign', 'to release', 'to renew', 'would fail']
    : ['assigned', 'released', 'renewed', 'failed']
  const parts = [
    counts.assigned === 0 ? '' : `${counts.assigned} ${assigned}`,
    counts.released === 0 ? '' : `${counts.released} ${released}`,
    counts.renewed === 0 ? '' : `${counts.renewed} ${renewed}`,
    counts.failed === 0 ? '' : `${counts.failed} ${failed}`,
  ].filter(part => part !== '')
  if (parts.length === 0)
    return counts.total === 0
      ? 'No testers'
      : counts.total === 1
        ? 'The tester is on the right channel'
        : `All ${counts.total.toLocaleString('en-US')} testers are on the right channel`
  return `${plural(counts.total, 'tester')}: ${parts.join(', ')}`
}

function describe(row: TesterRow, channel: string | null): string {
  const { from, to, takenBy, until, planned } = row
  switch (standingOf(row)) {
    case 'failed':
      return from === null
        ? `could not be put on ${code(to ?? '')}`
        : `could not be moved, still on ${code(from)}`
    case 'elsewhere':
      return `on #${takenBy}, which is newer`
    case 'by_hand':
      return `stays on ${code(from ?? '')} (set by hand)`
    case 'expired':
      return `ended on ${escapeText(until ?? '')}`
    case 'released':
      return planned ? `would leave ${code(from ?? '')}` : 'back on the default channel'
    case 'none':
      return 'on the default channel'
    default: {
      const moved = row.fromPull === null || row.state !== 'set' ? '' : ` (moved here from #${row.fromPull})`
      return `${to === channel ? describePreview(row) : describeFollower(row)}${moved}`
    }
  }
}

/** A device on the channel that the table is about. */
function describePreview({ installation, planned, state, entry }: TesterRow): string {
  const gets = planned ? 'would get it' : 'gets it'
  switch (installation?.kind) {
    case 'refuses':
      return `cannot install it: ${escapeText(installation.rule)}`
    case 'never_seen':
      return `${gets}, but ${unseen(entry)}`
    case 'runs':
      return 'runs it'
    case 'takes':
      return `${gets} at the next app start`
    default:
      return planned && state === 'set' ? 'would join the channel' : 'on the channel'
  }
}

/** A device on another channel, or in a table about several. */
function describeFollower({ installation, planned, state, to, entry }: TesterRow): string {
  const follows = `${planned && state === 'set' ? 'would follow' : 'follows'} ${code(to ?? '')}`
  if (installation?.kind === 'refuses')
    return `${follows}, but cannot install what it serves: ${escapeText(installation.rule)}`
  return installation?.kind === 'never_seen' ? `${follows}, but ${unseen(entry)}` : follows
}

/** Either the app was never opened online, or the id has a typing error. */
function unseen(entry: string | null): string {
  return `Capgo never saw this id (open the app once, or ${link('check the id', entry)})`
}

/** By name; the device is said too where another has the same name, or none. */
function nameTester(row: TesterRow, all: readonly TesterRow[]): string {
  const isUnique = all.filter(({ name }) => name === row.name).length === 1
  return row.name !== null && isUnique ? escapeText(clip(row.name, MAX_NAME)) : nameOf(row)
}

function nameOf({ name, device }: { readonly name: string | null; readonly device: string }): string {
  return `${name === null ? '' : `${escapeText(clip(name, MAX_NAME))} `}${code(shortDevice(device))}`
}

function listNames(found: readonly TesterRow[], all: readonly TesterRow[]): string {
  const names = found.slice(0, NAMES_SHOWN).map(row => nameTester(row, all))
  const more = found.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** "2 devices (ada00000…, b0b00000…)". */
export function nameDevices(devices: readonly string[]): string {
  const shown = devices.slice(0, 5).map(shortDevice).join(', ')
  const more = devices.length > 5 ? ` and ${devices.length - 5} more` : ''
  return `${plural(devices.length, 'device')} (${shown}${more})`
}
