/** Whether a tester's device will install what its channel serves. Pure. */
import type { ChannelRow, DeviceRow } from '../capgo/schema.ts'
import { refuseDelivery, reportedDevice } from './delivery.ts'

export type Installation =
  | { readonly kind: 'takes' | 'runs' | 'never_seen' }
  | { readonly kind: 'refuses'; readonly rule: string }

/** Null where that is not known: the channel serves nothing, or Capgo knows too little of the device. */
export function predictInstallation(channel: ChannelRow, seen: DeviceRow | undefined): Installation | null {
  const bundle = channel.version
  if (bundle === null) return null
  if (seen === undefined) return { kind: 'never_seen' }
  if (seen.version_name === bundle.name) return { kind: 'runs' }
  const device = reportedDevice(seen)
  if (device === null) return null
  const hasContent = bundle.storage_provider !== 'r2-direct'
  const refused = refuseDelivery(device, channel, { ...bundle, hasContent })
  return refused === null ? { kind: 'takes' } : { kind: 'refuses', rule: refused.rule }
}
