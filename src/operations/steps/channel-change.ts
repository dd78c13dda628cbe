/** Carries out a promotion, a rollback or a change of a rollout: a bundle that is there goes to a channel that is there. */
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import type { MovePlan } from '../../plan/channel-change.ts'
import { isAt } from '../../plan/rollout.ts'
import { mayLackForm, requireForms } from '../../plan/update-package.ts'
import { channelChangeResult, withVerification } from '../../report/channel-results.ts'
import { renderLogPlan } from '../../report/log.ts'
import type { ChannelChangeResult } from '../../report/result.ts'
import type { RepositoryApp } from './app.ts'
import { assign, requireAssignment } from './assign.ts'
import { withDeployment } from './deployment.ts'
import { noteOn } from './note.ts'
import { measure, plainSha256 } from './served-contents.ts'
import { requireVerifiable, verifyAsDevice } from './verify.ts'

/** The change of a channel. */
interface ChannelChange {
  readonly plan: MovePlan
  readonly app: RepositoryApp
  /** Bytes of the bundle where they were read before. */
  readonly size: number | null
}

/** Shows the plan, makes it true unless it is a dry run, and says what came of it. */
export async function changeChannel(
  change: ChannelChange,
  context: RunContext,
): Promise<ChannelChangeResult> {
  const { plan, app } = change
  const { deps, inputs, capgo } = context
  const { appId, channel, bundle } = plan
  const { natives, opener } = app
  for (const line of renderLogPlan(plan.decisions)) deps.log.info(line)
  const size = change.size ?? (await measure(bundle, capgo))
  const warnings = [...app.warnings, ...warnOfEncryption(plan, app)]
  const resultOf = (outcome: Change | null, work: number | null) =>
    resultOfChange({ ...change, size }, outcome, { warnings, work }, context)
  requireVerifiable(channel, natives, { bundle, opener }, context)
  if (!plan.isDone && mayLackForm(bundle)) {
    const demand = await capgo.readUpdatePackage(appId, channel)
    requireForms(bundle, demand, channel.name)
  }
  if (inputs.dryRun) {
    if (!plan.isDone) await requireAssignment(plan.rolloutTarget, appId, channel, capgo)
    return resultOf(null, null)
  }
  const began = deps.clock()
  const outcome = await deploy(plan, context, async () => {
    const moved = await move(plan, warnings, context)
    context.onServed(resultOf(moved, null))
    return moved
  })
  const duration = deps.clock() - began
  const verified = inputs.verify
    ? await verifyAsDevice({ appId, channel: outcome.channel, bundle, natives, opener }, context)
    : null
  return withVerification(resultOf(outcome, duration), verified)
}

/** Where the bundle was before, or no commit is known, GitHub has nothing to show as deployed. */
function deploy(
  { appId, channel, commit, comment, isDone }: MovePlan,
  context: RunContext,
  work: () => Promise<Change>,
): Promise<Change> {
  if (isDone || comment === null) return work()
  const deployed = {
    environment: channel.name,
    commit: commit ?? context.trigger.commit,
    purpose: { kind: 'branch' },
  } as const
  return withDeployment(deployed, { appId, channelName: channel.name }, context, work)
}

/** Either key means that the app has a public one. */
function warnOfEncryption({ bundle }: MovePlan, { opener }: RepositoryApp): string[] {
  return opener === null || bundle.session_key
    ? []
    : [
        `Bundle ${bundle.name} is not encrypted, but the app has a public key. iOS rejects such a bundle, and so does Android since @capgo/capacitor-updater 8.51.23.`,
      ]
}

/** The result, and the channel as it was read back. */
interface Change {
  readonly outcome: 'published' | 'unchanged'
  readonly channel: ChannelRow
}

/** `outcome` is null on a dry run; `work` are milliseconds. */
function resultOfChange(
  { plan, app, size }: ChannelChange,
  outcome: Change | null,
  { warnings, work }: { readonly warnings: readonly string[]; readonly work: number | null },
  { deps, inputs, trigger, began }: RunContext,
): ChannelChangeResult {
  const findings = {
    plan,
    consoleUrl: inputs.hosts.console,
    repositoryUrl: trigger.repositoryUrl,
    size,
    sha256: plainSha256(plan.bundle, app.opener),
    warnings,
    work,
    total: deps.clock() - began,
  }
  return channelChangeResult(findings, outcome)
}

/** Notes, assignment, read back. Doing it twice does no harm. */
async function move(plan: MovePlan, warnings: string[], { capgo, deps }: RunContext): Promise<Change> {
  const { appId, channel, bundle, rolloutTarget: stage } = plan
  const note = async (noted: BundleRow, comment: string) => {
    const written = { noted: comment, link: noted.link ?? '' }
    if (!(await noteOn(noted, channel.name, written, { appId, capgo })))
      warnings.push(
        `Could not record this run on bundle ${noted.name} (permission app.upload_bundle). Later runs do not know of it.`,
      )
  }
  if (plan.isDone) return { outcome: 'unchanged', channel }
  await requireAssignment(stage, appId, channel, capgo)
  // Before devices see it: a run that dies in between is repeated, and nothing started before brings it back.
  if (plan.comment !== null) await note(bundle, plan.comment)
  if (plan.rolledBack !== null) await note(plan.rolledBack.bundle, plan.rolledBack.comment)
  const now = await capgo.requireChannel(appId, channel.name)
  // The plan was made for what the channel served then.
  if (now.version?.id !== channel.version?.id && now.version?.id !== bundle.id)
    throw new ActionError(
      'channel_changed',
      `Channel ${channel.name} was changed while this run worked. It now serves ${now.version?.name ?? 'nothing'}.`,
      { hint: 'Another job or person changed it. This run did not change the channel. Re-run the job.' },
    )
  deps.log.info(`Updating channel ${channel.name}, then reading it back.`)
  if (!isAt(stage, bundle.id, now)) await assign(stage, bundle, { appId, channel: now }, capgo)
  const served = await capgo.requireChannel(appId, channel.name)
  if (!isAt(stage, bundle.id, served))
    throw new ActionError(
      'not_served',
      `Capgo accepted bundle ${bundle.name} for channel ${channel.name}, but the channel serves ${served.version?.name ?? 'nothing'}.`,
      { hint: 'Another job or person changed the channel at the same moment. Re-run the job.' },
    )
  return { outcome: 'published', channel: served }
}
