/** Facts about testers' devices from Capgo and GitHub, and the permissions that the key lacks. */
import type { Capgo } from '../../capgo/client.ts'
import type { ChannelRow, DeviceRow, OverrideRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import { type PullRequest, toPullRequest } from '../../event.ts'
import { previewedPulls, readServedCommit } from '../../plan/bundle-comment.ts'
import { wantsPreview } from '../../plan/preview.ts'
import type { TesterPermission } from '../../plan/tester-changes.ts'
import type { Tester } from '../../plan/tester-list.ts'
import {
  asksForHistory,
  asksForReviewers,
  type Override,
  type PreviewChannel,
  planTesters,
  requireGroups,
  type TesterFacts,
  type TestersPlan,
} from '../../plan/testers.ts'
import { findNoted } from './preview-leftovers.ts'
import { requireGitHub } from './pull-request.ts'
import { readRepository } from './repository.ts'
import { readEarlier, type TestersFile, timeOf, today } from './testers-file.ts'

/** The testers' part of a run. */
export interface Scope {
  /** Also covers devices that are no longer in the file. */
  readonly isWhole: boolean
  /** The pull request whose preview this run publishes; its own file says who gets it. */
  readonly published: PullRequest | null
  /** The pull request whose preview this run removes. */
  readonly closing: number | null
  /** The channel that the run publishes to: it is made where it is missing. */
  readonly channel: string | null
}
export const WHOLE: Scope = { isWhole: true, published: null, closing: null, channel: null }

/** The testers file. */
export interface TesterLists {
  /** As the default branch has it. */
  readonly newest: TestersFile
  /** Whether the lines of `newest` are those of the checkout. */
  readonly isCheckedOut: boolean
  /** For the preview of the pull request that is published; null = `newest`. */
  readonly proposed: readonly Tester[] | null
}

/** The devices of an app's testers in one run. */
export interface TestersRun {
  readonly appId: string
  readonly scope: Scope
  readonly lists: TesterLists
}

/** The facts that are read of them. */
export interface GatheredTesters {
  /** With the key that may assign devices. */
  readonly capgo: Capgo
  readonly channels: readonly ChannelRow[]
  readonly facts: TesterFacts
}

/** With the key for devices, where there is one: that of previews cannot read or assign them. */
export function connectForDevices({ capgo, deps, inputs }: RunContext): Capgo {
  return inputs.devicesToken === '' ? capgo : deps.connectCapgo(inputs.devicesToken, inputs.hosts)
}

/** Capgo expires overrides after 30 days (some servers 90) without a write. */
const RENEW_AFTER_DAYS = 14

/** Throws `github_token_missing`, and what is wrong with `assign-testers`. */
export async function gatherTesters(run: TestersRun, context: RunContext): Promise<GatheredTesters> {
  const { appId, scope, lists } = run
  const { inputs } = context
  const { newest, proposed } = lists
  requireGroups(inputs.assignTesters, [...newest.testers, ...(proposed ?? [])], newest.path)
  const capgo = connectForDevices(context)
  const [channels, rows] = await Promise.all([capgo.listChannels(appId), capgo.listOverrides(appId)])
  // The database answers a wrong key with empty lists; this one says so.
  if (channels.length === 0) await capgo.readApp(appId)
  const facts: TesterFacts = {
    testers: newest.testers,
    earlier: null,
    previews: await findPreviews(run, channels, context),
    overrides: byDevice(rows, channels),
    assign: inputs.assignTesters,
    prune: inputs.prune,
    today: today(context),
    renewBefore: renewBefore(timeOf(context)),
  }
  return { capgo, channels, facts: { ...facts, earlier: await findEarlier(facts, scope, context) } }
}

/** Former testers, where they could change the plan. */
async function findEarlier(
  facts: TesterFacts,
  scope: Scope,
  context: RunContext,
): Promise<readonly Tester[] | null> {
  const plan = planTesters(facts)
  if (!asksForHistory(plan, facts, scope)) return null
  const earlier = await readEarlier(context)
  return earlier === null || scope.isWhole ? earlier : onlyPlanned(earlier, plan)
}

/** A run for a pull request leaves those alone that are not in the file. */
function onlyPlanned(earlier: readonly Tester[], { assignments }: TestersPlan): Tester[] {
  const planned = new Set(assignments.map(({ device }) => device))
  return earlier.filter(({ device }) => planned.has(device))
}

/** Overrides written before this moment are renewed. */
function renewBefore(now: Date): string {
  return new Date(now.getTime() - RENEW_AFTER_DAYS * 24 * 60 * 60 * 1000).toISOString()
}

/** The channels of pull requests: their bundles say which, and GitHub whether it is open. */
async function findPreviews(
  { appId, scope, lists }: TestersRun,
  channels: readonly ChannelRow[],
  context: RunContext,
): Promise<PreviewChannel[]> {
  const { inputs } = context
  const own = scope.published
  const isForeign = ({ name, version }: ChannelRow) =>
    version !== null && readServedCommit(version, name) === null
  const isMatter = scope.isWhole || scope.closing !== null
  const noted = isMatter && channels.some(isForeign) ? await findNoted(appId, null, context.capgo) : []
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
  const github = isSettled
    ? context.github
    : requireGitHub(context, 'list the open pull requests, whose testers keep their previews')
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
        testers: pull === own?.number ? lists.proposed : null,
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

/** Missing permissions of the key, by device. */
export async function findLackingPermissions(
  appId: string,
  permissions: readonly TesterPermission[],
  capgo: Capgo,
): Promise<Map<string, ActionError>> {
  const lacking = new Map<string, ActionError>()
  for (const { devices, channelId, takes } of permissions) {
    const what = takes === 'off' ? 'remove devices from their channels' : 'put devices on channels'
    try {
      await capgo.requirePermission(what, 'channel.manage_forced_devices', { appId, channelId })
      if (takes === 'off')
        await capgo.requirePermission(what, 'app.manage_devices', { appId, channelId: null })
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'permission_missing') throw error
      for (const device of devices) lacking.set(device, error)
    }
  }
  return lacking
}

/** Capgo's record of one device; null where it never saw it, undefined where it did not say. */
export async function readKnownDevice(
  appId: string,
  id: string,
  context: RunContext,
): Promise<DeviceRow | null | undefined> {
  const known = await readKnownDevices(appId, [id], connectForDevices(context), context)
  return known === null ? undefined : (known.get(id) ?? null)
}

/** Best effort: without it the table says nothing about what will install. Null where nothing was asked, too. */
export async function readKnownDevices(
  appId: string,
  ids: readonly string[],
  capgo: Capgo,
  { deps }: RunContext,
): Promise<ReadonlyMap<string, DeviceRow> | null> {
  if (ids.length === 0) return null
  try {
    const rows = await capgo.readDevices(appId, ids)
    return new Map(rows.map(row => [row.device_id.toLowerCase(), row]))
  } catch (error) {
    deps.cancellation.signal.throwIfAborted()
    deps.log.info(`Could not read what the test devices run: ${(error as Error).message}`)
    return null
  }
}
