import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { ConnectionError } from './http.ts'
import { parseAnswer, query, quote, unexpected } from './postgrest.ts'
import { permissionMissing, refusal } from './refusal.ts'
import { CHANNEL_COLUMNS, ChannelRow } from './wire.ts'

/** Fields of `POST /channel`, spelt as that route takes them; others it ignores in silence. */
export interface ChannelFields {
  readonly public?: boolean
  readonly allow_device_self_set?: boolean
  readonly disableAutoUpdate?: 'major' | 'minor' | 'patch' | 'version_number' | 'none'
  readonly disableAutoUpdateUnderNative?: boolean
  readonly allow_dev?: boolean
  readonly allow_emulator?: boolean
}

/** How often a channel is made of which nobody can tell whether it was. */
const CREATIONS = 3

export function channels({ http, api, key, database }: Connection) {
  async function list(appId: string, filter: Record<string, string>, what: string): Promise<ChannelRow[]> {
    const { url, headers } = await database()
    const call = {
      what,
      method: 'GET',
      url: `${url}/channels?${query({ app_id: `eq.${appId}`, ...filter, select: CHANNEL_COLUMNS })}`,
      headers,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer)
    return parseAnswer(z.array(ChannelRow), answer, call)
  }

  return {
    /** The channel with the bundle it serves, null when there is none (or the key cannot see it). */
    async readChannel(appId: string, name: string): Promise<ChannelRow | null> {
      const rows = await list(appId, { name: `eq.${name}` }, `read channel ${name}`)
      return rows[0] ?? null
    },

    /** Channels of these names, with what they serve. */
    async readChannels(appId: string, names: readonly string[]): Promise<ChannelRow[]> {
      return list(appId, { name: `in.(${names.map(quote).join(',')})` }, 'read channels')
    },

    /** Every channel of the app, with what it serves. */
    async listChannels(appId: string): Promise<ChannelRow[]> {
      return list(appId, { order: 'id.asc' }, 'read channels')
    },

    /**
     * Deletes a channel; its overrides go with it, bundles stay. A key of the role `app_preview` deletes its
     * own channels only together with the bundle that they serve (`withBundle`), others only without.
     */
    async deleteChannel(appId: string, name: string, withBundle: boolean): Promise<'deleted' | 'gone'> {
      const call = {
        what: `delete channel ${name}`,
        method: 'DELETE',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: name, ...(withBundle ? { delete_bundle: true } : {}) },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status === 200) return 'deleted'
      if (answer.code === 'cannot_find_channel') return 'gone'
      throw refusal(call, answer, {
        permission: 'channel.delete',
        role: 'app_admin (or app_preview for its own channels)',
      })
    },

    /** How many devices are on the channel by an override. */
    async countOverrides(appId: string, channelId: number): Promise<number> {
      const { url, headers } = await database()
      const filter = { app_id: `eq.${appId}`, channel_id: `eq.${channelId}`, select: 'device_id', limit: '1' }
      const call = {
        what: 'count the devices on the channel',
        method: 'GET',
        url: `${url}/channel_devices?${query(filter)}`,
        // Rows come 1000 at most.
        headers: { ...headers, prefer: 'count=exact' },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status !== 200 && answer.status !== 206) throw refusal(call, answer)
      const total = /\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))?.[1]
      if (total === undefined) throw unexpected(call, 'no count in its header content-range')
      return Number(total)
    },

    /** Points a channel at a bundle. Doing it twice does no harm. */
    async promote(appId: string, bundleId: number, channel: { id: number; name: string }): Promise<void> {
      const call = {
        what: `point channel ${channel.name} at bundle ${bundleId}`,
        method: 'PUT',
        url: `${api}/bundle`,
        headers: key,
        json: { app_id: appId, version_id: bundleId, channel_id: channel.id },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status !== 200)
        throw refusal(call, answer, { permission: 'channel.promote_bundle', role: 'app_uploader' })
    },

    /**
     * Makes a channel that serves a bundle, in one transaction. When somebody else made it at the same
     * moment, or the answer was lost, the caller reads the channel and decides: `made` is false then.
     */
    async createChannel(
      appId: string,
      name: string,
      bundleName: string,
      fields: ChannelFields,
    ): Promise<{ made: true; id: number } | { made: false }> {
      const call = {
        what: `make channel ${name}`,
        method: 'POST',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: name, version: bundleName, ...fields },
        retry: 'once',
      } as const
      for (let tries = 1; ; tries++) {
        const answer = await http.send(call).catch((error: unknown) => {
          if (error instanceof ConnectionError) return null
          throw error
        })
        if (answer?.status === 200) {
          const { id } = parseAnswer(z.object({ id: z.optional(z.number()) }), answer, call)
          return id === undefined ? { made: false } : { made: true, id }
        }
        // The key may make channels, that was asked before. Newer servers want more for a public one.
        if (answer?.code === 'cannot_access_app')
          throw fields.public
            ? permissionMissing(
                `make the public channel ${name}`,
                { permission: 'app.update_settings', role: 'app_admin' },
                answer,
              )
            : permissionMissing(
                `see channel ${name}, which exists`,
                { permission: 'app.read_channels', role: 'app_reader' },
                answer,
              )
        // Two that make the same channel at once: a unique violation, reported as either of these.
        const isUnclear =
          answer === null || answer.code === 'cannot_set_bundle_to_channel' || answer.status >= 500
        if (!isUnclear) throw refusal(call, answer)
        if (tries === CREATIONS) return { made: false }
        await http.pause(answer, tries)
        if ((await list(appId, { name: `eq.${name}` }, `read channel ${name}`)).length > 0)
          return { made: false }
      }
    },
  }
}

/** A channel that must exist by now. */
export function channelVanished(name: string): ActionError {
  return new ActionError(
    'channel_vanished',
    `Channel ${name} is not there, although it was made or read before.`,
    {
      hint: 'Somebody deleted it meanwhile, or Capgo refused to make it. Run the job again.',
    },
  )
}
