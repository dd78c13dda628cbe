/** Builds the report of testers' devices out of what was planned and done. */
import type { ChannelRow, DeviceRow } from '../capgo/schema.ts'
import type { ActionError } from '../errors.ts'
import { predictInstallation } from '../plan/tester-installation.ts'
import type { Tester } from '../plan/tester-list.ts'
import type { Assignment } from '../plan/testers.ts'
import type { TesterFailure, TesterRow } from './testers.ts'

interface RowFacts {
  /** Open pull requests by the channel of their preview. */
  readonly open: ReadonlyMap<string, number>
  readonly errors: ReadonlyMap<string, ActionError>
  readonly channels: readonly ChannelRow[]
  /** What Capgo knows of devices; null where it could not be read. */
  readonly known: ReadonlyMap<string, DeviceRow> | null
  readonly planned: boolean
  readonly pageOf: (tester: Tester) => string | null
}

export function testerRow(
  { device, tester, from, to, state }: Assignment,
  { open, errors, channels, known, planned, pageOf }: RowFacts,
): TesterRow {
  const channel = channels.find(({ name }) => name === to)
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
    installation:
      known === null || channel === undefined ? null : predictInstallation(channel, known.get(device)),
    entry: tester === null ? null : pageOf(tester),
  }
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
