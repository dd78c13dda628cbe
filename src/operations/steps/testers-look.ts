/** What testers' devices are on, where they belong, and what is in the way. */
import type { Capgo } from '../../capgo/client.ts'
import type { ChannelRow, OverrideRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { ActionError, InputError } from '../../errors.ts'
import { type PullRequest, toPullRequest } from '../../event.ts'
import { previewedPulls, readServedCommit } from '../../plan/bundle-comment.ts'
import { wantsPreview } from '../../plan/preview.ts'
import type { Tester } from '../../plan/tester-list.ts'
import {
  type Assignment,
  asksForHistory,
  asksForReviewers,
  type Override,
  type PreviewChannel,
  planTesters,
  type TesterFacts,
  type TestersPlan,
} from '../../plan/testers.ts'
import { findNoted } from './preview-leftovers.ts'
import { readRepository } from './repository.ts'
import { pathOf, readEarlier, type TestersFile, timeOf, today } from './testers-versions.ts'

/** What a run is about, as far as testers go. */
export interface Scope {
  /** Devices that are not in the file any more are its matter too. */
  readonly isWhole: boolean
  /** The pull request whose preview this run publishes; its own file says who gets it. */
  readonly published: PullRequest | null
  /** The pull request whose preview this run removes. */
  readonly closing: number | null
  /** The channel that the run publishes to: it is made where it is missing. */
  readonly channel: string | null
}
export const WHOLE: Scope = { isWhole: true, published: null, closing: null, channel: null }

/** What the file says. */
export interface Wanted {
  /** That of the default branch. */
  readonly standing: TestersFile
  /** Whether the lines of `standing` are those of the checkout. */
  readonly isCheckedOut: boolean
  /** For the preview of the pull request that is published; null = `standing`. */
  readonly merged: readonly Tester[] | null
}

/** Capgo expires overrides after 30 days (some servers 90) without a write. */
const RENEW_AFTER_DAYS = 14

/** What is, and what is to be. */
export interface Looked {
  readonly capgo: Capgo
  readonly channels: readonly ChannelRow[]
  readonly previews: readonly PreviewChannel[]
  /** By device. */
  readonly overrides: ReadonlyMap<string, Override>
  readonly plan: TestersPlan
  /** Assignments that take a write. */
  readonly changes: readonly Assignment[]
  /** Why a change cannot be made, by device. */
  readonly obstacles: ReadonlyMap<string, ActionError>
}

export async function look(
  appId: string,
  wanted: Wanted,
  scope: Scope,
  context: RunContext,
): Promise<Looked> {
  const { deps, inputs } = context
  const { standing, merged } = wanted
  requireGroups([...standing.testers, ...(merged ?? [])], context)
  const capgo =
    inputs.devicesToken === '' ? context.capgo : deps.connectCapgo(inputs.devicesToken, inputs.hosts)
  const [channels, rows] = await Promise.all([capgo.listChannels(appId), capgo.listOverrides(appId)])
  // The database answers a wrong key with empty lists; this one says so.
  if (channels.length === 0) await capgo.readApp(appId)
  const previews = await findPreviews(appId, channels, scope, merged, context)
  const facts: TesterFacts = {
    testers: standing.testers,
    earlier: null,
    previews,
    overrides: byDevice(rows, channels),
    assign: inputs.assignTesters,
    prune: inputs.prune,
    today: today(context),
    renewBefore: renewBefore(context),
  }
  const first = planTesters(facts)
  const earlier = asksForHistory(first, facts, scope) ? await readEarlier(context) : null
  const plan =
    earlier === null
      ? first
      : planTesters({ ...facts, earlier: scope.isWhole ? earlier : known(earlier, first) })
  const changes = plan.assignments.filter(
    ({ state, from, to }) => (state === 'set' || state === 'release' || state === 'expired') && from !== to,
  )
  const obstacles = await findObstacles(appId, changes, plan, channels, scope, capgo)
  return { capgo, channels, previews, overrides: facts.overrides, plan, changes, obstacles }
}

/** A run for a pull request leaves those alone that are not in the file. */
function known(earlier: readonly Tester[], { assignments }: TestersPlan): Tester[] {
  const planned = new Set(assignments.map(({ device }) => device))
  return earlier.filter(({ device }) => planned.has(device))
}

function requireGroups(testers: readonly Tester[], { inputs }: RunContext): void {
  const path = pathOf(inputs)
  const groups = new Set(testers.flatMap(tester => tester.groups))
  for (const rule of inputs.assignTesters ?? [])
    if (rule.kind === 'group' && !groups.has(rule.name))
      throw new InputError(
        'assign-testers',
        `${path} has no group "${rule.name}".`,
        groups.size === 0 ? `${path} has no groups.` : `It has ${[...groups].sort().join(', ')}.`,
      )
}

/** The channels of pull requests: what they serve, or served, tells which; GitHub tells whether that is open. */
async function findPreviews(
  appId: string,
  channels: readonly ChannelRow[],
  scope: Scope,
  merged: readonly Tester[] | null,
  context: RunContext,
): Promise<PreviewChannel[]> {
  const { inputs, github } = context
  const own = scope.published
  const isForeign = ({ name, version }: ChannelRow) =>
    version !== null && readServedCommit(version, name) === null
  const noted = scope.isWhole && channels.some(isForeign) ? await findNoted(appId, null, context.capgo) : []
  const repository = await readRepository(
    [...channels.flatMap(({ version }) => version ?? []), ...noted],
    context,
  )
  const there = channels.flatMap(channel =>
    previewedPulls(channel, noted, repository).map(pull => ({ channel: channel.name, pull })),
  )
  const isMade = own !== null && scope.channel !== null && !there.some(({ pull }) => pull === own.number)
  const found = isMade ? [...there, { channel: scope.channel, pull: own.number }] : there
  const isSettled = found.every(({ pull }) => pull === own?.number || pull === scope.closing)
  if (!isSettled && github === null)
    throw new ActionError('no_github_token', 'The input "github-token" is empty.', {
      hint: 'It is needed to see which pull requests are open: their testers are not taken away from them.',
    })
  const listed =
    isSettled || github === null ? [] : (await github.listOpenPulls()).map(each => toPullRequest(each))
  const pulls = new Map([...listed, ...(own === null ? [] : [own])].map(pull => [pull.number, pull]))
  return Promise.all(
    found.map(async ({ channel, pull }) => {
      const known = pull === scope.closing ? undefined : pulls.get(pull)
      if (known === undefined || !wantsPreview(known, inputs))
        return { channel, pull, open: null, testers: null }
      const reviewed =
        asksForReviewers(inputs.assignTesters) && github !== null ? await github.listReviewers(pull) : []
      return {
        channel,
        pull,
        open: { author: known.author, reviewers: [...known.requestedReviewers, ...reviewed] },
        testers: pull === own?.number ? merged : null,
      }
    }),
  )
}

export function byDevice(
  rows: readonly OverrideRow[],
  channels: readonly ChannelRow[],
): Map<string, Override> {
  const names = new Map(channels.map(({ id, name }) => [id, name]))
  return new Map(
    rows.map(row => [
      row.device_id,
      {
        channel: names.get(row.channel_id) ?? `#${row.channel_id}`,
        channelId: row.channel_id,
        updatedAt: new Date(row.updated_at).toISOString(),
      },
    ]),
  )
}

/** Channels that no device can be put on, and what the key may not do, by the devices that this is about. */
async function findObstacles(
  appId: string,
  changes: readonly Assignment[],
  { renewals }: TestersPlan,
  channels: readonly ChannelRow[],
  { channel: made }: Scope,
  capgo: Capgo,
): Promise<Map<string, ActionError>> {
  const byName = new Map(channels.map(channel => [channel.name, channel]))
  const obstacles = new Map<string, ActionError>()
  const asks = async (devices: readonly string[], channelId: number | null, takesOff: boolean) => {
    const what = takesOff ? 'take devices off their channels' : 'put devices on channels'
    const scope = { appId, channelId }
    try {
      await capgo.requirePermission(what, 'channel.manage_forced_devices', scope)
      if (takesOff) await capgo.requirePermission(what, 'app.manage_devices', { appId, channelId: null })
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'permission_missing') throw error
      for (const device of devices) obstacles.set(device, error)
    }
  }
  for (const [key, group] of Map.groupBy(changes, ({ from, to }) => to ?? `-${from}`)) {
    const devices = group.map(({ device }) => device)
    const { from, to } = group[0]!
    const error = to === null ? null : wrongChannel(to, byName.get(to), made)
    if (error !== null) for (const device of devices) obstacles.set(device, error)
    else await asks(devices, byName.get(to ?? from ?? key)?.id ?? null, to === null)
  }
  for (const [channelId, devices] of renewals) await asks(devices, channelId, false)
  return obstacles
}

function wrongChannel(to: string, channel: ChannelRow | undefined, made: string | null): ActionError | null {
  if (channel === undefined && to !== made)
    return new ActionError('channel_unknown', `There is no channel "${to}" that the key can see.`, {
      hint: 'Make it in the Capgo console, or publish to it once, or correct the name in the testers file.',
    })
  if (channel?.public)
    return new ActionError(
      'public_channel',
      `Channel "${to}" is public, and Capgo puts no device on a public channel.`,
      {
        hint: 'A device without an override gets the public channel anyway: leave "channel" out, or name a private one.',
      },
    )
  return null
}

/** Overrides written before this moment are renewed. */
export function renewBefore(context: RunContext): string {
  return new Date(timeOf(context).getTime() - RENEW_AFTER_DAYS * 24 * 60 * 60 * 1000).toISOString()
}
