// Whether a device takes a bundle from a channel: contract 4.4, as one pure function.
import { createHash } from 'node:crypto'
import semver, { type SemVer } from 'semver'
import type { BundleRow, ChannelRow } from './rows.ts'

/** A device's question, after `version_name: builtin` was replaced by the native version. */
export interface Asking {
  version_name: string
  /** Native version, x.y.z. */
  version_build: string
  platform: 'ios' | 'android' | 'electron'
  plugin_version: string
  is_emulator: boolean
  is_prod: boolean
  defaultChannel?: string | undefined
  key_id?: string | undefined
}

export interface Offer {
  channel: ChannelRow
  /** null: the channel serves the code the app was built with. */
  bundle: BundleRow | null
  /** Number of delta files in the response to the device. */
  deltaFiles: number
  /** The channel comes from an override or from a choice kept on the server. */
  isOverride: boolean
}

type Kind = 'up_to_date' | 'blocked' | 'failed'

export interface Refusal {
  error: string
  message: string
  kind: Kind
  extra: Record<string, unknown>
}

/** A channel's bundle name has to be parsed for a rule and cannot be: the service fails with 500. */
export class UnparseableName extends Error {}

/** The first rule that keeps the device from the bundle, or nothing when it gets it. */
export function refusal(asking: Asking, offer: Offer): Refusal | undefined {
  const { channel, bundle, deltaFiles, isOverride } = offer
  const { platform, version_name: installed, version_build: native } = asking
  const name = bundle?.name ?? 'builtin'
  const blocked = (error: string, message: string, extra: Record<string, unknown> = {}): Refusal => ({
    error,
    message,
    kind: 'blocked',
    extra,
  })
  const upToDate = (error: string, message: string): Refusal => ({
    error,
    message,
    kind: 'up_to_date',
    extra: {},
  })
  const failed = (error: string, message: string, extra: Record<string, unknown> = {}): Refusal => ({
    error,
    message,
    kind: 'failed',
    extra,
  })
  const overInstalled = { version: name, old: installed }
  const overNative = { version: name, old: native }
  const mode = channel.disable_auto_update
  // Lazy, because only the rules that compare need a name that parses.
  const of = (text: string): SemVer => parse(text)

  // 1
  if (bundle && !bundle.external_url && !bundle.r2_path && deltaFiles === 0)
    return failed('no_bundle', 'Cannot get bundle')
  // 2
  const bothKeys = asking.key_id && bundle?.key_id
  if (bothKeys && asking.key_id !== bundle.key_id && semver.gt(asking.plugin_version, '8.40.7')) {
    const message = 'Device encryption key does not match bundle encryption key.'
    return blocked('key_id_mismatch', message, { deviceKeyId: asking.key_id, bundleKeyId: bundle.key_id })
  }
  // 3
  if (installed === name) return upToDate('no_new_version_available', 'No new version available')
  // 4
  if (!channel[platform])
    return blocked(`disabled_platform_${platform}`, `Cannot update, ${platform} is disabled`, overInstalled)
  // 5: upwards only; a lower major is left to rule 10
  if (bundle && mode === 'major' && of(name).major > of(native).major)
    return blocked('disable_auto_update_to_major', 'Cannot upgrade major version', {
      major: true,
      ...overNative,
    })
  // 6
  if (!channel.public && !channel.allow_device_self_set && !isOverride) {
    const advice = asking.defaultChannel
      ? `ensure your defaultChannel "${asking.defaultChannel}" allows devices to associate themselves.`
      : 'set a defaultChannel that allows devices to associate themselves.'
    return blocked(
      'cannot_update_via_private_channel',
      `Cannot update via the private channel "${channel.name}": please ${advice}`,
    )
  }
  // 7 and 8: both directions
  const sameMajor = () => of(name).major === of(native).major
  const sameMinor = () => sameMajor() && of(name).minor === of(native).minor
  const samePatch = () => sameMinor() && of(name).patch === of(native).patch
  if (bundle && mode === 'minor' && !sameMinor())
    return blocked('disable_auto_update_to_minor', 'Cannot upgrade minor version', {
      major: true,
      ...overNative,
    })
  if (bundle && mode === 'patch' && !samePatch())
    return blocked('disable_auto_update_to_patch', 'Cannot upgrade patch version', {
      major: true,
      ...overNative,
    })
  // 9
  if (bundle && mode === 'version_number') {
    if (bundle.min_update_version === null)
      return failed('misconfigured_channel', `Channel ${channel.name} is misconfigured`, overNative)
    if (semver.gt(of(bundle.min_update_version), of(native))) {
      const message = 'Cannot upgrade version, min update version > current version'
      return blocked('disable_auto_update_to_metadata', message, { major: true, ...overNative })
    }
  }
  // 10
  if (bundle && channel.disable_auto_update_under_native && semver.lt(of(name), of(native)))
    return blocked('disable_auto_update_under_native', 'Cannot revert under native version', overInstalled)
  // 11
  if (!channel.allow_prod && asking.is_prod)
    return blocked('disable_prod_build', 'Cannot update, prod build is disabled', overInstalled)
  if (!channel.allow_dev && !asking.is_prod)
    return blocked('disable_dev_build', 'Cannot update, dev build is disabled', overInstalled)
  if (!channel.allow_device && !asking.is_emulator)
    return blocked('disable_device', 'Cannot update, device is disabled', overInstalled)
  if (!channel.allow_emulator && asking.is_emulator)
    return blocked('disable_emulator', 'Cannot update, emulator is disabled', overInstalled)
  // 12
  if (!bundle && semver.lt(asking.plugin_version, '6.2.0'))
    return failed(
      'revert_to_builtin_plugin_version_too_old',
      'revert_to_builtin used, but plugin version is too old',
    )
  return undefined
}

function parse(text: string): SemVer {
  const version = /^\d/.test(text) ? semver.parse(text) : null
  if (!version) throw new UnparseableName(`${text} is not a version`)
  return version
}

/** `version_build` as the service reads it: 1 -> 1.0.0, 1.2 -> 1.2.0, builtin -> 0.0.0; undefined when it is not a version. */
export function nativeVersion(text: string): string | undefined {
  if (text === 'builtin' || text === 'unknown') return '0.0.0'
  const padded = /^\d+$/.test(text) ? `${text}.0.0` : /^\d+\.\d+$/.test(text) ? `${text}.0` : text
  return /^\d/.test(padded) ? semver.parse(padded)?.format() : undefined
}

/** Minimum plugin by major, from 8 on always (unless given): contract 6.3, 12.2, 12.8. */
export function pluginHas(
  version: string,
  minimum: { 5: string; 6: string; 7: string; 8?: string },
): boolean {
  const major = semver.major(version)
  if (major < 5) return false
  const least = major >= 8 ? (minimum[8] ?? '8.0.0') : minimum[major as 5 | 6 | 7]
  return semver.gte(version, least)
}

/**
 * Which of a channel's two bundles a device gets. The cohort is a hash of device and rollout, so it stays when asked
 * again and grows with the percentage; a device that runs the rollout bundle keeps it while the rollout is enabled.
 */
export function isInRollout(
  channel: ChannelRow,
  deviceId: string,
  installed: string,
  rolloutName: string,
): boolean {
  if (!channel.rollout_enabled || channel.rollout_version === null) return false
  if (installed === rolloutName) return true
  if (channel.rollout_paused_at !== null || channel.rollout_percentage_bps <= 0) return false
  const hash = createHash('sha256').update(`${deviceId}${channel.rollout_id}`).digest()
  return hash.readUInt32BE(0) % 10_000 < channel.rollout_percentage_bps
}
