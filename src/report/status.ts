/** The lists of a status and of deleted old bundles, for the job summary, and the log's lines of a status. */
import type { BundleStatus, ChannelStatus } from '../plan/status.ts'
import { formatDateTime, PLATFORMS, plural, shortSha } from './format.ts'
import type { StatusResult } from './list-results.ts'
import { code, details, escapeText, link, row, table } from './markdown.ts'
import type { OldBundlesResult } from './result.ts'

/** So many rows are shown of one list; the rest is counted. */
const SHOWN = 200
/** A longer list is folded. */
const OPEN_UP_TO = 8

/** Channels of branches first, previews folded under their count. Two columns: people look at it on a phone. */
export function renderStatus(result: StatusResult): string[] {
  const { channels } = result
  if (channels.length === 0) return ['The first publish creates a channel.']
  const shown = channels.slice(0, SHOWN)
  const left = channels.length - shown.length
  const previews = shown.filter(({ bundle }) => bundle?.pull != null)
  const others = shown.filter(({ bundle }) => bundle?.pull == null)
  return [
    others.length === 0 ? '' : tableOf(others),
    previews.length === 0
      ? ''
      : details(`<b>${plural(previews.length, 'preview')} of pull requests</b>`, tableOf(previews), {
          open: channels.length <= OPEN_UP_TO,
        }),
    left > 0 ? `${plural(left, 'more channel')} in the output ${code('status')}.` : '',
    countDevices(result),
  ]
}

function tableOf(channels: readonly ChannelStatus[]): string {
  return table(
    ['channel', 'serves'],
    channels.map(each => [describeChannel(each), describeServed(each)]),
  )
}

function describeChannel({ channel, public: isPublic, platforms, overrides }: ChannelStatus): string {
  const off = (['ios', 'android'] as const).filter(platform => !platforms.includes(platform))
  return [
    `${code(channel)}${isPublic ? ' (public)' : ''}`,
    ...(off.length === 0 ? [] : [`off for ${off.map(platform => PLATFORMS[platform]).join(' and ')}`]),
    ...(overrides === null || overrides === 0 ? [] : [plural(overrides, 'override')]),
  ].join('<br>')
}

function describeServed({ bundle, rollout }: ChannelStatus): string {
  if (bundle === null) return 'nothing'
  const served = describeBundle(code(bundle.name), bundle)
  if (rollout === null) return served
  const share = `${rollout.percentage}% rollout${rollout.paused ? ', paused' : ''}`
  return `${served}<br>${describeBundle(`${share}: ${code(rollout.name)}`, rollout)}`
}

/** Two lines: its name and devices, and where it comes from. */
function describeBundle(name: string, bundle: BundleStatus): string {
  const { devices } = bundle
  return `${row([name, devices === null ? '' : plural(devices, 'device')])}<br>${origin(bundle)}`
}

function origin({ commit, pull, rolledBackFrom, since }: BundleStatus): string {
  if (commit === null) return 'not published by this action'
  const from =
    pull === null ? `on ${code(commit.ref)}` : `for ${link(escapeText(`#${pull.number}`), pull.url)}`
  const time = formatDateTime(since)
  return [
    `${link(code(shortSha(commit.sha)), commit.url)} ${from}`,
    ...(time === '' ? [] : [time]),
    ...(rolledBackFrom === null ? [] : [`rolled back from ${code(rolledBackFrom)}`]),
  ].join(', ')
}

function countDevices({ channels, devices }: StatusResult): string {
  if (devices === null) return ''
  const counted = new Map(
    channels.flatMap(({ bundle, rollout }) =>
      [bundle, rollout].flatMap(each => (each?.devices == null ? [] : [[each.name, each.devices] as const])),
    ),
  )
  const known = [...counted.values()].reduce((sum, count) => sum + count, 0)
  const others = (devices - known).toLocaleString('en-US')
  return `${plural(devices, 'known device')}: ${known.toLocaleString('en-US')} ${known === 1 ? 'runs' : 'run'} one of these bundles, ${others} something else (e.g. the version from the store).`
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
  rollback: 'kept for rollback',
  newest: 'among the newest',
  foreign: 'not published by this action',
  unfinished: 'not finished',
} as const

/** `3 served by a channel`: those that stay, for each reason. */
export function listKept(kept: OldBundlesResult['kept']): string[] {
  return (Object.keys(BECAUSE) as (keyof typeof BECAUSE)[])
    .filter(why => kept[why] > 0)
    .map(why => `${kept[why].toLocaleString('en-US')} ${BECAUSE[why]}`)
}

/** The deleted bundles, folded where they are many, and the number of those that stay. */
export function renderOldBundles({ removed, linked, kept }: OldBundlesResult): string[] {
  const rows = removed.slice(0, SHOWN).map(({ name, made }) => [code(name), formatDateTime(made)])
  const left = removed.length - rows.length
  const more = left > 0 ? `\n\n${plural(left, 'more bundle')}.` : ''
  const list = `${table(['bundle', 'created'], rows)}${more}`
  const stay = listKept(kept)
  return [
    rows.length === 0
      ? ''
      : details(`<b>${plural(removed.length, 'bundle')}</b>, the oldest first`, list, {
          open: removed.length <= OPEN_UP_TO,
        }),
    linked.map(name => `- ${code(name)} stays: a channel serves it now.`).join('\n'),
    stay.length === 0 ? '' : `Kept: ${stay.join(', ')}.`,
  ]
}
