/** Whether a device is given a bundle: the rules of Capgo's `/updates`. */
import semver from 'semver'
import type { BundleRow, ChannelRow, DeviceRow } from '../capgo/schema.ts'

/** The rules of a channel that decide about versions. */
export type VersionRules = Pick<ChannelRow, 'disable_auto_update' | 'disable_auto_update_under_native'>

/** Everything of a channel that decides about a delivery. */
export type DeliveryRules = VersionRules &
  Pick<
    ChannelRow,
    | 'name'
    | 'public'
    | 'ios'
    | 'android'
    | 'electron'
    | 'allow_device_self_set'
    | 'allow_emulator'
    | 'allow_device'
    | 'allow_dev'
    | 'allow_prod'
  >

/** The properties of a bundle that decide about its delivery. */
export interface DeliverableBundle {
  readonly name: string
  readonly min_update_version: string | null
  readonly key_id: string | null
  /** It has a zip, an external URL or manifest rows. */
  readonly hasContent: boolean
}

export interface DeliveryDevice {
  readonly platform: 'ios' | 'android' | 'electron'
  /** Native version, `version_build`. */
  readonly native: string
  /** Name of the bundle that it runs; undefined = the code the app was installed with. */
  readonly installed?: string
  readonly pluginVersion?: string
  readonly isProd: boolean
  readonly isEmulator: boolean
  readonly keyId?: string
  /** The device got to the channel by an override of the device API. */
  readonly byOverride: boolean
}

/** As it last reported, on a channel that it got to somehow; null where Capgo knows too little of it. */
export function reportedDevice(row: DeviceRow): DeliveryDevice | null {
  if (!row.version_build) return null
  return {
    platform: row.platform,
    native: row.version_build,
    ...(row.version_name && row.version_name !== 'builtin' ? { installed: row.version_name } : {}),
    ...(row.plugin_version ? { pluginVersion: row.plugin_version } : {}),
    isProd: row.is_prod ?? true,
    isEmulator: row.is_emulator ?? false,
    ...(row.key_id ? { keyId: row.key_id } : {}),
    byOverride: true,
  }
}

/** Why a device does not take a bundle: Capgo's own code, and the same in words. */
export interface Refusal {
  readonly code: string
  readonly rule: string
}

/**
 * The native version as Capgo's server compares it: `1` -> `1.0.0`, `1.2` -> `1.2.0`, strict versions as they are; null
 * when the server would answer `semver_error`. One that begins with `v` is not counted on.
 */
export function normaliseNative(version: string): string | null {
  if (version === 'builtin' || version === 'unknown') return '0.0.0'
  const padded = `${version}${['.0.0', '.0'][version.split('.').length - 1] ?? ''}`
  return /^\d/.test(padded) && semver.valid(padded) !== null ? padded : null
}

/**
 * The rules on versions alone (the app runs its built-in code): the first that keeps a device with this
 * native version from taking the bundle, or null. Same order as Capgo's `/updates`.
 */
export function refusedByVersion(
  native: string,
  bundle: Pick<DeliverableBundle, 'name' | 'min_update_version'>,
  rules: VersionRules,
  installed?: string,
): Refusal | null {
  const build = normaliseNative(native)
  const device = semver.parse(build)
  if (build === null || device === null)
    return {
      code: 'semver_error',
      rule: `native version ${native} is not a version that Capgo can compare (x.y.z)`,
    }
  const name = semver.parse(bundle.name)
  if (name === null)
    return { code: 'semver_error', rule: `bundle name ${bundle.name} is not a semantic version` }
  if ((installed ?? build) === bundle.name)
    return {
      code: 'no_new_version_available',
      rule:
        installed === undefined
          ? `a bundle with the same name as the native version (${build}) is never delivered`
          : `the device already runs ${bundle.name}`,
    }
  const refusal =
    refusedByPolicy(name, device, rules.disable_auto_update) ?? refusedByMinimum(bundle, device, rules)
  if (refusal !== null) return refusal
  return rules.disable_auto_update_under_native && semver.lt(name, device)
    ? {
        code: 'disable_auto_update_under_native',
        rule: `${bundle.name} is below native ${build}, and the channel rejects bundles below the native version`,
      }
    : null
}

/** The policies that compare the bundle's name with the native version. */
function refusedByPolicy(
  name: semver.SemVer,
  device: semver.SemVer,
  policy: VersionRules['disable_auto_update'],
): Refusal | null {
  const blocks = (part: string, why: string) => ({
    code: `disable_auto_update_to_${part}`,
    rule: `the channel's policy "${part}" blocks ${name.raw} on native ${device.raw}: ${why}`,
  })
  const isSameMinor = name.major === device.major && name.minor === device.minor
  switch (policy) {
    case 'major':
      return name.major > device.major ? blocks('major', 'higher major version') : null
    case 'minor':
      return isSameMinor ? null : blocks('minor', 'major and minor version must be the same')
    case 'patch':
      return isSameMinor && name.patch === device.patch
        ? null
        : blocks('patch', 'major, minor and patch version must be the same')
    default:
      return null
  }
}

/** The policy "version_number", which compares the bundle's minimum native version. */
function refusedByMinimum(
  bundle: Pick<DeliverableBundle, 'min_update_version'>,
  device: semver.SemVer,
  rules: VersionRules,
): Refusal | null {
  const { min_update_version: minimum } = bundle
  if (rules.disable_auto_update !== 'version_number') return null
  if (minimum === null) return refusedByAll(bundle, rules)
  if (semver.valid(minimum) === null)
    return { code: 'semver_error', rule: `the bundle's minimum native version ${minimum} is not a version` }
  return semver.gt(minimum, device)
    ? {
        code: 'disable_auto_update_to_metadata',
        rule: `the bundle needs native ${minimum} or later, and the device has ${device.raw}`,
      }
    : null
}

/** Why no device takes the bundle from the channel, whatever its native version is; null when some may. */
export function refusedByAll(
  bundle: Pick<DeliverableBundle, 'min_update_version'>,
  rules: VersionRules,
): Refusal | null {
  return rules.disable_auto_update === 'version_number' && bundle.min_update_version === null
    ? {
        code: 'misconfigured_channel',
        rule: 'the channel\'s policy "version_number" needs a minimum native version, which the bundle does not have',
      }
    : null
}

/** Plugins up to this one do not enforce the key id (Capgo's server, `/updates`). */
const KEY_ID_ENFORCED_AFTER = '8.40.7'

/**
 * Whether a device that asks for updates is given this bundle of this channel: every rule of Capgo's
 * `/updates`, in its order. Null = delivered.
 */
export function refuseDelivery(
  device: DeliveryDevice,
  channel: DeliveryRules,
  bundle: DeliverableBundle,
): Refusal | null {
  if (!bundle.hasContent) return { code: 'no_bundle', rule: `bundle ${bundle.name} has no stored content` }
  if (
    device.pluginVersion !== undefined &&
    semver.valid(device.pluginVersion) &&
    semver.gt(device.pluginVersion, KEY_ID_ENFORCED_AFTER) &&
    device.keyId &&
    bundle.key_id &&
    device.keyId !== bundle.key_id
  )
    return {
      code: 'key_id_mismatch',
      rule: 'the bundle was encrypted with another key than the app was built with',
    }
  const version = refusedByVersion(device.native, bundle, channel, device.installed)
  // The server asks in this order: same name, platform, major, private channel, the other version rules.
  if (version?.code === 'semver_error' || version?.code === 'no_new_version_available') return version
  if (!channel[device.platform])
    return {
      code: `disabled_platform_${device.platform}`,
      rule: `channel ${channel.name} is off for ${device.platform}`,
    }
  if (version?.code === 'disable_auto_update_to_major') return version
  if (!channel.public && !channel.allow_device_self_set && !device.byOverride)
    return {
      code: 'cannot_update_via_private_channel',
      rule: `channel ${channel.name} is private, and the device has no override and cannot join it`,
    }
  if (version !== null) return version
  if (device.isProd && !channel.allow_prod)
    return { code: 'disable_prod_build', rule: `channel ${channel.name} rejects production builds` }
  if (!device.isProd && !channel.allow_dev)
    return { code: 'disable_dev_build', rule: `channel ${channel.name} rejects development builds` }
  if (!device.isEmulator && !channel.allow_device)
    return { code: 'disable_device', rule: `channel ${channel.name} rejects real devices` }
  if (device.isEmulator && !channel.allow_emulator)
    return { code: 'disable_emulator', rule: `channel ${channel.name} rejects emulators` }
  return null
}

/** Its content is stored and frozen, so devices can be given it. */
export function isReady(bundle: BundleRow): boolean {
  return !bundle.deleted && bundle.storage_provider !== 'r2-direct'
}
