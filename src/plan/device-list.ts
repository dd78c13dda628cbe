/** The devices of an app as a lead sees them: whose each is, what it runs, which channel it follows. Pure. */
import type { ChannelRow, InventoryRow, OverrideRow } from '../capgo/schema.ts'
import type { Tester } from './tester-list.ts'

/** All of it must hold; null = any. */
export interface DeviceFilter {
  /** The beginning of an id, in lower case. */
  readonly id: string | null
  readonly platform: InventoryRow['platform'] | null
  /** A native version or a bundle; `1.4` is every 1.4.x too. */
  readonly version: string | null
  readonly channel: string | null
  /** Seen within so many days. */
  readonly days: number
}

/** A device, as the output `devices` has it. Everything that is not known is null. */
export interface ListedDevice {
  readonly device: string
  /** As in the testers file; null for a device that is not in it, or has no name there. */
  readonly name: string | null
  /** Whether the testers file has it. */
  readonly listed: boolean
  readonly platform: InventoryRow['platform']
  readonly emulator: boolean
  readonly native: string | null
  readonly plugin: string | null
  /** The bundle that it runs. `builtin` is the code from the store. */
  readonly bundle: string | null
  /** ISO 8601. */
  readonly seen: string
  readonly channel: string | null
  /** Why it follows that channel: an override, its own choice or config, or because the channel is public. */
  readonly by: 'override' | 'app' | 'public' | null
}

export interface DeviceFacts {
  readonly devices: readonly InventoryRow[]
  readonly overrides: readonly OverrideRow[]
  readonly channels: readonly ChannelRow[]
  readonly testers: readonly Tester[]
  readonly filter: DeviceFilter
}

/** Those that the filter lets through, the newest first. */
export function listDevices({ devices, overrides, channels, testers, filter }: DeviceFacts): ListedDevice[] {
  const names = new Map(channels.map(({ id, name }) => [id, name]))
  const forced = new Map(
    overrides.map(row => [row.device_id, names.get(row.channel_id) ?? `#${row.channel_id}`]),
  )
  const known = new Map(testers.map(tester => [tester.device, tester]))
  return devices
    .map(row =>
      describeDevice(row, { forced: forced.get(row.device_id), tester: known.get(row.device_id), channels }),
    )
    .filter(device => isWanted(device, filter))
    .sort(
      (one, other) => Date.parse(other.seen) - Date.parse(one.seen) || (one.device < other.device ? -1 : 1),
    )
}

function describeDevice(
  row: InventoryRow,
  about: {
    readonly forced: string | undefined
    readonly tester: Tester | undefined
    readonly channels: readonly ChannelRow[]
  },
): ListedDevice {
  const { forced, tester, channels } = about
  const everybody = channels.find(channel => channel.public && channel[row.platform])
  const channel = forced ?? (row.default_channel || everybody?.name) ?? null
  return {
    device: row.device_id,
    name: tester?.name ?? tester?.github ?? null,
    listed: tester !== undefined,
    platform: row.platform,
    emulator: row.is_emulator ?? false,
    native: row.version_build || null,
    plugin: row.plugin_version || null,
    // Capgo's word where a device named no bundle.
    bundle: row.version_name === 'unknown' ? null : row.version_name || null,
    seen: new Date(row.updated_at).toISOString(),
    channel,
    by: channel === null ? null : forced !== undefined ? 'override' : row.default_channel ? 'app' : 'public',
  }
}

function isWanted(
  { device, platform, native, bundle, channel }: ListedDevice,
  filter: DeviceFilter,
): boolean {
  const { version } = filter
  const isVersion = (text: string | null) =>
    text !== null && (text === version || text.startsWith(`${version}.`))
  return (
    (filter.id === null || device.startsWith(filter.id)) &&
    (filter.platform === null || platform === filter.platform) &&
    (version === null || isVersion(native) || isVersion(bundle)) &&
    (filter.channel === null || channel === filter.channel)
  )
}
