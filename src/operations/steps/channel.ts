/** A channel that an operation names, and what it rolls out. */
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import { ActionError } from '../../errors.ts'
import { activeRollout } from '../../plan/rollout.ts'

/** The input that names a channel, and the name. */
interface NamedBy {
  readonly input: 'channel' | 'from' | 'to'
  readonly name: string
}

/** The channel that the input `channel` names. Throws `channel_unknown`. */
export async function readNamedChannel(appId: string, name: string, capgo: Capgo): Promise<ChannelRow> {
  return requireFound(await capgo.readChannel(appId, name), { input: 'channel', name }, appId, capgo)
}

/** The channel, which must be there. Throws `channel_unknown`, which names those that are. */
export async function requireFound(
  channel: ChannelRow | null | undefined,
  { input, name }: NamedBy,
  appId: string,
  capgo: Capgo,
): Promise<ChannelRow> {
  if (channel) return channel
  const names = (await capgo.listChannels(appId)).map(each => each.name)
  throw new ActionError('channel_unknown', `Channel ${name} does not exist, or the key cannot see it.`, {
    hint: `Correct the input "${input}". ${names.length === 0 ? 'The app has no channel yet: a publish creates the first one' : `Channels of the app: ${names.join(', ')}`}.`,
  })
}

/** The bundle that a channel rolls out; null without a rollout. */
export async function readRolloutBundle(
  appId: string,
  channel: ChannelRow,
  capgo: Capgo,
): Promise<BundleRow | null> {
  const active = activeRollout(channel)
  return active === null ? null : capgo.readBundleById(appId, active.id)
}
