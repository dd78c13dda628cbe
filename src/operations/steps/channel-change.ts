import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import { gatherApp } from '../../gather.ts'
import type { MovePlan } from '../../plan/channel-change.ts'
import { activeRollout, isAt } from '../../plan/rollout.ts'
import { mayLackForm, requireForms } from '../../plan/update-package.ts'
import { channelChangeResult, withVerification } from '../../report/channel-results.ts'
import { renderLogPlan } from '../../report/log.ts'
import type { ChannelChangeResult } from '../../report/result.ts'
import { assign, requireAssignment } from './assign.ts'
import { withDeployment } from './deployment.ts'
import { noteOn } from './note.ts'
import { measure, plainSha256 } from './served-contents.ts'
import { requireVerifiable, verifyAsDevice } from './verify.ts'

export type App = Awaited<ReturnType<typeof readApp>>

/** The app of a run that builds nothing, and the proof that the key is good: lists are empty for a wrong one. */
export async function readApp({ inputs, trigger, deps, capgo }: RunContext) {
  const project = await gatherApp(inputs, trigger, deps)
  await capgo.readApp(project.appId)
  return project
}

/** A channel that must be there. Throws `channel_unknown`, which names those that are. */
export async function needChannel(
  channel: ChannelRow | undefined,
  input: string,
  name: string,
  appId: string,
  capgo: Capgo,
): Promise<ChannelRow> {
  if (channel !== undefined) return channel
  const names = (await capgo.listChannels(appId)).map(each => each.name)
  throw new ActionError('channel_unknown', `There is no channel ${name} that the key can see.`, {
    hint: `Correct the input "${input}"${names.length === 0 ? '; the app has no channel yet, and a publish makes the first' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`}.`,
  })
}

/** What a channel rolls out; null without a rollout. */
export async function readRollout(
  appId: string,
  channel: ChannelRow,
  capgo: Capgo,
): Promise<BundleRow | null> {
  const active = activeRollout(channel)
  return active === null ? null : capgo.readBundleById(appId, active.id)
}

/** Shows the plan, makes it true unless it is a dry run, and tells what came of it. */
export async function carryOut(
  plan: MovePlan,
  { natives, opener, warnings: before }: App,
  /** Bytes of the bundle where they were read before. */
  size: number | null,
  context: RunContext,
): Promise<ChannelChangeResult> {
  const { deps, inputs, trigger } = context
  const { log, clock } = deps
  await log.group('Plan', async () => {
    for (const line of renderLogPlan(plan.decisions)) log.info(line)
  })
  const told = {
    plan,
    consoleUrl: inputs.hosts.console,
    repositoryUrl: trigger.repositoryUrl,
    size: size ?? (await measure(plan.bundle, context.capgo)),
    sha256: plainSha256(plan.bundle, opener),
  }
  // Either key tells that the app has a public one.
  const isRefused = opener !== null && !plan.bundle.session_key
  const warnings = isRefused ? [...before, notEncrypted(plan.bundle.name)] : [...before]
  const result = (change: Change | null, work: number | null) =>
    channelChangeResult({ ...told, warnings, work, total: clock() - context.began }, change)
  requireVerifiable(plan.channel, natives, { bundle: plan.bundle, opener }, context)
  if (!plan.isDone && mayLackForm(plan.bundle)) {
    const demand = await context.capgo.readUpdatePackage(plan.appId, plan.channel)
    requireForms(plan.bundle, demand, plan.channel.name)
  }
  if (inputs.dryRun) {
    if (!plan.isDone) await requireAssignment(plan.stage, plan.appId, plan.channel, context.capgo)
    return result(null, null)
  }
  const began = clock()
  const work = async () => {
    const moved = await move(plan, warnings, context)
    context.onServed(result(moved, null))
    return moved
  }
  const deployed = {
    environment: plan.channel.name,
    commit: plan.commit ?? trigger.commit,
    purpose: { kind: 'branch' },
  } as const
  const target = { appId: plan.appId, channelName: plan.channel.name }
  // Where the bundle was before, or no commit is known, GitHub has nothing to show as deployed.
  const published =
    plan.isDone || plan.comment === null
      ? await work()
      : await withDeployment(deployed, target, context, work)
  const duration = clock() - began
  const { appId, bundle } = plan
  const verified = inputs.verify
    ? await verifyAsDevice({ appId, channel: published.channel, bundle, natives, opener }, context)
    : null
  return withVerification(result(published, duration), verified)
}

function notEncrypted(bundle: string): string {
  return `Bundle ${bundle} is not encrypted, and the app has a public key: iOS refuses the bundle, and so does Android since @capgo/capacitor-updater 8.51.23.`
}

/** What came of it, and the channel as it was read back. */
interface Change {
  readonly outcome: 'published' | 'unchanged'
  readonly channel: ChannelRow
}

/** Notes, assignment, read back. Doing it twice does no harm. */
async function move(plan: MovePlan, warnings: string[], { capgo, deps }: RunContext): Promise<Change> {
  const { appId, channel, bundle, stage } = plan
  const note = async (noted: BundleRow, comment: string) => {
    const written = { noted: comment, link: noted.link ?? '' }
    if (!(await noteOn(noted, channel.name, written, { appId, capgo })))
      warnings.push(
        `Bundle ${noted.name} could not be noted upon (permission app.upload_bundle): later runs do not know of this one.`,
      )
  }
  if (plan.isDone) return { outcome: 'unchanged', channel }
  await requireAssignment(stage, appId, channel, capgo)
  // Before devices see it: a run that dies in between is repeated, and nothing started before brings it back.
  if (plan.comment !== null) await note(bundle, plan.comment)
  if (plan.withdrawal !== null) await note(plan.withdrawal.bundle, plan.withdrawal.comment)
  const now = await capgo.requireChannel(appId, channel.name)
  // What was judged is what the channel served then.
  if (now.version?.id !== channel.version?.id && now.version?.id !== bundle.id)
    throw new ActionError(
      'channel_changed',
      `Channel ${channel.name} was changed while this run worked: it serves ${now.version?.name ?? 'nothing'} now.`,
      { hint: 'Another job or person works on this channel. It was left alone; run the job again.' },
    )
  if (!isAt(stage, bundle.id, now)) await assign(stage, bundle, now, appId, capgo)
  const served = await capgo.requireChannel(appId, channel.name)
  if (!isAt(stage, bundle.id, served))
    throw new ActionError(
      'not_served',
      `Capgo accepted bundle ${bundle.name} for channel ${channel.name}, but the channel serves ${served.version?.name ?? 'nothing'}.`,
      { hint: 'Another job or person changed the channel at the same moment. Run the job again.' },
    )
  deps.log.info(plan.why)
  return { outcome: 'published', channel: served }
}
