/** `operation: devices`: the devices that were seen lately, with names from the testers file. Nothing is changed. */
import type { RunContext } from '../context.ts'
import { InputError } from '../errors.ts'
import { shortDevice } from '../plan/device-id.ts'
import { type DeviceFilter, listDevices } from '../plan/device-list.ts'
import type { Operation } from '../plan/operation.ts'
import { fitOutput } from '../report/devices.ts'
import { plural } from '../report/format.ts'
import type { DevicesResult } from '../report/list-results.ts'
import { readApp } from './steps/app.ts'
import { connectForDevices } from './steps/tester-facts.ts'
import { readCheckedOut, readNewest, timeOf } from './steps/testers-file.ts'

/** So many devices are read: twelve requests. */
const MAX_DEVICES = 10_000
const DAY = 86_400_000

/** Throws `invalid_input` where whole ids would be shown to everybody. */
export async function readDevices(
  { filter, showIds }: Extract<Operation, { kind: 'devices' }>,
  context: RunContext,
): Promise<DevicesResult> {
  const { deps, trigger, capgo } = context
  if (showIds && trigger.isPrivate !== true)
    throw new InputError(
      'show-ids',
      'cannot be true here: the event does not say that the repository is private.',
      'The log and the summary are public. Whoever knows a device id can act as that device. Remove the input, or run the workflow in a private repository.',
    )
  return deps.log.group('Read all devices', async () => {
    const { appId } = await readApp(context)
    const since = timeOf(context).getTime() - filter.days * DAY
    const [inventory, channels, overrides, file] = await Promise.all([
      connectForDevices(context).listInventory(appId, { since, max: MAX_DEVICES }),
      capgo.listChannels(appId),
      capgo.listOverrides(appId),
      readCheckedOut(context).then(checkedOut => readNewest(checkedOut, context)),
    ])
    const testers = file === null || file === 'unknown' ? [] : file.testers
    const devices = listDevices({ ...inventory, channels, overrides, testers, filter })
    const { id, platform, version, channel } = filter
    const isWhole = !inventory.isCut && [id, platform, version, channel].every(field => field === null)
    const seen = new Set(inventory.devices.map(({ device_id }) => device_id))
    const { count: inOutput } = fitOutput({ devices, showIds })
    return {
      kind: 'devices',
      outcome: 'read',
      reason: `${devices.length === 0 ? 'No device was' : plural(devices.length, 'device was', 'devices were')} seen in the last ${plural(filter.days, 'day')}${describeFilter(filter, showIds)}.`,
      appId,
      devices,
      unseen: isWhole ? testers.filter(({ device }) => !seen.has(device)) : [],
      showIds,
      testers: null,
      warnings: [
        ...(inventory.isCut
          ? [
              `Capgo may have more devices: the newest ${count(inventory.devices)} were read. Set fewer days in "device-filter".`,
            ]
          : []),
        ...(inOutput < devices.length
          ? [
              `The output "devices" has the newest ${inOutput.toLocaleString('en-US')} of ${count(devices)} devices, as GitHub limits outputs to 1 MB. List fewer with "device-filter".`,
            ]
          : []),
      ],
    }
  })
}

const count = (devices: readonly unknown[]) => devices.length.toLocaleString('en-US')

function describeFilter({ id, platform, version, channel }: DeviceFilter, showIds: boolean): string {
  // A whole id is nobody's business in a public log.
  const shownId = id === null || showIds || id.length <= 8 ? id : shortDevice(id)
  const parts = Object.entries({ id: shownId, platform, version, channel }).flatMap(([field, value]) =>
    value === null ? [] : [`${field} ${value}`],
  )
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
