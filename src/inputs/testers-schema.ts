/** The schema of a testers file; the published JSON Schema is generated from it. */
import * as z from 'zod/mini'

/** What the plugin makes for each installation; Capgo keeps it in lower case. */
const DEVICE_ID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** Characters of a person's or device's name. */
export const MAX_NAME = 100
/** GitHub's rule for logins; those that an enterprise manages end with "_" and its short name. */
export const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}(?:_[A-Za-z0-9]{1,16})?$/

export const DeviceId = z
  .string()
  .check(
    z.regex(
      DEVICE_ID,
      'is not a device id: 8-4-4-4-12 hexadecimal digits, as CapacitorUpdater.getDeviceId() tells',
    ),
    z.describe('Id of the installed app, as `CapacitorUpdater.getDeviceId()` tells it.'),
  )
const GroupName = z.string().check(z.regex(NAME, 'is not a name of letters, digits, ".", "_" and "-"'))

export const TesterEntry = z
  .strictObject({
    device: DeviceId,
    name: z.optional(
      z.string().check(z.minLength(1), z.maxLength(MAX_NAME), z.describe('Whose device it is, for people.')),
    ),
    github: z.optional(
      z
        .string()
        .check(
          z.regex(LOGIN, 'is not a login of GitHub, without "@"'),
          z.describe('Login on GitHub: pull requests of this author or reviewer come to the device.'),
        ),
    ),
    groups: z.optional(
      z.array(GroupName).check(z.describe('Groups that `assign-testers: group:<name>` can name.')),
    ),
    channel: z.optional(
      z
        .string()
        .check(
          z.regex(NAME, "is not a channel's name"),
          z.describe('Channel that the device is on while no pull request wants it.'),
        ),
    ),
    until: z.optional(
      z.iso
        .date('is not a day such as 2027-03-31')
        .check(z.describe('Last day of testing; after it the device is released.')),
    ),
  })
  .check(z.describe('A device and whose it is.'))

const Entries = z.array(z.union([DeviceId, TesterEntry]))
const Document = z.strictObject({
  $schema: z.optional(z.string()),
  testers: z.optional(Entries),
  groups: z.optional(
    z
      .record(GroupName, z.array(DeviceId))
      .check(z.describe('Device ids by group; ids that are not in "testers" are testers without a name.')),
  ),
})

/** The whole file. */
export const TestersDocument = z
  .union([Entries, Document])
  .check(z.describe('Who tests what: device ids that capgo-publish-action puts on channels.'))

export type TesterEntry = z.infer<typeof TesterEntry>
