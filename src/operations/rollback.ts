/** `operation: rollback`: a channel goes back to an earlier bundle. */
import type { BundleRow, ChannelRow, DeviceRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { readServedCommit } from '../plan/bundle-comment.ts'
import { refuseDelivery, reportedDevice } from '../plan/delivery.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import {
  type AffectedDevices,
  findEarlier,
  isRolledBackBy,
  planDoneRollback,
  planRollback,
  type RollbackFacts,
  type RollbackTarget,
} from '../plan/rollback.ts'
import type { ChannelChangeResult } from '../report/result.ts'
import { type RepositoryApp, readApp } from './steps/app.ts'
import { readNamedChannel, readRolloutBundle } from './steps/channel.ts'
import { changeChannel } from './steps/channel-change.ts'
import { inspect } from './steps/served-contents.ts'

/** So many of the devices that run the bad bundle are looked at one by one; the others are counted. */
const MAX_DEVICES = 1000

type Rollback = Extract<ExplicitOperation, { kind: 'rollback' }>

/** An earlier attempt of this run went back to what the channel serves now. */
interface DoneFacts {
  readonly channel: ChannelRow
  readonly served: BundleRow
}

interface Gathered {
  readonly app: RepositoryApp
  readonly facts: RollbackFacts | DoneFacts
  /** Bytes of the bundle to go back to; null when not known. */
  readonly size: number | null
}

/** Throws what `planRollback` and `findEarlier` do, and `channel_unknown`, `bundle_unknown`. */
export async function rollBack(operation: Rollback, context: RunContext): Promise<ChannelChangeResult> {
  const { app, facts, size } = await context.deps.log.group('Find the bundle to return to', () =>
    gather(operation, context),
  )
  const plan =
    'served' in facts ? planDoneRollback(app.appId, facts.channel, facts.served) : planRollback(facts)
  return changeChannel({ plan, app, size }, context)
}

async function gather(operation: Rollback, context: RunContext): Promise<Gathered> {
  const { deps, inputs, trigger, capgo } = context
  const { channelName } = operation
  const run = { ...trigger.commit, at: deps.now().toISOString() }
  const app = await readApp(context)
  const { appId, natives } = app
  const channel = await readNamedChannel(appId, channelName, capgo)
  const bundles = (await capgo.findBundlesByComment(appId, `${channelName}: `)).filter(
    bundle => readServedCommit(bundle, channelName) !== null,
  )
  const served = channel.version
  if (served !== null && isRolledBackBy(channel, run)) return { app, facts: { channel, served }, size: null }
  const target =
    operation.to === null
      ? findEarlier(channel, bundles)
      : await readNamedBundle(operation.to, { appId, channelName }, context)
  const [rolloutBundle, inspection, affected] = await Promise.all([
    readRolloutBundle(appId, channel, capgo),
    inspect(target.bundle, { zip: null, opener: app.opener }, capgo),
    served === null || served.id === target.bundle.id
      ? null
      : readAffected(appId, { channel, bad: served, target: target.bundle }, context),
  ])
  const facts = {
    appId,
    nativeVersions: natives,
    run,
    rollout: { bps: null, onActive: inputs.onActiveRollout },
    rolloutBundleName: rolloutBundle?.name ?? null,
    force: operation.force,
    channel,
    target,
    fault: inspection.fault,
    affected,
  }
  return { app, facts, size: inspection.size }
}

/** The bundle of this name, else of this id. */
async function readNamedBundle(
  to: string,
  { appId, channelName }: { readonly appId: string; readonly channelName: string },
  { capgo }: RunContext,
): Promise<RollbackTarget> {
  const named = await capgo.readBundle(appId, to)
  const bundle = named ?? (/^\d{1,15}$/.test(to) ? await capgo.readBundleById(appId, Number(to)) : null)
  if (bundle !== null) return { bundle, why: 'input "to"' }
  throw new ActionError(
    'bundle_unknown',
    `Bundle ${to} of this app does not exist, or this key has no access to it.`,
    {
      hint: `Set the input "to" to the name or id of a bundle. Without it, channel ${channelName} returns to the previous bundle.`,
    },
  )
}

/** A channel's way back: from the bundle that is bad to an older one. */
interface WayBack {
  readonly channel: ChannelRow
  readonly bad: BundleRow
  readonly target: BundleRow
}

/** Devices that run the bad bundle, and whether they would take the older one. Best effort: null when it cannot be read. */
async function readAffected(
  appId: string,
  way: WayBack,
  { capgo, deps }: RunContext,
): Promise<AffectedDevices | null> {
  const { name } = way.bad
  try {
    const [count, devices] = await Promise.all([
      capgo.countDevicesOn(appId, name),
      capgo.listDevicesOn(appId, name, MAX_DEVICES),
    ])
    const refusals = devices.flatMap(device => refusalOf(device, way) ?? [])
    const [first] = refusals
    return {
      count,
      refusing: first === undefined ? null : { count: refusals.length, of: devices.length, rule: first.rule },
    }
  } catch (error) {
    deps.cancellation.signal.throwIfAborted()
    deps.log.info(`Could not read which devices run ${name}: ${(error as Error).message}`)
    return null
  }
}

function refusalOf(row: DeviceRow, { channel, target }: WayBack) {
  const device = reportedDevice(row)
  return device === null ? null : refuseDelivery(device, channel, { ...target, hasContent: true })
}
