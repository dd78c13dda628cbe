/** `operation: status`: what every channel serves. Nothing is changed. */
import PQueue from 'p-queue'
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { activeRollout } from '../plan/rollout.ts'
import { describeChannels } from '../plan/status.ts'
import { plural } from '../report/format.ts'
import type { StatusResult } from '../report/list-results.ts'
import { listStatus } from '../report/status.ts'
import { readApp } from './steps/app.ts'

/** So many bundles are asked about, one request each: enough for every channel and many previews. */
const MAX_COUNTED = 100
const CONCURRENCY = 5

/** Values that the key cannot read stay open, with a warning. */
export async function readStatus(context: RunContext): Promise<StatusResult> {
  const { deps, trigger } = context
  const { appId, channels, running, overrides, counts, warnings } = await deps.log.group(
    'Read all channels',
    () => gather(context),
  )
  const { repositoryUrl, repository } = trigger
  const described = describeChannels({
    channels,
    rolloutBundles: running,
    overrides,
    devices: counts?.byBundle ?? new Map(),
    repositoryUrl,
    repository,
  })
  for (const line of listStatus(described)) deps.log.info(`  ${line}`)
  return {
    kind: 'status',
    outcome: 'read',
    reason: `${plural(channels.length, 'channel')} of ${appId}.`,
    appId,
    channels: described,
    devices: counts?.all ?? null,
    testers: null,
    warnings,
  }
}

async function gather(context: RunContext) {
  const { deps, capgo } = context
  const warnings: string[] = []
  const bestEffort = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      deps.cancellation.signal.throwIfAborted()
      warnings.push(`Could not ${what}: ${(error as Error).message}`)
      return null
    }
  }
  const { appId } = await readApp(context)
  const channels = await capgo.listChannels(appId)
  const ids = channels.flatMap(channel => activeRollout(channel)?.id ?? [])
  const running = await capgo.readBundlesById(appId, ids)
  const names = namesOf(channels, running)
  if (names.length > MAX_COUNTED)
    warnings.push(`Devices were counted for ${MAX_COUNTED} of ${plural(names.length, 'bundle')}.`)
  const [overrides, counts] = await Promise.all([
    bestEffort('read who is on which channel', () => capgo.listOverrides(appId)),
    bestEffort('count devices', () => countDevices(appId, names.slice(0, MAX_COUNTED), context)),
  ])
  return { appId, channels, running, overrides, counts, warnings }
}

/** Of all bundles that devices are given, each once. */
function namesOf(channels: readonly ChannelRow[], running: readonly BundleRow[]): string[] {
  const served = channels.flatMap(({ version }) => version?.name ?? [])
  return [...new Set([...served, ...running.map(({ name }) => name)])]
}

async function countDevices(appId: string, names: readonly string[], { capgo }: RunContext) {
  const queue = new PQueue({ concurrency: CONCURRENCY })
  const all = await capgo.countDevicesOn(appId, null)
  const counts = await queue.addAll(
    names.map(name => async () => [name, await capgo.countDevicesOn(appId, name)] as const),
  )
  return { all, byBundle: new Map(counts) }
}
