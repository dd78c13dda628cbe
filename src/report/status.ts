/** The job summary of a status and of old bundles that were deleted, and the log's lines of a status. */
import type { BundleStatus, ChannelStatus } from '../plan/status.ts'
import { plural, shortSha } from './format.ts'
import { code, escapeText, link, table } from './markdown.ts'
import type { OldBundlesResult, StatusResult } from './result.ts'

const SHOWN = 200

/** Blocks of the job summary: one line a channel, and how many devices are on something else. */
export function renderStatus({ channels, devices, appId }: StatusResult): string[] {
  if (channels.length === 0)
    return ['### 📡 No channel yet', `${code(appId)} has no channel; the first publish makes one.`]
  const rows = channels.slice(0, SHOWN).map(row)
  const left = channels.length - rows.length
  const counted = new Map(
    channels.flatMap(({ bundle, rollout }) =>
      [bundle, rollout].flatMap(each => (each?.devices == null ? [] : [[each.name, each.devices] as const])),
    ),
  )
  const known = [...counted.values()].reduce((sum, count) => sum + count, 0)
  return [
    `### 📡 ${plural(channels.length, 'channel')} of ${code(appId)}`,
    table(['channel', 'serves', 'since', 'from', 'rollout', 'overrides', 'devices'], rows, [
      '---',
      '---',
      '---',
      '---',
      '---',
      '--:',
      '--:',
    ]),
    left > 0 ? `${plural(left, 'more channel')} in the output ${code('status')}.` : '',
    devices === null
      ? ''
      : `Capgo knows ${plural(devices, 'device')}; ${known.toLocaleString('en-US')} of them ${known === 1 ? 'runs' : 'run'} one of these bundles, ${(devices - known).toLocaleString('en-US')} something else, such as the code that the app was installed with.`,
  ]
}

function row({ channel, public: isPublic, platforms, bundle, rollout, overrides }: ChannelStatus): string[] {
  const off = (['ios', 'android'] as const).filter(platform => !platforms.includes(platform))
  return [
    `${code(channel)}${isPublic ? ' (public)' : ''}${off.length === 0 ? '' : ` – off for ${off.join(' and ')}`}`,
    bundle === null ? 'nothing' : code(bundle.name),
    bundle === null ? '' : formatTime(bundle.since),
    bundle === null ? '' : origin(bundle),
    rollout === null
      ? ''
      : `${code(rollout.name)} for ${rollout.percentage}%${rollout.paused ? ', paused' : ''}, ${origin(rollout)}`,
    overrides === null ? '?' : String(overrides),
    [bundle, rollout]
      .flatMap(each => (each === null ? [] : [each.devices === null ? '?' : String(each.devices)]))
      .join(' + '),
  ]
}

function origin({ commit, pull, rolledBackFrom }: BundleStatus): string {
  if (commit === null) return 'not by this action'
  const from = `${link(code(shortSha(commit.sha)), commit.url)} on ${code(commit.ref)}`
  const of = pull === null ? '' : ` for ${link(escapeText(`#${pull.number}`), pull.url)}`
  const back = rolledBackFrom === null ? '' : `, rolled back from ${code(rolledBackFrom)}`
  return `${from}${of}${back}`
}

/** `2026-10-22 10:15 UTC`. */
function formatTime(iso: string | null): string {
  const found = iso === null ? null : /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(iso)
  return found === null ? '' : `${found[1]} ${found[2]} UTC`
}

/** The log's lines for a status: what a person wants to know at once. */
export function listStatus(channels: readonly ChannelStatus[]): string[] {
  return channels.map(({ channel, bundle, rollout }) => {
    const from = bundle?.commit == null ? '' : ` from ${shortSha(bundle.commit.sha)}`
    const some =
      rollout === null
        ? ''
        : `; ${rollout.name} for ${rollout.percentage}%${rollout.paused ? ', paused' : ''}`
    return `${channel}: ${bundle?.name ?? 'nothing'}${from}${some}`
  })
}

const BECAUSE = {
  served: 'served by a channel',
  rollback: 'what a channel would be rolled back to',
  newest: 'among the newest',
  foreign: 'not made by this action',
  unfinished: 'not finished',
} as const

/** Blocks of the job summary where old bundles were deleted. */
export function renderOldBundles(result: OldBundlesResult): string[] {
  const { outcome, reason, removed, linked, kept } = result
  const rows = removed.slice(0, SHOWN).map(({ name, made }) => [code(name), formatTime(made)])
  const left = removed.length - rows.length
  const stay = (Object.keys(BECAUSE) as (keyof typeof BECAUSE)[])
    .filter(why => kept[why] > 0)
    .map(why => `- ${kept[why]} ${BECAUSE[why]}`)
  return [
    outcome === 'planned' ? '### 🧪 Dry run: old bundles' : '### 🧹 Old bundles',
    escapeText(reason),
    rows.length === 0 ? '' : table(['bundle', 'made'], rows),
    left > 0 ? `${plural(left, 'more bundle')}.` : '',
    linked.map(name => `- ${code(name)} stays: a channel serves it now.`).join('\n'),
    stay.length === 0 ? '' : `These stay:\n\n${stay.join('\n')}`,
  ]
}
