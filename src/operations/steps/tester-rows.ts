/** What became of testers' devices, as the report shows it. */
import type { ChannelRow, DeviceRow } from '../../capgo/schema.ts'
import type { ActionError } from '../../errors.ts'
import { refuseDelivery } from '../../plan/delivery.ts'
import type { Assignment } from '../../plan/testers.ts'
import type { Installation, TesterFailure, TesterRow } from '../../report/testers.ts'

export interface RowFacts {
  readonly open: ReadonlyMap<string, number>
  readonly errors: ReadonlyMap<string, ActionError>
  readonly channels: readonly ChannelRow[]
  readonly known: ReadonlyMap<string, DeviceRow> | null
  readonly planned: boolean
}

export function toRow(
  assignment: Assignment,
  { open, errors, channels, known, planned }: RowFacts,
): TesterRow {
  const { device, tester, from, to, state } = assignment
  return {
    name: tester?.name ?? tester?.github ?? null,
    device,
    state: errors.has(device) ? 'failed' : state,
    from,
    to,
    fromPull: from === null ? null : (open.get(from) ?? null),
    takenBy: null,
    until: tester?.until ?? null,
    planned,
    installation: predict(device, channels.find(({ name }) => name === to) ?? null, known),
  }
}

function predict(
  device: string,
  channel: ChannelRow | null,
  known: ReadonlyMap<string, DeviceRow> | null,
): Installation | null {
  const bundle = channel?.version ?? null
  if (known === null || channel === null || bundle === null) return null
  const seen = known.get(device)
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
    { ...bundle, stored: bundle.storage_provider !== 'r2-direct' },
  )
  return refused === null ? { kind: 'takes' } : { kind: 'refuses', rule: refused.rule }
}

/** Failures of the same kind are one line with its devices. */
export function groupFailures(
  failures: readonly { device: string; error: ActionError; at: TesterFailure['at'] }[],
): TesterFailure[] {
  const groups = new Map<string, TesterFailure>()
  for (const { device, error, at } of failures) {
    const known = groups.get(error.message)
    groups.set(error.message, {
      code: error.code,
      message: error.message,
      hint:
        error.code === 'permission_missing'
          ? `${error.hint ?? ''} Or pass a key that has it as the input "devices-token".`.trim()
          : (error.hint ?? null),
      devices: [...(known?.devices ?? []), device],
      at: known?.at ?? at,
    })
  }
  return [...groups.values()]
}
