import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { comparer } from '../gather.ts'
import { originOf } from '../plan/channel-change.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { planPromotion } from '../plan/promotion.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { carryOut, needChannel, readApp, readRollout } from './steps/channel-change.ts'
import { inspect } from './steps/served-contents.ts'

/** What one channel serves goes to another, byte for byte. Throws what `planPromotion` does, and `nothing_to_promote`. */
export async function promote(
  operation: Extract<ExplicitOperation, { kind: 'promote' }>,
  context: RunContext,
): Promise<ChannelChangeResult> {
  const { deps, inputs, trigger, capgo } = context
  const { plan, project, size } = await deps.log.group('Read both channels', async () => {
    const project = await readApp(context)
    const { appId, natives } = project
    const found = await capgo.readChannels(appId, [operation.from, operation.to])
    const channel = (input: 'from' | 'to') =>
      needChannel(
        found.find(({ name }) => name === operation[input]),
        input,
        operation[input],
        appId,
        capgo,
      )
    const [from, to] = [await channel('from'), await channel('to')]
    const bundle = from.version
    if (bundle === null)
      throw new ActionError('nothing_to_promote', `Channel ${from.name} serves nothing.`, {
        hint: `Publish to channel ${from.name} first, or name another channel with the input "from".`,
      })
    const ours = originOf(bundle, from.name)
    const theirs = to.version === null ? null : originOf(to.version, to.name)
    const compare = comparer(project, context.github, context.deps)
    const [running, inspection, relation] = await Promise.all([
      readRollout(appId, to, capgo),
      inspect(bundle, { zip: null, opener: project.opener }, capgo),
      ours === null || theirs === null ? ('unknown' as const) : compare(theirs.sha, ours.sha),
    ])
    deps.log.info(`App ${appId}: channel ${from.name} serves ${bundle.name}.`)
    const plan = planPromotion({
      appId,
      natives,
      run: { ...trigger.commit, at: deps.now().toISOString() },
      rollout: { bps: inputs.rollout, onActive: inputs.onActiveRollout },
      runningName: running?.name ?? null,
      force: operation.force,
      onIncompatible: inputs.onIncompatible,
      from,
      bundle,
      fault: inspection.fault,
      to,
      relation,
    })
    return { plan, project, size: inspection.size }
  })
  return carryOut(plan, project, size, context)
}
