import PQueue from 'p-queue'
import * as z from 'zod/mini'
import { ActionError, Stopped } from '../errors.ts'
import type { Connection } from './connection.ts'
import { permissionMissing, refusal } from './errors.ts'
import { list, PAGE, parseAnswer, query, unexpected } from './postgrest.ts'
import { DeviceList, type DeviceRow, OverrideRow } from './schema.ts'

/** No app has so many overrides that they take more pages. */
const MOST_PAGES = 2000
/** Ids in one filter or body: a URL of 200 ids has 8 kB, the usual limit. */
const IDS_A_CALL = 200
/**
 * Capgo takes 1000 device calls a minute from one address and app, and 5 a second for one device; evenly spread
 * over the minute, with room for another job behind the same address.
 */
const PACE = { concurrency: 8, interval: 1000, intervalCap: 15 }

/**
 * Capgo takes 2000 calls of one key until there was a minute of silence: after so many changes we are silent, with
 * room for what else the job asks.
 */
const CHANGES_AT_A_STRETCH = 1800
/** So many devices are looked at again before they are changed: some seconds' worth. */
const CHANGES_A_LOOK = 50
const SILENCE = 61_000

const READ_OVERRIDES = { what: 'read the overrides of devices', method: 'GET', retry: 'repeat' } as const
const READ_DEVICES = { permission: 'app.read_devices', role: 'app_reader' }
const MANAGE_FORCED = { permission: 'channel.manage_forced_devices', role: 'app_developer' }

/** An override to write. */
export interface OverrideChange {
  readonly device: string
  /** The channel's id as it was seen; null = none. What is on another one by now stays there. */
  readonly seen: number | null
  /** By name, null = none. */
  readonly channel: string | null
}

export interface ChangedOverrides {
  readonly failed: ReadonlyMap<string, ActionError>
  /** Devices that somebody moved since they were looked at: the channel's id that each is on. */
  readonly moved: ReadonlyMap<string, number>
}

export function devices({ http, api, key, database }: Connection) {
  /**
   * All rows, page by page in the order of their ids: what comes and goes meanwhile moves no row to another page. A
   * server may give fewer rows at once than we ask for, so only the count tells which page is the last.
   */
  async function readOverrides(filter: Readonly<Record<string, string>>): Promise<OverrideRow[]> {
    const { url, headers } = await database()
    const all: OverrideRow[] = []
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const after = all.at(-1)?.id ?? 0
      const parameters = {
        ...filter,
        ...(after === 0 ? {} : { id: `gt.${after}` }),
        select: Object.keys(OverrideRow.shape).join(','),
        order: 'id.asc',
        limit: String(PAGE),
      }
      const call = {
        ...READ_OVERRIDES,
        url: `${url}/channel_devices?${query(parameters)}`,
        headers: { ...headers, prefer: 'count=exact' },
      }
      const answer = await http.send(call)
      // 206 when there are more rows than the answer has.
      if (answer.status !== 200 && answer.status !== 206) throw refusal(call, answer)
      const rows = parseAnswer(z.array(OverrideRow), answer, call)
      if (rows.some(({ id }, index) => id <= (rows[index - 1]?.id ?? after)))
        throw unexpected(call, 'its rows are not in the order that was asked for')
      all.push(...rows)
      const left = Number(/\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))?.[1])
      if (rows.length === 0 || rows.length >= left) return all
    }
    throw unexpected(READ_OVERRIDES, 'there is no end of its pages')
  }

  async function setOverride(appId: string, device: string, channel: string): Promise<void> {
    const call = {
      what: `put a device on channel ${channel}`,
      method: 'POST',
      url: `${api}/device`,
      headers: key,
      json: { app_id: appId, device_id: device, channel },
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status === 200) return
    if (answer.code === 'public_channel_override')
      throw new ActionError(
        'public_channel',
        `Channel ${channel} is public: Capgo puts no device on it by name.`,
        {
          hint: 'Devices get the public channel by having no override; name a private channel in the testers file.',
        },
      )
    if (answer.code === 'channel_not_found')
      throw new ActionError('channel_unknown', `There is no channel ${channel} that the key can see.`, {
        hint: 'Make it in the Capgo console (or publish to it), or correct the name.',
      })
    throw refusal(call, answer, MANAGE_FORCED)
  }

  async function clearOverride(appId: string, device: string): Promise<void> {
    const call = {
      what: 'take a device off its channel',
      method: 'DELETE',
      url: `${api}/device`,
      headers: key,
      json: { app_id: appId, device_id: device },
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200)
      throw refusal(call, answer, { permission: 'app.manage_devices', role: 'app_developer' })
  }

  async function readOverridesOf(appId: string, deviceIds: readonly string[]): Promise<OverrideRow[]> {
    const found: OverrideRow[] = []
    for (const ids of chunks(deviceIds))
      found.push(...(await readOverrides({ app_id: `eq.${appId}`, device_id: list(ids) })))
    return found
  }

  function devicesCall(what: string, json: Record<string, unknown>) {
    const url = `${api}/private/devices`
    return { what, method: 'POST', url, headers: key, json, retry: 'repeat' } as const
  }

  return {
    /** Every override of the app. */
    listOverrides: (appId: string): Promise<OverrideRow[]> => readOverrides({ app_id: `eq.${appId}` }),

    /** The overrides of these devices. */
    readOverridesOf,

    /**
     * Makes the changes through the device API at the pace that Capgo allows. That sets and deletes whatever is there,
     * so each is looked at again right before, and what somebody moved meanwhile is left. One that fails does not hinder
     * the others; a missing permission ends it, since it would be the same for all that are left.
     * `onDone` is told after each how many were tried.
     */
    async changeOverrides(
      appId: string,
      changes: readonly OverrideChange[],
      onDone: (tried: number) => void,
    ): Promise<ChangedOverrides> {
      const failed = new Map<string, ActionError>()
      const moved = new Map<string, number>()
      const queue = new PQueue(PACE)
      let hopeless: ActionError | null = null
      let tried = 0
      const make = async ({ device, channel }: OverrideChange): Promise<void> => {
        if (hopeless !== null) {
          failed.set(device, hopeless)
          return
        }
        try {
          await (channel === null ? clearOverride(appId, device) : setOverride(appId, device, channel))
        } catch (error) {
          if (!(error instanceof ActionError) || error instanceof Stopped) {
            queue.clear()
            throw error
          }
          failed.set(device, error)
          if (error.code === 'permission_missing' || error.code === 'invalid_apikey') hopeless = error
        }
        onDone(++tried)
      }
      for (let from = 0; from < changes.length; from += CHANGES_A_LOOK) {
        if (from > 0 && from % CHANGES_AT_A_STRETCH === 0 && hopeless === null) await http.sleep(SILENCE)
        const next = changes.slice(from, from + CHANGES_A_LOOK)
        const rows = await readOverridesOf(
          appId,
          next.map(({ device }) => device),
        )
        const there = new Map(rows.map(row => [row.device_id, row.channel_id]))
        const isMoved = ({ device, seen }: OverrideChange) => (there.get(device) ?? seen) !== seen
        for (const { device } of next.filter(isMoved)) moved.set(device, there.get(device)!)
        await queue.addAll(next.filter(change => !isMoved(change)).map(change => () => make(change)))
      }
      return { failed, moved }
    },

    /**
     * Writes overrides anew with the same channel, so that Capgo does not expire them: an identical `POST /device`
     * writes nothing. Only rows that are still on this channel; there is no moment without them. Returns how many.
     */
    async renewOverrides(appId: string, channelId: number, deviceIds: readonly string[]): Promise<number> {
      let renewed = 0
      const { url, headers } = await database()
      for (const ids of chunks(deviceIds)) {
        const filter = {
          app_id: `eq.${appId}`,
          channel_id: `eq.${channelId}`,
          device_id: list(ids),
          select: 'device_id',
        }
        const call = {
          what: 'renew overrides',
          method: 'PATCH',
          url: `${url}/channel_devices?${query(filter)}`,
          headers: { ...headers, prefer: 'return=representation' },
          json: { channel_id: channelId },
          retry: 'repeat',
        } as const
        const answer = await http.send(call)
        if (answer.status !== 200) throw refusal(call, answer, MANAGE_FORCED)
        renewed += parseAnswer(z.array(z.object({ device_id: z.string() })), answer, call).length
      }
      return renewed
    },

    /** How many devices last told that they run this bundle; null = any. */
    async countDevicesOn(appId: string, bundleName: string | null): Promise<number> {
      const call = devicesCall('count devices', {
        appId,
        ...(bundleName === null ? {} : { versionName: bundleName }),
        count: true,
      })
      const answer = await http.send(call)
      if (answer.status !== 200) throw refusal(call, answer, READ_DEVICES)
      return parseAnswer(z.object({ count: z.int() }), answer, call).count
    },

    /** Devices that last told that they run this bundle, the newest first, `limit` at most. */
    async listDevicesOn(appId: string, bundleName: string, limit: number): Promise<DeviceRow[]> {
      const call = devicesCall('list the devices on a bundle', { appId, versionName: bundleName, limit })
      const answer = await http.send(call)
      if (answer.status !== 200) throw refusal(call, answer, READ_DEVICES)
      // Servers that do not know the filter give all.
      return parseAnswer(DeviceList, answer, call).data.filter(device => device.version_name === bundleName)
    },

    /** What Capgo knows of these devices; those that never asked for an update are not among them. */
    async readDevices(appId: string, deviceIds: readonly string[]): Promise<DeviceRow[]> {
      const found: DeviceRow[] = []
      for (const ids of chunks(deviceIds)) {
        const call = {
          what: 'read devices',
          method: 'POST',
          url: `${api}/private/devices`,
          headers: key,
          json: { appId, deviceIds: ids, limit: ids.length },
          retry: 'repeat',
        } as const
        const answer = await http.send(call)
        if (answer.status !== 200)
          throw refusal(call, answer, { permission: 'app.read_devices', role: 'app_reader' })
        found.push(...parseAnswer(DeviceList, answer, call).data)
      }
      return found
    },
  }
}

/** A delete or set that Capgo acknowledged and did not do: it says ok where the key may not. */
export function changeWithoutEffect(): ActionError {
  return permissionMissing(
    'change what channel a device is on (Capgo answered ok and did nothing)',
    MANAGE_FORCED,
  )
}

function chunks(all: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(all.length / IDS_A_CALL) }, (_, index) =>
    all.slice(index * IDS_A_CALL, (index + 1) * IDS_A_CALL),
  )
}
