import { readFile, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Capgo } from '../capgo/client.ts'
import { changeWithoutEffect, type OverrideChange } from '../capgo/devices.ts'
import type { ChannelRow, DeviceRow } from '../capgo/wire.ts'
import { ActionError, InputError } from '../errors.ts'
import { type PullRequest, toPullRequest } from '../event.ts'
import { refuseDelivery } from '../plan/delivery.ts'
import { readPulls } from '../plan/lineage.ts'
import {
  type Assignment,
  asksForReviewers,
  compareTesters,
  mergeTesters,
  type Override,
  type PreviewChannel,
  planTesters,
} from '../plan/testers.ts'
import { progressReporter } from '../report/progress.ts'
import type { Installation, TesterFailure, TesterRow, TestersReport } from '../report/testers.ts'
import { MOST_PROBLEMS, type ParsedTesters, parseTesters, type Tester } from '../testers-file.ts'
import { PULL_REQUESTS, updateTesterSection } from './comment.ts'
import type { RunContext } from './context.ts'

const DEFAULT_FILE = 'testers.json'
/** Capgo expires overrides after 30 days (some servers 90) without a write. */
const RENEW_AFTER_DAYS = 14

/** The testers file in the checkout. */
export interface TestersFile {
  readonly path: string
  readonly text: string
  readonly testers: readonly Tester[]
}

/** What a run is about, as far as testers go. */
export interface TestersScope {
  /** The pull request whose preview this run has published; its own file says who gets it. */
  readonly published: PullRequest | null
  /** The pull request whose preview this run removes. */
  readonly closing: number | null
}

/**
 * The file of the checkout, null where there is none. Throws `testers_file_invalid` with everything that is wrong
 * in it, so that a broken file stops a run before anything is built.
 */
export async function readTestersFile({ deps, inputs, trigger }: RunContext): Promise<TestersFile | null> {
  const path = inputs.testersFile ?? DEFAULT_FILE
  const text = await readInside(deps.workspace, path)
  if (text === null) {
    // Branches of pull requests may be older than the file.
    if (inputs.testersFile === null || !trigger.isDefaultBranch) return null
    throw new ActionError('testers_file_missing', `There is no file ${path} in the checkout.`, {
      hint: 'Correct the input "testers-file" (a path from the root of the repository). To let all testers go, keep the file with an empty list: [].',
    })
  }
  const parsed = parseTesters(text, today(deps))
  const { problems, testers } = parsed
  if (problems.length > 0) throw invalidFile(path, parsed)
  for (const { message, ...place } of parsed.warnings)
    deps.log.warning(`${path}:${place.line}:${place.column}: ${message}`, { file: path, ...place })
  const groups = new Set(testers.flatMap(tester => tester.groups))
  for (const rule of inputs.assignTesters ?? [])
    if (rule.kind === 'group' && !groups.has(rule.name))
      throw new InputError(
        'assign-testers',
        `${path} has no group "${rule.name}".`,
        groups.size === 0 ? `${path} has no groups.` : `It has ${[...groups].sort().join(', ')}.`,
      )
  return { path, text, testers }
}

/** A file of the checkout; null where there is none. A link that leads out of the checkout is refused. */
async function readInside(workspace: string, path: string): Promise<string | null> {
  const [root, real] = await Promise.all([
    realpath(workspace),
    realpath(join(workspace, path)).catch(() => null),
  ])
  if (real === null) return null
  if (!real.startsWith(root + sep))
    throw new ActionError('testers_file_invalid', `${path} is a link to a file outside of the checkout.`, {
      hint: 'Put the list itself into the repository.',
    })
  try {
    return await readFile(real, 'utf8')
  } catch (cause) {
    throw new ActionError('testers_file_invalid', `${path} cannot be read: ${(cause as Error).message}.`, {
      hint: 'It must be a file of text. Set the input "testers-file" to the right one.',
      cause,
    })
  }
}

function invalidFile(path: string, { problems }: ParsedTesters): ActionError {
  const [first] = problems
  const at = (problem: { line: number; column: number }) => ({
    file: path,
    line: problem.line,
    column: problem.column,
  })
  const said = problems.map(problem => ({
    message: `${path}:${problem.line}:${problem.column}: ${problem.message}`,
    at: at(problem),
  }))
  return new ActionError(
    'testers_file_invalid',
    problems.length === 1
      ? said[0]!.message
      : `${path} has ${problems.length}${problems.length === MOST_PROBLEMS ? ' and more' : ''} mistakes.`,
    {
      hint: 'Nothing was changed. docs/testers.md describes the file; its "$schema" line lets editors check it.',
      at: at(first!),
      problems: problems.length === 1 ? [] : said,
    },
  )
}

/** The file that holds for everybody. To be read before anything is built: a build may write to the checkout. */
export async function readStandingFile(context: RunContext): Promise<TestersFile | null> {
  return context.trigger.isDefaultBranch ? readTestersFile(context) : null
}

/**
 * A run on the default branch: everything, when the push changed the file or no push is the reason. `file` from
 * `readStandingFile`.
 */
export async function convergeOnDefaultBranch(
  file: TestersFile | null,
  readAppId: () => Promise<string>,
  context: RunContext,
): Promise<TestersReport | null> {
  const { trigger, courtesy } = context
  if (!trigger.isDefaultBranch || trigger.ref.type !== 'branch') return null
  if (trigger.event !== 'push')
    return file === null ? null : converge(await readAppId(), file.testers, null, file, null, context)
  const path = context.inputs.testersFile ?? DEFAULT_FILE
  if (file === null && (trigger.before === null || context.github === null)) return null
  const before =
    trigger.before === null
      ? null
      : await courtesy(`read ${path} as it was before the push`, 'contents: read', github =>
          github.readFile(path, trigger.before),
        )
  if (file === null && before === null) return null
  if (before !== null && before === file?.text) return null
  const old = before === null ? null : parseTesters(before, today(context.deps)).testers
  const appId = await readAppId()
  const newest = await courtesy(`read ${path} of the default branch`, 'contents: read', async github => ({
    text: await github.readFile(path, null),
  }))
  if (newest === null || newest.text === (file?.text ?? null))
    return converge(appId, file?.testers ?? [], old, file, null, context)
  // The branch has gone on, above all when an old job is run again: its newest file holds, and who was in an older
  // one may be where that one said.
  const standing = parseTesters(newest.text ?? '[]', today(context.deps))
  if (standing.problems.length > 0) throw invalidFile(path, standing)
  const left = [...(old ?? []), ...(file?.testers ?? [])]
  return converge(appId, standing.testers, left, null, null, context)
}

/** The scheduled run: everything, with what is near its end renewed. */
export async function convergeOnSchedule(appId: string, context: RunContext): Promise<TestersReport | null> {
  const file = await readTestersFile(context)
  return file === null ? null : converge(appId, file.testers, null, file, null, context)
}

/**
 * A run for a pull request. What holds for everybody is the file of the default branch; the pull request's own
 * decides about its own preview alone, and only where it does not come from a fork.
 */
export async function convergeForPull(
  appId: string,
  scope: TestersScope,
  own: TestersFile | null,
  context: RunContext,
): Promise<TestersReport | null> {
  const { trigger, courtesy, deps } = context
  if (own === null) return null
  if (trigger.event !== 'pull_request') return converge(appId, own.testers, null, null, scope, context)
  const text = await courtesy(`read ${own.path} of the default branch`, 'contents: read', async github => ({
    text: await github.readFile(own.path, null),
  }))
  if (text === null) return null
  const standing = parseTesters(text.text ?? '[]', today(deps))
  if (standing.problems.length > 0) throw invalidFile(own.path, standing)
  const { testers } = standing
  if (scope.published === null || text.text === own.text)
    return converge(appId, testers, null, null, scope, context)
  const old = await readAtMergeBase(own.path, scope.published, context)
  const proposed = mergeTesters(old ?? testers, testers, own.testers)
  const report = await converge(appId, testers, null, null, scope, context, proposed)
  const isChange = proposed.length !== testers.length || proposed.some(tester => !testers.includes(tester))
  return { ...report, merging: isChange ? compareTesters(testers, proposed) : null }
}

/** The file as it was where the pull request's branch left its base; null where GitHub does not tell. */
async function readAtMergeBase(
  path: string,
  pull: PullRequest,
  { courtesy, deps }: RunContext,
): Promise<readonly Tester[] | null> {
  return courtesy(`read ${path} as it was where the branch began`, 'contents: read', async github => {
    const sha = await github.readMergeBase(pull.baseRef, pull.headSha)
    const text = sha === null ? null : await github.readFile(path, sha)
    return text === null ? (sha === null ? null : []) : parseTesters(text, today(deps)).testers
  })
}

/** Reads, plans, changes, reads back. Throws only where nothing was begun. */
async function converge(
  appId: string,
  testers: readonly Tester[],
  before: readonly Tester[] | null,
  file: TestersFile | null,
  scope: TestersScope | null,
  context: RunContext,
  ownTesters: readonly Tester[] | null = null,
): Promise<TestersReport> {
  const { deps, inputs } = context
  const capgo =
    inputs.devicesToken === '' ? context.capgo : deps.connectCapgo(inputs.devicesToken, inputs.hosts)
  return deps.log.group('Testers', async () => {
    const [channels, rows] = await Promise.all([capgo.listChannels(appId), capgo.listOverrides(appId)])
    // The database answers a wrong key with empty lists; this one says so.
    if (channels.length === 0) await capgo.readApp(appId)
    const previews = await findPreviews(channels, scope, ownTesters, context)
    const overrides = byDevice(rows, channels)
    const plan = planTesters({
      testers,
      before,
      previews,
      overrides,
      assign: inputs.assignTesters,
      prune: inputs.prune,
      today: today(deps),
      renewBefore: daysAgo(deps.now(), RENEW_AFTER_DAYS),
    })
    const placeOf = (tester: Tester | null) =>
      file === null || tester === null ? null : { file: file.path, line: tester.line, column: tester.column }
    const wrong = wrongChannels(plan.assignments, channels)
    const changes = plan.assignments.filter(
      ({ state, from, to, device }) =>
        (state === 'set' || state === 'release' || state === 'expired') && from !== to && !wrong.has(device),
    )
    deps.log.info(
      `${plan.assignments.length} devices, ${changes.length} to change, ${[...plan.renewals.values()].flat().length} to renew.`,
    )
    const failed = inputs.dryRun
      ? new Map()
      : await apply(appId, changes, plan.renewals, channels, capgo, context)
    const failures = groupFailures(
      plan.assignments.flatMap(({ device, tester }) => {
        const error: ActionError | undefined = wrong.get(device) ?? failed.get(device)
        return error === undefined ? [] : [{ device, error, at: placeOf(tester) }]
      }),
    )
    const errors = new Map<string, ActionError>([...wrong, ...failed])
    const open = new Map(
      previews.flatMap(({ pull, open, channel }) => (open === null ? [] : [[channel, pull]])),
    )
    const touched = pullsTouched(changes, open, scope)
    const known = await readKnownDevices(appId, plan.assignments, touched, capgo, context)
    const rowOf = (assignment: Assignment): TesterRow =>
      toRow(assignment, { open, errors, channels, known, planned: inputs.dryRun })
    const rowsOf = (pull: number) =>
      plan.assignments
        .filter(each => each.pull === pull || each.others.includes(pull) || each.expiredFor.includes(pull))
        .map(each => ({ ...rowOf(each), ...(each.others.includes(pull) ? { takenBy: each.pull } : {}) }))
    if (!inputs.dryRun)
      for (const pull of touched)
        if (pull !== scope?.published?.number)
          await context.courtesy('update the comment of the other pull request', PULL_REQUESTS, github =>
            updateTesterSection(appId, pull, rowsOf(pull), github, inputs.capgoToken),
          )
    const closing = previews.find(({ pull }) => pull === scope?.closing)?.channel
    return {
      rows:
        scope?.published != null
          ? rowsOf(scope.published.number)
          : changes.filter(({ from }) => closing === undefined || from === closing).map(rowOf),
      changed: changes.map(rowOf),
      counts: {
        assigned: changes.filter(({ to, device }) => to !== null && !errors.has(device)).length,
        released: changes.filter(({ to, device }) => to === null && !errors.has(device)).length,
        renewed: inputs.dryRun ? 0 : [...plan.renewals.values()].flat().length,
        failed: errors.size,
        total: testers.length,
      },
      failures,
      merging: null,
    }
  })
}

/** The channels of pull requests: what they serve tells which, GitHub tells whether that is open. */
async function findPreviews(
  channels: readonly ChannelRow[],
  scope: TestersScope | null,
  ownTesters: readonly Tester[] | null,
  { trigger, inputs, github }: RunContext,
): Promise<PreviewChannel[]> {
  const prefix = `${trigger.repository}#`
  const found = channels.flatMap(({ name, version }) =>
    (version === null ? [] : readPulls(version))
      .filter(({ channel, pull }) => channel === name && pull.startsWith(prefix))
      .map(({ pull }) => ({ channel: name, pull: Number(pull.slice(prefix.length)) })),
  )
  const own = scope?.published ?? null
  const isSettled = found.every(({ pull }) => pull === own?.number || pull === scope?.closing)
  if (!isSettled && github === null)
    throw new ActionError('no_github_token', 'The input "github-token" is empty.', {
      hint: 'It is needed to see which pull requests are open: their testers are not taken away from them.',
    })
  const listed =
    isSettled || github === null ? [] : (await github.listOpenPulls()).map(each => toPullRequest(each))
  const pulls = new Map([...listed, ...(own === null ? [] : [own])].map(pull => [pull.number, pull]))
  return Promise.all(
    found.map(async ({ channel, pull }) => {
      const known = pull === scope?.closing ? undefined : pulls.get(pull)
      const label = inputs.previewLabel
      if (known === undefined || !known.open || (label !== null && !known.labels.includes(label)))
        return { channel, pull, open: null, testers: null }
      const reviewed =
        asksForReviewers(inputs.assignTesters) && github !== null ? await github.listReviewers(pull) : []
      return {
        channel,
        pull,
        open: { author: known.author, reviewers: [...known.requestedReviewers, ...reviewed] },
        testers: pull === own?.number ? ownTesters : null,
      }
    }),
  )
}

function byDevice(
  rows: readonly { device_id: string; channel_id: number; updated_at: string }[],
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

/** Channels that no device can be put on, by the devices that should be. */
function wrongChannels(
  assignments: readonly Assignment[],
  channels: readonly ChannelRow[],
): Map<string, ActionError> {
  const known = new Map(channels.map(channel => [channel.name, channel]))
  const wrong = new Map<string, ActionError>()
  for (const { device, to, state } of assignments) {
    if (state !== 'set' || to === null) continue
    const channel = known.get(to)
    if (channel === undefined)
      wrong.set(
        device,
        new ActionError('channel_unknown', `There is no channel "${to}" that the key can see.`, {
          hint: 'Make it in the Capgo console, or publish to it once, or correct the name in the testers file.',
        }),
      )
    else if (channel.public)
      wrong.set(
        device,
        new ActionError(
          'public_channel',
          `Channel "${to}" is public, and Capgo puts no device on a public channel.`,
          {
            hint: 'A device without an override gets the public channel anyway: leave "channel" out, or name a private one.',
          },
        ),
      )
  }
  return wrong
}

async function apply(
  appId: string,
  changes: readonly Assignment[],
  renewals: ReadonlyMap<number, readonly string[]>,
  channels: readonly ChannelRow[],
  capgo: Capgo,
  { deps }: RunContext,
): Promise<Map<string, ActionError>> {
  const failed = new Map<string, ActionError>()
  const wanted: OverrideChange[] = changes.map(({ device, to }) => ({ device, channel: to }))
  const progress = progressReporter(deps.log, deps.clock, (done, all) => `Changed ${done} of ${all} devices.`)
  for (const [{ device }, error] of await capgo.changeOverrides(appId, wanted, tried =>
    progress(tried, wanted.length),
  ))
    failed.set(device, error)
  const done = changes.filter(({ device }) => !failed.has(device))
  if (done.length > 0) {
    // Capgo answers ok to a key that may not: what counts is what is there.
    const ids = done.map(({ device }) => device)
    const there = byDevice(await capgo.readOverridesOf(appId, ids), channels)
    for (const { device, to } of done)
      if ((there.get(device)?.channel ?? null) !== to) failed.set(device, changeWithoutEffect())
  }
  for (const [channelId, ids] of renewals) {
    const renewed = await capgo.renewOverrides(appId, channelId, ids)
    if (renewed === 0) for (const device of ids) failed.set(device, changeWithoutEffect())
    deps.log.info(`Renewed ${renewed} overrides.`)
  }
  return failed
}

/** Open pull requests that win or lose a device. */
function pullsTouched(
  changes: readonly Assignment[],
  open: ReadonlyMap<string, number>,
  scope: TestersScope | null,
): Set<number> {
  const pulls = new Set<number>()
  for (const { from, to } of changes)
    for (const channel of [from, to]) {
      const pull = channel === null ? undefined : open.get(channel)
      if (pull !== undefined) pulls.add(pull)
    }
  if (scope?.published != null) pulls.add(scope.published.number)
  return pulls
}

/** A courtesy: without it the table says nothing about what will install. */
async function readKnownDevices(
  appId: string,
  assignments: readonly Assignment[],
  pulls: ReadonlySet<number>,
  capgo: Capgo,
  { deps }: RunContext,
): Promise<ReadonlyMap<string, DeviceRow> | null> {
  const ids = assignments
    .filter(({ pull, others }) => [pull, ...others].some(number => number !== null && pulls.has(number)))
    .map(({ device }) => device)
  if (ids.length === 0) return null
  try {
    const rows = await capgo.readDevices(appId, ids)
    return new Map(rows.map(row => [row.device_id.toLowerCase(), row]))
  } catch (error) {
    deps.stop.signal.throwIfAborted()
    deps.log.info(`Whether the devices will take it is not known: ${(error as Error).message}`)
    return null
  }
}

interface RowFacts {
  readonly open: ReadonlyMap<string, number>
  readonly errors: ReadonlyMap<string, ActionError>
  readonly channels: readonly ChannelRow[]
  readonly known: ReadonlyMap<string, DeviceRow> | null
  readonly planned: boolean
}

function toRow(assignment: Assignment, { open, errors, channels, known, planned }: RowFacts): TesterRow {
  const { device, tester, from, to, state } = assignment
  return {
    name: tester?.name ?? tester?.github ?? null,
    device,
    state: errors.has(device) ? 'failed' : state,
    from,
    to,
    fromPull: from === null ? null : (open.get(from) ?? null),
    toPull: assignment.pull,
    takenBy: null,
    until: tester?.until ?? null,
    planned,
    installation: predict(device, channels.find(({ name }) => name === to) ?? null, known),
  }
}

function predict(
  device: string,
  channel: ChannelRow | null,
  known: ReadonlyMap<string, DeviceRow> | null,
): Installation | null {
  const bundle = channel?.version ?? null
  if (known === null || channel === null || bundle === null) return null
  const seen = known.get(device)
  if (seen === undefined) return { kind: 'never_seen' }
  if (seen.version_name === bundle.name) return { kind: 'runs' }
  if (!seen.version_build) return null
  const refused = refuseDelivery(
    {
      platform: seen.platform,
      native: seen.version_build,
      ...(seen.version_name && seen.version_name !== 'builtin' ? { installed: seen.version_name } : {}),
      ...(seen.plugin_version ? { pluginVersion: seen.plugin_version } : {}),
      isProd: seen.is_prod ?? true,
      isEmulator: seen.is_emulator ?? false,
      ...(seen.key_id ? { keyId: seen.key_id } : {}),
      byOverride: true,
    },
    channel,
    { ...bundle, stored: bundle.storage_provider !== 'r2-direct' },
  )
  return refused === null ? { kind: 'takes' } : { kind: 'refuses', rule: refused.rule }
}

/** Failures of the same kind are one line with its devices. */
function groupFailures(
  failures: readonly { device: string; error: ActionError; at: TesterFailure['at'] }[],
): TesterFailure[] {
  const groups = new Map<string, TesterFailure>()
  for (const { device, error, at } of failures) {
    const known = groups.get(error.message)
    groups.set(error.message, {
      code: error.code,
      message: error.message,
      hint:
        error.code === 'permission_missing'
          ? `${error.hint ?? ''} Or pass a key that has it as the input "devices-token".`.trim()
          : (error.hint ?? null),
      devices: [...(known?.devices ?? []), device],
      at: known?.at ?? at,
    })
  }
  return [...groups.values()]
}

function today({ now }: Pick<RunContext['deps'], 'now'>): string {
  return now().toISOString().slice(0, 10)
}

function daysAgo(from: Date, days: number): string {
  return new Date(from.getTime() - days * 24 * 60 * 60 * 1000).toISOString()
}
