/** Channels: what each serves, and how one is pointed at a bundle. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import { inGroups, list as listed, query } from './postgrest.ts'
import { unexpected } from './response.ts'
import type { Rest } from './rest.ts'
import { readAll } from './rows.ts'
import { CHANNEL_COLUMNS, ChannelRow } from './schema.ts'

/** Capgo's code where a channel is to be pointed at a bundle that is deleted. */
export const NO_SUCH_BUNDLE = 'cannot_find_version'
/** PostgreSQL: undefined column. */
const UNDEFINED_COLUMN = '42703'
/** Names in one filter: a URL of them has 8 kB, the usual limit. */
const NAMES_PER_REQUEST = 100

const UpdatePackage = z.object({ update_package: z.nullish(z.string()) })
const Override = z.object({ device_id: z.string() })

export function channels(rest: Rest) {
  const { requireKey } = apps(rest)

  const list = (
    appId: string,
    filter: Readonly<Record<string, string>>,
    purpose: string,
  ): Promise<ChannelRow[]> =>
    readAll(rest, appId, {
      table: 'channels',
      row: ChannelRow,
      columns: CHANNEL_COLUMNS,
      filter,
      order: 'asc',
      purpose,
    })

  async function readChannel(appId: string, name: string): Promise<ChannelRow | null> {
    const filter = { app_id: `eq.${appId}`, name: `eq.${name}`, select: CHANNEL_COLUMNS }
    const [channel] = await rest.select({
      purpose: `read channel ${name}`,
      path: `channels?${query(filter)}`,
      row: ChannelRow,
    })
    return channel ?? null
  }

  return {
    /** The channel with the bundle it serves, null when there is none (or the key cannot see it). */
    readChannel,

    /** The same by its id. Throws why the key sees it no more, where it is not good. */
    async readChannelById(
      appId: string,
      { id, name }: Pick<ChannelRow, 'id' | 'name'>,
    ): Promise<ChannelRow | null> {
      return (await list(appId, { id: `eq.${id}` }, `read channel ${name}`))[0] ?? null
    },

    /** The channel, which must exist by now. Throws `channel_vanished`, and why the key sees it no more. */
    async requireChannel(appId: string, name: string): Promise<ChannelRow> {
      const channel = await readChannel(appId, name)
      if (channel !== null) return channel
      await requireKey(appId)
      throw channelVanished(name)
    },

    /** Channels of these names, with what they serve. */
    async readChannels(appId: string, names: readonly string[]): Promise<ChannelRow[]> {
      const found: ChannelRow[] = []
      for (const some of inGroups(names, NAMES_PER_REQUEST))
        found.push(...(await list(appId, { name: listed(some) }, 'read channels')))
      return found
    },

    /** Every channel of the app, with what it serves. */
    listChannels: (appId: string): Promise<ChannelRow[]> => list(appId, {}, 'read channels'),

    /** Which form of its bundle the channel gives to devices; null on servers that know of none. */
    async readUpdatePackage(
      appId: string,
      { id, name }: Pick<ChannelRow, 'id' | 'name'>,
    ): Promise<string | null> {
      const filter = { id: `eq.${id}`, app_id: `eq.${appId}`, select: 'update_package' }
      const [channel] = await rest.select({
        purpose: `read the update package of channel ${name}`,
        path: `channels?${query(filter)}`,
        row: UpdatePackage,
        expects: ({ code }) => code === UNDEFINED_COLUMN,
      })
      return channel?.update_package ?? null
    },

    /** How many devices are on the channel by an override. */
    async countOverrides(appId: string, channelId: number): Promise<number> {
      const purpose = 'count the devices on the channel'
      const filter = { app_id: `eq.${appId}`, channel_id: `eq.${channelId}`, select: 'device_id', limit: '1' }
      // Rows come 1000 at most.
      const { total } = await rest.selectCounted({
        purpose,
        path: `channel_devices?${query(filter)}`,
        row: Override,
      })
      if (total === null) throw unexpected(purpose, 'its header content-range has no count')
      return total
    },

    /** Lets a channel serve nothing. */
    async emptyChannel(appId: string, name: string): Promise<void> {
      await rest.api({
        purpose: `remove the bundle from channel ${name}`,
        method: 'POST',
        path: '/channel',
        json: { app_id: appId, channel: name, version: null },
        needs: 'channel.update_settings',
      })
    },

    /** Points a channel at a bundle. Doing it twice does no harm. */
    async promote(appId: string, bundleId: number, channel: Pick<ChannelRow, 'id' | 'name'>): Promise<void> {
      const { code } = await rest.api({
        purpose: `set channel ${channel.name} to bundle ${bundleId}`,
        method: 'PUT',
        path: '/bundle',
        json: { app_id: appId, version_id: bundleId, channel_id: channel.id },
        needs: 'channel.promote_bundle',
        expects: ({ code }) => code === NO_SUCH_BUNDLE,
      })
      if (code === NO_SUCH_BUNDLE) throw bundleVanished(channel.name)
    },
  }
}

export function bundleVanished(channelName: string): ActionError {
  return new ActionError(
    'bundle_vanished',
    `The bundle was deleted before channel ${channelName} was set to it.`,
    { hint: 'Another job or person deleted it. Re-run the job.' },
  )
}

/** A channel that must exist by now. */
function channelVanished(name: string): ActionError {
  return new ActionError('channel_vanished', `Channel ${name} no longer exists.`, {
    hint: 'Another job or person deleted it, or Capgo did not create it. Re-run the job.',
  })
}
