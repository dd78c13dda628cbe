/** The schema of a testers file; the published JSON Schema is generated from it. */
import * as z from 'zod/mini'

/** What the plugin makes for each installation; Capgo keeps it in lower case. */
const DEVICE_ID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** GitHub's rule for logins. */
const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}$/

export const DeviceId = z
  .string()
  .check(
    z.regex(
      DEVICE_ID,
      'is not a device id such as 0a1b2c3d-1111-4222-8333-000000000001, which CapacitorUpdater.getDeviceId() returns',
    ),
    z.describe('Id of the installed app, as `CapacitorUpdater.getDeviceId()` returns it.'),
  )
const GroupName = z
  .string()
  .check(z.regex(NAME, 'is not a valid group name: use letters, digits, ".", "_" and "-"'))

export const TesterEntry = z
  .strictObject({
    device: DeviceId,
    name: z.optional(
      z
        .string()
        .check(z.minLength(1), z.maxLength(100), z.describe('Name of the owner or device, for people.')),
    ),
    github: z.optional(
      z
        .string()
        .check(
          z.regex(LOGIN, 'is not a GitHub login (without "@")'),
          z.describe('GitHub login: the device gets the pull requests of this author or reviewer.'),
        ),
    ),
    groups: z.optional(z.array(GroupName).check(z.describe('Groups for `assign-testers: group:<name>`.'))),
    channel: z.optional(
      z
        .string()
        .check(
          z.regex(NAME, 'is not a valid channel name'),
          z.describe('Channel of the device while no pull request uses it.'),
        ),
    ),
    until: z.optional(
      z.iso
        .date('is not a date such as 2027-03-31')
        .check(z.describe('Last day of testing. After it the device is released.')),
    ),
  })
  .check(z.describe('A device and its owner.'))

const Entries = z.array(z.union([DeviceId, TesterEntry]))
const Document = z.strictObject({
  $schema: z.optional(z.string()),
  testers: z.optional(Entries),
  groups: z.optional(
    z
      .record(GroupName, z.array(DeviceId))
      .check(z.describe('Device ids by group. Ids that are not in "testers" are testers without a name.')),
  ),
})

/** The whole file. */
export const TestersDocument = z
  .union([Entries, Document])
  .check(z.describe('Who tests what: device ids that capgo-publish-action puts on channels.'))

export type TesterEntry = z.infer<typeof TesterEntry>
