/** Whether a tester's device will install what its channel serves. Pure. */
import type { ChannelRow, DeviceRow } from '../capgo/schema.ts'
import { refuseDelivery } from './delivery.ts'

export type Installation =
  | { readonly kind: 'takes' | 'runs' | 'never_seen' }
  | { readonly kind: 'refuses'; readonly rule: string }

/** Null where that is not known: the channel serves nothing, or Capgo knows too little of the device. */
export function predictInstallation(channel: ChannelRow, seen: DeviceRow | undefined): Installation | null {
  const bundle = channel.version
  if (bundle === null) return null
  if (seen === undefined) return { kind: 'never_seen' }
  if (seen.version_name === bundle.name) return { kind: 'runs' }
  if (!seen.version_build) return null
  const refused = refuseDelivery(
    {
      platform: seen.platform,
      native: seen.version_build,
      ...(seen.version_name && seen.version_name !== 'builtin' ? { installed: seen.version_name } : {}),
      ...(seen.plugin_version ? { pluginVersion: seen.plugin_version } : {}),
      isProd: seen.is_prod ?? true,
      isEmulator: seen.is_emulator ?? false,
      ...(seen.key_id ? { keyId: seen.key_id } : {}),
      byOverride: true,
    },
    channel,
    { ...bundle, hasContent: bundle.storage_provider !== 'r2-direct' },
  )
  return refused === null ? { kind: 'takes' } : { kind: 'refuses', rule: refused.rule }
}
