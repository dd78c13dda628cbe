import type { BundleRow, ChannelRow, DeviceRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { readServedCommit } from '../plan/bundle-comment.ts'
import type { MovePlan } from '../plan/channel-change.ts'
import { refuseDelivery } from '../plan/delivery.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { type Affected, findEarlier, isRolledBackBy, planRollback, type Target } from '../plan/rollback.ts'
import { EVERYBODY } from '../plan/rollout.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { carryOut, needChannel, readApp, readRollout } from './steps/channel-change.ts'
import { inspect } from './steps/served-contents.ts'

/** So many of the devices that run the bad bundle are looked at one by one; the others are counted. */
const LOOKED_AT = 1000

/** A channel goes back to an earlier bundle. Throws what `planRollback` and `findEarlier` do, and `bundle_unknown`. */
export async function rollBack(
  operation: Extract<ExplicitOperation, { kind: 'rollback' }>,
  context: RunContext,
): Promise<ChannelChangeResult> {
  const { deps, inputs, trigger, capgo } = context
  const { channelName } = operation
  const run = { ...trigger.commit, at: deps.now().toISOString() }
  const { plan, app, size } = await deps.log.group('Look for the bundle before', async () => {
    const app = await readApp(context)
    const { appId, natives } = app
    const channel = await needChannel(
      (await capgo.readChannel(appId, channelName)) ?? undefined,
      'channel',
      channelName,
      appId,
      capgo,
    )
    const bundles = (await capgo.findBundlesByComment(appId, `${channelName}: `)).filter(
      bundle => readServedCommit(bundle, channelName) !== null,
    )
    if (isRolledBackBy(channel, run)) return { plan: doneBefore(appId, channel), app, size: null }
    const target =
      operation.to === null
        ? findEarlier(channel, bundles)
        : await namedTarget(operation.to, channel, context, appId)
    const [running, inspection, affected] = await Promise.all([
      readRollout(appId, channel, capgo),
      inspect(target.bundle, { zip: null, opener: app.opener }, capgo),
      channel.version === null || channel.version.id === target.bundle.id
        ? null
        : readAffected(appId, channel, channel.version, target.bundle, context),
    ])
    const plan = planRollback({
      appId,
      natives,
      run,
      rollout: { bps: null, onActive: inputs.onActiveRollout },
      runningName: running?.name ?? null,
      force: operation.force,
      channel,
      target,
      fault: inspection.fault,
      affected,
    })
    return { plan, app, size: inspection.size }
  })
  return carryOut(plan, app, size, context)
}

/** Another attempt of a run that rolled back already must not go back further. */
function doneBefore(appId: string, channel: ChannelRow): MovePlan {
  const bundle = channel.version!
  const why = `An earlier attempt of this run took channel ${channel.name} back to ${bundle.name}.`
  return {
    appId,
    channel,
    bundle,
    stage: EVERYBODY,
    isDone: true,
    why,
    comment: null,
    withdrawal: null,
    commit: readServedCommit(bundle, channel.name),
    natives: [],
    decisions: [
      { what: 'bundle', value: bundle.name, why: 'an earlier attempt of this run went back to it' },
    ],
    warnings: [],
  }
}

/** The bundle of this name, else of this id. */
async function namedTarget(
  to: string,
  channel: ChannelRow,
  { capgo }: RunContext,
  appId: string,
): Promise<Target> {
  const named = await capgo.readBundle(appId, to)
  const bundle = named ?? (/^\d{1,15}$/.test(to) ? await capgo.readBundleById(appId, Number(to)) : null)
  if (bundle !== null) return { bundle, why: 'input "to"' }
  throw new ActionError('bundle_unknown', `Capgo has no bundle ${to} of this app that the key can see.`, {
    hint: `Give its name or id with the input "to", or leave that out to go back to what channel ${channel.name} served before.`,
  })
}

/** Devices that run the bad bundle, and whether they would take the older one. A courtesy: null when it cannot be read. */
async function readAffected(
  appId: string,
  channel: ChannelRow,
  bad: BundleRow,
  target: BundleRow,
  { capgo, deps }: RunContext,
): Promise<Affected | null> {
  try {
    const [count, devices] = await Promise.all([
      capgo.countDevicesOn(appId, bad.name),
      capgo.listDevicesOn(appId, bad.name, LOOKED_AT),
    ])
    const refusals = devices.flatMap(device => refusalOf(device, channel, target) ?? [])
    const [first] = refusals
    return {
      count,
      refusing: first === undefined ? null : { count: refusals.length, of: devices.length, rule: first.rule },
    }
  } catch (error) {
    deps.stop.signal.throwIfAborted()
    deps.log.info(`Which devices run ${bad.name} could not be read: ${(error as Error).message}`)
    return null
  }
}

function refusalOf(device: DeviceRow, channel: ChannelRow, bundle: BundleRow) {
  if (!device.version_build) return null
  return refuseDelivery(
    {
      platform: device.platform,
      native: device.version_build,
      ...(device.version_name ? { installed: device.version_name } : {}),
      ...(device.plugin_version ? { pluginVersion: device.plugin_version } : {}),
      isProd: device.is_prod ?? true,
      isEmulator: device.is_emulator ?? false,
      ...(device.key_id ? { keyId: device.key_id } : {}),
      // It runs what the channel serves, so it reached it somehow.
      byOverride: true,
    },
    channel,
    { ...bundle, stored: true },
  )
}
