import PQueue from 'p-queue'
import type { RunContext } from '../context.ts'
import { activeRollout } from '../plan/rollout.ts'
import { describeChannels } from '../plan/status.ts'
import { plural } from '../report/format.ts'
import type { StatusResult } from '../report/result.ts'
import { listStatus } from '../report/status.ts'
import { readApp } from './steps/channel-change.ts'

/** So many bundles are asked about, one request each: enough for every channel and many previews. */
const COUNTED = 100
const AT_ONCE = 5

/** Reads what every channel serves, and changes nothing. What the key may not read is left open, with a warning. */
export async function readStatus(context: RunContext): Promise<StatusResult> {
  const { deps, trigger, capgo } = context
  const warnings: string[] = []
  const courtesy = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      context.deps.stop.signal.throwIfAborted()
      warnings.push(`Could not ${what}: ${(error as Error).message}`)
      return null
    }
  }
  return deps.log.group('Read all channels', async () => {
    const { appId } = await readApp(context)
    const channels = await capgo.listChannels(appId)
    const ids = channels.flatMap(channel => activeRollout(channel)?.id ?? [])
    const running = await capgo.readBundlesById(appId, ids)
    const names = [
      ...new Set([
        ...channels.flatMap(({ version }) => version?.name ?? []),
        ...running.map(({ name }) => name),
      ]),
    ]
    if (names.length > COUNTED)
      warnings.push(`Devices were counted for ${COUNTED} of ${plural(names.length, 'bundle')}.`)
    const [overrides, counts] = await Promise.all([
      courtesy('read who is on which channel', () => capgo.listOverrides(appId)),
      courtesy('count devices', () => countDevices(appId, names.slice(0, COUNTED), context)),
    ])
    const { repositoryUrl, repository } = trigger
    const described = describeChannels({
      channels,
      running,
      overrides,
      devices: counts?.byBundle ?? new Map(),
      repositoryUrl,
      repository,
    })
    for (const line of listStatus(described)) deps.log.info(line)
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
  })
}

async function countDevices(appId: string, names: readonly string[], { capgo }: RunContext) {
  const queue = new PQueue({ concurrency: AT_ONCE })
  const all = await capgo.countDevicesOn(appId, null)
  const counts = await queue.addAll(
    names.map(name => async () => [name, await capgo.countDevicesOn(appId, name)] as const),
  )
  return { all, byBundle: new Map(counts) }
}
