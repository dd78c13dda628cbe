/** `operation: promote`: the bundle that one channel serves goes to another, byte for byte. */
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { originOf } from '../plan/channel-change.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { type PromotionFacts, planPromotion } from '../plan/promotion.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { type RepositoryApp, readApp } from './steps/app.ts'
import { readRolloutBundle, requireFound } from './steps/channel.ts'
import { changeChannel } from './steps/channel-change.ts'
import { commitComparer } from './steps/compare-commits.ts'
import { inspect } from './steps/served-contents.ts'

type Promotion = Extract<ExplicitOperation, { kind: 'promote' }>

/** Throws what `planPromotion` does, and `channel_unknown`, `nothing_to_promote`. */
export async function promote(operation: Promotion, context: RunContext): Promise<ChannelChangeResult> {
  const { app, facts, size } = await context.deps.log.group('Read both channels', () =>
    gather(operation, context),
  )
  const plan = planPromotion(facts)
  return changeChannel({ plan, app, size }, context)
}

async function gather(
  operation: Promotion,
  context: RunContext,
): Promise<{ app: RepositoryApp; facts: PromotionFacts; size: number | null }> {
  const { deps, inputs, trigger, capgo } = context
  const app = await readApp(context)
  const { appId, natives } = app
  const found = await capgo.readChannels(appId, [operation.from, operation.to])
  const channel = (input: 'from' | 'to') => {
    const name = operation[input]
    return requireFound(
      found.find(each => each.name === name),
      { input, name },
      appId,
      capgo,
    )
  }
  const [from, to] = [await channel('from'), await channel('to')]
  const bundle = from.version
  if (bundle === null)
    throw new ActionError('nothing_to_promote', `Channel ${from.name} serves nothing.`, {
      hint: `Publish to channel ${from.name} first, or set the input "from" to another channel.`,
    })
  const ours = originOf(bundle, from.name)
  const theirs = to.version === null ? null : originOf(to.version, to.name)
  const compare = commitComparer(app, context)
  const [rolloutBundle, inspection, relation] = await Promise.all([
    readRolloutBundle(appId, to, capgo),
    inspect(bundle, { zip: null, opener: app.opener }, capgo),
    ours === null || theirs === null ? ('unknown' as const) : compare(theirs.sha, ours.sha),
  ])
  const facts = {
    appId,
    nativeVersions: natives,
    run: { ...trigger.commit, at: deps.now().toISOString() },
    rollout: { bps: inputs.rollout, onActive: inputs.onActiveRollout },
    rolloutBundleName: rolloutBundle?.name ?? null,
    force: operation.force,
    onIncompatible: inputs.onIncompatible,
    from,
    bundle,
    fault: inspection.fault,
    to,
    relation,
  }
  return { app, facts, size: inspection.size }
}
