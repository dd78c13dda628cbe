/** `operation: rollout`: a rollout that an earlier run began is raised, paused, resumed, finished or cancelled. */
import type { RunContext } from '../context.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { planRolloutChange, type RolloutFacts } from '../plan/rollout-change.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { type RepositoryApp, readApp } from './steps/app.ts'
import { readNamedChannel, readRolloutBundle } from './steps/channel.ts'
import { changeChannel } from './steps/channel-change.ts'

type Rollout = Extract<ExplicitOperation, { kind: 'rollout' }>

/** Throws what `planRolloutChange` does, and `channel_unknown`. */
export async function changeRollout(operation: Rollout, context: RunContext): Promise<ChannelChangeResult> {
  const { app, facts } = await context.deps.log.group('Read the rollout', () => gather(operation, context))
  const plan = planRolloutChange(facts)
  return changeChannel({ plan, app, size: null }, context)
}

async function gather(
  { channelName, change }: Rollout,
  context: RunContext,
): Promise<{ app: RepositoryApp; facts: RolloutFacts }> {
  const { deps, trigger, capgo } = context
  const app = await readApp(context)
  const { appId } = app
  const channel = await readNamedChannel(appId, channelName, capgo)
  const running = await readRolloutBundle(appId, channel, capgo)
  const run = { ...trigger.commit, at: deps.now().toISOString() }
  return { app, facts: { appId, channel, rolloutBundle: running, change, run } }
}
