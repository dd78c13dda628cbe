/** Devices as they last reported to Capgo. */
import * as z from 'zod/mini'
import { inGroups } from './postgrest.ts'
import { parseResponse } from './response.ts'
import type { Rest } from './rest.ts'
import { DeviceList, type DeviceRow, InventoryPage, type InventoryRow } from './schema.ts'

/** Ids in one body. */
const IDS_PER_REQUEST = 200

/** A self-hosted database gives 1,000 rows at once, and Capgo asks it for one more, to know whether that was all. */
const INVENTORY_PAGE = 999

const Count = z.object({ count: z.int() })

export function devices(rest: Rest) {
  async function ask<T>(
    schema: z.ZodMiniType<T>,
    purpose: string,
    json: Readonly<Record<string, unknown>>,
  ): Promise<T> {
    const response = await rest.api({
      purpose,
      method: 'POST',
      path: '/private/devices',
      json,
      needs: 'app.read_devices',
    })
    return parseResponse(schema, response, purpose)
  }

  return {
    /** How many devices last reported that they run this bundle; null = any. */
    async countDevicesOn(appId: string, bundleName: string | null): Promise<number> {
      const { count } = await ask(Count, 'count devices', {
        appId,
        ...(bundleName === null ? {} : { versionName: bundleName }),
        count: true,
      })
      return count
    },

    /** Devices that last reported that they run this bundle, the newest first, `limit` at most. */
    async listDevicesOn(appId: string, bundleName: string, limit: number): Promise<DeviceRow[]> {
      const { data } = await ask(DeviceList, 'list the devices on a bundle', {
        appId,
        versionName: bundleName,
        limit,
      })
      // Servers that do not know the filter give all.
      return data.filter(device => device.version_name === bundleName)
    },

    /**
     * The devices that reported last, the newest first: those after `since` (milliseconds since 1970), `max` at most.
     * `isCut`: others may have been left out.
     */
    async listInventory(
      appId: string,
      { since, max }: { readonly since: number; readonly max: number },
    ): Promise<{ readonly devices: InventoryRow[]; readonly isCut: boolean }> {
      const found = new Map<string, InventoryRow>()
      let cursor: string | null = null
      let isAll: boolean
      const read = async (after: string | null): Promise<z.infer<typeof InventoryPage>> => {
        const page = await ask(InventoryPage, 'list devices', {
          appId,
          limit: INVENTORY_PAGE,
          order: [{ key: 'updated_at', sortable: 'desc' }],
          ...(after === null ? {} : { cursor: after }),
        })
        for (const device of page.data) found.set(device.device_id, device)
        return page
      }
      let pages = 0
      do {
        const before = found.size
        const page = await read(cursor)
        pages++
        const last = page.data.at(-1)
        const isFull = page.hasMore ?? page.data.length >= INVENTORY_PAGE
        isAll = last === undefined || Date.parse(last.updated_at) <= since || !isFull
        // Servers without pages give the same devices again.
        cursor = isAll || found.size === before ? null : (page.nextCursor ?? null)
      } while (cursor !== null && found.size < max)
      // A device that reported meanwhile is the newest now: it left the pages that were still to come.
      if (pages > 1) await read(null)
      const time = ({ updated_at }: InventoryRow) => Date.parse(updated_at)
      const devices = [...found.values()]
        .filter(device => time(device) > since)
        .sort((one, other) => time(other) - time(one))
      return { devices: devices.slice(0, max), isCut: !isAll || devices.length > max }
    },

    /** Capgo's records of these devices; those that never asked for an update are not among them. */
    async readDevices(appId: string, deviceIds: readonly string[]): Promise<DeviceRow[]> {
      const found: DeviceRow[] = []
      for (const ids of inGroups(deviceIds, IDS_PER_REQUEST)) {
        const { data } = await ask(DeviceList, 'read devices', { appId, deviceIds: ids, limit: ids.length })
        found.push(...data)
      }
      return found
    },
  }
}
