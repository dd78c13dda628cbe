/** Overrides: which devices are on a channel by name. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { runInBulk } from './bulk.ts'
import type { Connection } from './connection.ts'
import { permissionMissing } from './errors.ts'
import { inGroups, list, PAGE, query } from './postgrest.ts'
import { unexpected } from './response.ts'
import type { Rest } from './rest.ts'
import { OverrideRow } from './schema.ts'

/** No app has so many overrides that they take more pages. */
const MAX_PAGES = 2000
/** Ids in one filter: a URL of 200 ids has 8 kB, the usual limit. */
const IDS_PER_REQUEST = 200
/**
 * Capgo takes 1000 device requests a minute from one address and app, and 5 a second for one device; evenly spread
 * over the minute, with room for another job behind the same address.
 */
const RATE = { concurrency: 8, interval: 1000, intervalCap: 15 }
const CHANGES_PER_WINDOW = 1800
/** Devices that are looked at again before they are changed: some seconds' worth. */
const CHANGES_PER_LOOK = 50

const MANAGE_FORCED = 'channel.manage_forced_devices'

/** An override to write. */
export interface OverrideChange {
  readonly device: string
  /** The channel's id as it was seen; null = none. A device on another one by now stays there. */
  readonly seen: number | null
  /** By name, null = none. */
  readonly channel: string | null
}

export interface OverrideChanges {
  readonly failed: ReadonlyMap<string, ActionError>
  /** Devices that somebody moved since they were looked at: the channel's id that each is on. */
  readonly moved: ReadonlyMap<string, number>
}

export function overrides({ http }: Connection, rest: Rest) {
  /**
   * All rows, page by page in the order of their ids: what comes and goes meanwhile moves no row to another page. A
   * server may give fewer rows at once than we ask for, so only the count shows which page is the last.
   */
  async function readOverrides(filter: Readonly<Record<string, string>>): Promise<OverrideRow[]> {
    const purpose = 'read the overrides of devices'
    const all: OverrideRow[] = []
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const after = all.at(-1)?.id ?? 0
      const parameters = {
        ...filter,
        ...(after === 0 ? {} : { id: `gt.${after}` }),
        select: Object.keys(OverrideRow.shape).join(','),
        order: 'id.asc',
        limit: String(PAGE),
      }
      const { rows, total } = await rest.selectCounted({
        purpose,
        path: `channel_devices?${query(parameters)}`,
        row: OverrideRow,
      })
      if (rows.some(({ id }, index) => id <= (rows[index - 1]?.id ?? after)))
        throw unexpected(purpose, 'its rows are not in the requested order')
      all.push(...rows)
      if (rows.length === 0 || (total !== null && rows.length >= total)) return all
    }
    throw unexpected(purpose, 'its pages do not end')
  }

  async function setOverride(appId: string, device: string, channel: string): Promise<void> {
    const { code } = await rest.api({
      purpose: `put a device on channel ${channel}`,
      method: 'POST',
      path: '/device',
      json: { app_id: appId, device_id: device, channel },
      needs: MANAGE_FORCED,
      expects: ({ code }) => code === 'public_channel_override' || code === 'channel_not_found',
    })
    if (code === 'public_channel_override')
      throw new ActionError(
        'public_channel',
        `Channel ${channel} is public, and Capgo does not allow overrides to a public channel.`,
        {
          hint: 'Devices without an override get the public channel. Use a private channel in the testers file.',
        },
      )
    if (code === 'channel_not_found')
      throw new ActionError(
        'channel_unknown',
        `Channel ${channel} does not exist, or the key cannot see it.`,
        {
          hint: 'Create it in the Capgo console, or publish to it, or correct the name.',
        },
      )
  }

  async function clearOverride(appId: string, device: string): Promise<void> {
    await rest.api({
      purpose: 'remove a device from its channel',
      method: 'DELETE',
      path: '/device',
      json: { app_id: appId, device_id: device },
      needs: 'app.manage_devices',
    })
  }

  async function readOverridesOf(appId: string, deviceIds: readonly string[]): Promise<OverrideRow[]> {
    const found: OverrideRow[] = []
    for (const ids of inGroups(deviceIds, IDS_PER_REQUEST))
      found.push(...(await readOverrides({ app_id: `eq.${appId}`, device_id: list(ids) })))
    return found
  }

  return {
    /** Every override of the app. */
    listOverrides: (appId: string): Promise<OverrideRow[]> => readOverrides({ app_id: `eq.${appId}` }),

    /** The overrides of these devices. */
    readOverridesOf,

    /**
     * Makes the changes through the device API at the pace that Capgo allows. That sets and deletes whatever is there,
     * so each is looked at again right before, and what somebody moved meanwhile is left. One that fails does not hinder
     * the others; a missing permission ends it. `onDone` is called after each with how many were tried.
     */
    async changeOverrides(
      appId: string,
      changes: readonly OverrideChange[],
      onDone: (tried: number) => void,
    ): Promise<OverrideChanges> {
      const moved = new Map<string, number>()
      const results = await runInBulk(changes, {
        rate: RATE,
        perWindow: CHANGES_PER_WINDOW,
        batchSize: CHANGES_PER_LOOK,
        async select(batch) {
          const ids = batch.map(({ device }) => device)
          const rows = await readOverridesOf(appId, ids)
          const there = new Map(rows.map(row => [row.device_id, row.channel_id]))
          return batch.filter(({ device, seen }) => {
            const now = there.get(device) ?? seen
            if (now === seen || now === null) return true
            moved.set(device, now)
            return false
          })
        },
        sleep: http.waitForLimit,
        run: ({ device, channel }) =>
          channel === null ? clearOverride(appId, device) : setOverride(appId, device, channel),
        onDone,
      })
      const failed = new Map<string, ActionError>()
      for (const [{ device }, result] of results) if (result !== undefined) failed.set(device, result)
      return { failed, moved }
    },

    /**
     * Writes overrides anew with the same channel, so that Capgo does not expire them: an identical `POST /device`
     * writes nothing. Only rows that are still on this channel; no moment is without them. Returns how many.
     */
    async renewOverrides(appId: string, channelId: number, deviceIds: readonly string[]): Promise<number> {
      let renewed = 0
      for (const ids of inGroups(deviceIds, IDS_PER_REQUEST)) {
        const filter = {
          app_id: `eq.${appId}`,
          channel_id: `eq.${channelId}`,
          device_id: list(ids),
          select: 'device_id',
        }
        const rows = await rest.patch({
          purpose: 'renew overrides',
          path: `channel_devices?${query(filter)}`,
          row: z.object({ device_id: z.string() }),
          fields: { channel_id: channelId },
          needs: MANAGE_FORCED,
        })
        renewed += rows.length
      }
      return renewed
    },
  }
}

/** A delete or set that Capgo acknowledged and did not do: it says ok where the key is not allowed to. */
export function changeWithoutEffect(): ActionError {
  return permissionMissing(
    'change the channel of a device (Capgo answered ok and did nothing)',
    MANAGE_FORCED,
  )
}
