/** The devices of an app: blocks of the job summary, and the output. */
import { shortDevice } from '../plan/device-id.ts'
import type { ListedDevice } from '../plan/device-list.ts'
import { formatTime, PLATFORMS, plural } from './format.ts'
import type { DevicesResult } from './list-results.ts'
import { code, codeBlock, details, escapeText, table } from './markdown.ts'

/** Rows of the table; the output has all of them. */
const MAX_ROWS = 200
/** GitHub hands on outputs of 1 MB, two bytes a character, and fails a job whose output is longer; some room for others. */
const MAX_OUTPUT = 500_000

/** Two columns: more are wider than a phone, on which people look at it. */
export function renderDevices(result: DevicesResult): string[] {
  const { devices, unseen, showIds, reason } = result
  const unknown = devices.filter(({ listed }) => !listed)
  const rows = devices
    .slice(0, MAX_ROWS)
    .map(device => [who(device, showIds), `${app(device)}<br>${where(device)}`])
  const more = fitOutput(result).count - MAX_ROWS
  return [
    escapeText(reason),
    // Folded, and before a table that can be long.
    unseen.length === 0 ? '' : listUnseen(unseen, showIds),
    unknown.length === 0 ? '' : invite(unknown, showIds),
    rows.length === 0 ? '' : table(['device', 'runs'], rows),
    more > 0 ? `${plural(more, 'more device')} in the output ${code('devices')}.` : '',
  ]
}

function who({ device, name, listed, seen, emulator }: ListedDevice, showIds: boolean): string {
  const title = name !== null ? `<b>${escapeText(name)}</b>` : listed ? '<b>no name</b>' : '<b>unknown</b>'
  const id = code(showIds ? device : shortDevice(device))
  return `${title} ${id}<br>seen ${formatTime(seen)}${emulator ? ', emulator' : ''}`
}

function app({ platform, native, bundle, plugin }: ListedDevice): string {
  const shell = `${PLATFORMS[platform]}${native === null ? '' : ` ${escapeText(native)}`}`
  const updater = plugin === null ? '' : ` · updater ${escapeText(plugin)}`
  const runs = bundle === null ? '' : `<br>${bundle === 'builtin' ? 'code from the store' : code(bundle)}`
  return `${shell}${updater}${runs}`
}

function where({ channel, by }: ListedDevice): string {
  if (channel === null) return 'no channel'
  const why = { override: 'override', app: 'chosen in the app', public: 'public' } as const
  return `on ${code(channel)}${by === null ? '' : ` (${why[by]})`}`
}

/** Testers whose app was not opened, or has another id by now. */
function listUnseen(unseen: DevicesResult['unseen'], showIds: boolean): string {
  const lines = unseen.map(({ device, name, github }) => {
    const title = name ?? github
    return `- ${title === null ? '' : `${escapeText(title)} `}${code(showIds ? device : shortDevice(device))}`
  })
  const more = unseen.length - MAX_ROWS
  return details(
    `<b>${plural(unseen.length, 'tester')} not seen</b>: open the app once, or check the id`,
    [...lines.slice(0, MAX_ROWS), ...(more > 0 ? [`- and ${more.toLocaleString('en-US')} more`] : [])].join(
      '\n',
    ),
  )
}

/** Lines for the testers file; without whole ids there is nothing to copy. */
function invite(unknown: readonly ListedDevice[], showIds: boolean): string {
  const count = `${plural(unknown.length, 'unknown device')}`
  if (!showIds)
    return `${count}: not in the testers file. In a private repository, ${code('show-ids: true')} shows whole ids and lines to copy.`
  const lines = unknown
    .slice(0, MAX_ROWS)
    .map(({ device, platform }) => `${JSON.stringify({ device, name: PLATFORMS[platform] })},`)
  const which = unknown.length > MAX_ROWS ? `, the newest ${MAX_ROWS}` : ''
  return details(
    `<b>${count}</b>: lines for the testers file${which}`,
    // A comma may follow the last entry, but one must follow each other.
    `Paste them at the start of the list, after its ${code('[')}:\n\n${codeBlock(lines.join('\n'))}`,
  )
}

/** The output `devices`: as JSON, ids as the summary shows them; the newest devices, `count` of them, that it can hold. */
export function fitOutput({ devices, showIds }: Pick<DevicesResult, 'devices' | 'showIds'>): {
  readonly json: string
  readonly count: number
} {
  const items: string[] = []
  let length = 2
  for (const each of devices) {
    const item = JSON.stringify(showIds ? each : { ...each, device: shortDevice(each.device) })
    length += item.length + 1
    if (length > MAX_OUTPUT) break
    items.push(item)
  }
  return { json: `[${items.join(',')}]`, count: items.length }
}
