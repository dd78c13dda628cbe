// Row security (contract 2.2 to 2.5): what a key sees and may change, row by row.
import { can, isLockedOut, mayInOrg } from './permissions.ts'
import type { BundleRow, ChannelRow, KeyRow, ManifestRow, OverrideRow } from './rows.ts'
import type { Store } from './store.ts'

type Row = Record<string, unknown>
type Verb = 'select' | 'insert' | 'update' | 'delete'

/** Tests rows of one table for one key; remembers what it asked, for a request reads many rows of few apps. */
export function policy(
  store: Store,
  key: KeyRow | undefined,
  table: string,
  verb: Verb,
): (row: Row) => boolean {
  const known = new Map<string, boolean>()
  const may = (permission: string, appId: string, channelId?: number) => {
    const name = `${permission} ${appId} ${channelId ?? ''}`
    let answer = known.get(name)
    if (answer === undefined) {
      answer = can(store, key, permission, appId, channelId)
      known.set(name, answer)
    }
    return answer
  }

  const rules: Record<string, Partial<Record<Verb, (row: Row) => boolean>>> = {
    apps: {
      select: row => may('app.read', row.app_id as string) && !isLockedOut(store, row.app_id as string),
      update: row => may('app.update_settings', row.app_id as string),
      delete: row => may('app.delete', row.app_id as string),
    },
    app_versions: {
      select: row => may('app.read_bundles', row.app_id as string),
      insert: row => may('app.upload_bundle', row.app_id as string),
      update: row => {
        const bundle = row as unknown as BundleRow
        return (
          (!bundle.deleted && may('app.upload_bundle', bundle.app_id)) || may('bundle.delete', bundle.app_id)
        )
      },
      delete: row => may('bundle.delete', row.app_id as string),
    },
    channels: {
      select: row => {
        const channel = row as unknown as ChannelRow
        return (
          !isLockedOut(store, channel.app_id) &&
          (may('app.read', channel.app_id) || may('channel.read', channel.app_id, channel.id))
        )
      },
      insert: row => {
        const channel = row as unknown as ChannelRow
        const empty = channel.version === null && channel.rollout_version === null
        return (
          may('app.create_channel', channel.app_id) &&
          (empty || may('channel.promote_bundle', channel.app_id))
        )
      },
      update: row => may('channel.update_settings', row.app_id as string, row.id as number),
      delete: row => may('channel.delete', row.app_id as string, row.id as number),
    },
    channel_devices: {
      select: row => {
        const override = row as unknown as OverrideRow
        return (
          !isLockedOut(store, override.app_id) &&
          (may('app.read', override.app_id) ||
            may('channel.read_forced_devices', override.app_id, override.channel_id))
        )
      },
      insert: row => manageDevices(row),
      update: row => manageDevices(row),
      delete: row => manageDevices(row),
    },
    orgs: { select: row => mayInOrg(store, key, 'org.read', row.id as string) },
    manifest: {
      select: row => {
        const bundle = store.find('app_versions', { id: (row as unknown as ManifestRow).app_version_id })
        return bundle !== undefined && may('app.read_bundles', bundle.app_id)
      },
    },
  }
  const manageDevices = (row: Row) => {
    const override = row as unknown as OverrideRow
    const channel = store.find('channels', { id: override.channel_id })
    return (
      channel?.app_id === override.app_id &&
      may('channel.manage_forced_devices', override.app_id, override.channel_id)
    )
  }

  const rule = rules[table]?.[verb]
  return row => rule?.(row) ?? false
}
