import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import type { Connection } from './connection.ts'
import { permissionMissing, refusal } from './errors.ts'
import { ConnectionError } from './http.ts'
import { list as listed, parseAnswer, query, unexpected } from './postgrest.ts'
import { readAll } from './rows.ts'
import { CHANNEL_COLUMNS, ChannelRow } from './schema.ts'

/** Fields of `POST /channel`, spelt as that route takes them; others it ignores in silence. */
export interface ChannelFields {
  readonly public?: boolean
  readonly allow_device_self_set?: boolean
  readonly disableAutoUpdate?: 'major' | 'minor' | 'patch' | 'version_number' | 'none'
  readonly disableAutoUpdateUnderNative?: boolean
  readonly allow_dev?: boolean
  readonly allow_emulator?: boolean
}

/** A channel as it was seen, by what decides whether it may be deleted. */
export type SeenChannel = Pick<ChannelRow, 'id' | 'name' | 'public' | 'rollout_version'> & {
  readonly version: { readonly id: number }
}

/** What became of a channel that was to be deleted: `changed` stays, since it is not as it was seen any more. */
export type DeletedChannel = 'deleted' | 'gone' | 'changed'

/** Capgo's code where a channel is to be pointed at a bundle that is deleted. */
const NO_SUCH_BUNDLE = 'cannot_find_version'
/** Names in one filter: a URL of them has 8 kB, the usual limit. */
const NAMES_A_CALL = 100
const DELETE = { permission: 'channel.delete', role: 'app_admin (or app_preview for its own channels)' }

const UpdatePackage = z.object({ update_package: z.nullish(z.string()) })

/** How often a channel is made of which nobody can tell whether it was. */
const CREATIONS = 3

export function channels(connection: Connection) {
  const { http, api, key, database } = connection
  const { requireKey } = apps(connection)

  const list = (
    appId: string,
    filter: Readonly<Record<string, string>>,
    what: string,
  ): Promise<ChannelRow[]> =>
    readAll(connection, appId, {
      table: 'channels',
      row: ChannelRow,
      columns: CHANNEL_COLUMNS,
      filter,
      order: 'asc',
      what,
    })

  async function ask(filter: Readonly<Record<string, string>>, what: string) {
    const { url, headers } = await database()
    const call = {
      what,
      method: 'GET',
      url: `${url}/channels?${query(filter)}`,
      headers,
      retry: 'repeat',
    } as const
    return { call, answer: await http.send(call) }
  }

  async function readOne(appId: string, name: string): Promise<ChannelRow | null> {
    const filter = { app_id: `eq.${appId}`, name: `eq.${name}`, select: CHANNEL_COLUMNS }
    const { call, answer } = await ask(filter, `read channel ${name}`)
    if (answer.status !== 200) throw refusal(call, answer)
    return parseAnswer(z.array(ChannelRow), answer, call)[0] ?? null
  }

  /** Deletes the channel where it is still as it was seen, in one step. False where no row was deleted. */
  async function deleteAsSeen(appId: string, seen: SeenChannel): Promise<boolean> {
    const { url, headers } = await database()
    const filter = {
      id: `eq.${seen.id}`,
      app_id: `eq.${appId}`,
      name: `eq.${seen.name}`,
      public: 'is.false',
      version: `eq.${seen.version.id}`,
      rollout_version: seen.rollout_version === null ? 'is.null' : `eq.${seen.rollout_version}`,
      select: 'id',
    }
    const answer = await http.send({
      what: `delete channel ${seen.name}`,
      method: 'DELETE',
      url: `${url}/channels?${query(filter)}`,
      headers: { ...headers, prefer: 'return=representation' },
      retry: 'repeat',
    })
    const deleted = z.array(z.object({ id: z.int() })).safeParse(answer.json)
    return answer.status === 200 && deleted.data?.[0]?.id === seen.id
  }

  return {
    /** The channel with the bundle it serves, null when there is none (or the key cannot see it). */
    readChannel: readOne,

    /** The channel, which must exist by now. Throws `channel_vanished`, and why the key sees it no more. */
    async requireChannel(appId: string, name: string): Promise<ChannelRow> {
      const channel = await readOne(appId, name)
      if (channel !== null) return channel
      await requireKey(appId)
      throw channelVanished(name)
    },

    /** Channels of these names, with what they serve. */
    async readChannels(appId: string, names: readonly string[]): Promise<ChannelRow[]> {
      const found: ChannelRow[] = []
      for (let from = 0; from < names.length; from += NAMES_A_CALL)
        found.push(
          ...(await list(appId, { name: listed(names.slice(from, from + NAMES_A_CALL)) }, 'read channels')),
        )
      return found
    },

    /** Every channel of the app, with what it serves. */
    listChannels: (appId: string): Promise<ChannelRow[]> => list(appId, {}, 'read channels'),

    /**
     * Deletes a channel that is as it was seen; its overrides go with it, bundles stay. A key of the role
     * `app_preview` deletes its own channels only together with the bundle that they serve (`withBundle`), others only
     * without. Row security may keep a key from deleting the row itself: then the API does it, right after a look.
     * Throws `not_deleted` when the channel is there all the same.
     */
    async deleteChannel(appId: string, seen: SeenChannel, withBundle: boolean): Promise<DeletedChannel> {
      if (!withBundle && (await deleteAsSeen(appId, seen))) return 'deleted'
      const look = async () => (await list(appId, { id: `eq.${seen.id}` }, `read channel ${seen.name}`))[0]
      const now = await look()
      if (now === undefined) {
        await requireKey(appId)
        return 'gone'
      }
      if (!isAsSeen(now, seen)) return 'changed'
      const call = {
        what: `delete channel ${seen.name}`,
        method: 'DELETE',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: seen.name, ...(withBundle ? { delete_bundle: true } : {}) },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status !== 200 && answer.code !== 'cannot_find_channel') throw refusal(call, answer, DELETE)
      if ((await look()) !== undefined) throw notDeleted(`channel ${seen.name}`)
      return 'deleted'
    },

    /** Which form of its bundle the channel gives to devices; null on servers that know of none. */
    async readUpdatePackage(appId: string, channel: { id: number; name: string }): Promise<string | null> {
      const filter = { id: `eq.${channel.id}`, app_id: `eq.${appId}`, select: 'update_package' }
      const { call, answer } = await ask(filter, `read the update package of channel ${channel.name}`)
      // PostgreSQL: undefined column.
      if (answer.code === '42703') return null
      if (answer.status !== 200) throw refusal(call, answer)
      return parseAnswer(z.array(UpdatePackage), answer, call)[0]?.update_package ?? null
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

    /** Lets a channel serve nothing. */
    async emptyChannel(appId: string, name: string): Promise<void> {
      const call = {
        what: `take the bundle off channel ${name}`,
        method: 'POST',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: name, version: null },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status !== 200)
        throw refusal(call, answer, { permission: 'channel.update_settings', role: 'app_admin' })
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
      if (answer.code === NO_SUCH_BUNDLE) throw bundleVanished(channel.name)
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
        if (answer?.code === NO_SUCH_BUNDLE) throw bundleVanished(name)
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
        if ((await readOne(appId, name)) !== null) return { made: false }
      }
    },
  }
}

function bundleVanished(channelName: string): ActionError {
  return new ActionError(
    'bundle_vanished',
    `The bundle was deleted before channel ${channelName} was pointed at it.`,
    { hint: 'Another job or person deletes bundles of this app. Run the job again.' },
  )
}

function isAsSeen(now: ChannelRow, seen: SeenChannel): boolean {
  return (
    now.name === seen.name &&
    !now.public &&
    now.version?.id === seen.version.id &&
    now.rollout_version === seen.rollout_version
  )
}

/** What Capgo, or something before it, has acknowledged and not done. */
export function notDeleted(what: string): ActionError {
  return new ActionError('not_deleted', `Capgo answered that ${what} was deleted, and it is still there.`, {
    hint: 'Is a proxy between the runner and Capgo that answers for it? Run the job again: it goes on with what is left.',
  })
}

/** A channel that must exist by now. */
function channelVanished(name: string): ActionError {
  return new ActionError(
    'channel_vanished',
    `Channel ${name} is not there, although it was made or read before.`,
    {
      hint: 'Somebody deleted it meanwhile, or Capgo refused to make it. Run the job again.',
    },
  )
}
