/** Devices as they last reported to Capgo. */
import * as z from 'zod/mini'
import { inGroups } from './postgrest.ts'
import { parseResponse } from './response.ts'
import type { Rest } from './rest.ts'
import { DeviceList, type DeviceRow } from './schema.ts'

/** Ids in one body. */
const IDS_PER_REQUEST = 200

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
