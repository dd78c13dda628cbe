import type { RunContext } from '../context.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { planRolloutChange } from '../plan/rollout-change.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { carryOut, needChannel, readApp, readRollout } from './steps/channel-change.ts'

/** A rollout that a run before began is raised, paused, finished or taken back. Throws what `planRolloutChange` does. */
export async function changeRollout(
  operation: Extract<ExplicitOperation, { kind: 'rollout' }>,
  context: RunContext,
): Promise<ChannelChangeResult> {
  const { deps, trigger, capgo } = context
  const { channelName, change } = operation
  const { plan, app } = await deps.log.group('Read the rollout', async () => {
    const app = await readApp(context)
    const { appId } = app
    const channel = await needChannel(
      (await capgo.readChannel(appId, channelName)) ?? undefined,
      'channel',
      channelName,
      appId,
      capgo,
    )
    const plan = planRolloutChange({
      appId,
      channel,
      running: await readRollout(appId, channel, capgo),
      change,
      run: { ...trigger.commit, at: deps.now().toISOString() },
    })
    return { plan, app }
  })
  return carryOut(plan, app, null, context)
}
