/** The schema of a testers file; the published JSON Schema is generated from it. */
import * as z from 'zod/mini'

/** The id that the plugin creates for each installation; Capgo keeps it in lower case. */
const DEVICE_ID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/
export const DEVICE_ID_EXAMPLE = '0a1b2c3d-1111-4222-8333-444455556666'
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
      `is not a device id (expected e.g. ${DEVICE_ID_EXAMPLE}, from CapacitorUpdater.getDeviceId())`,
    ),
    z.describe('Id of the installed app, from `CapacitorUpdater.getDeviceId()`.'),
  )
export const GroupName = z
  .string()
  .check(z.regex(NAME, 'is not a valid group name: use letters, digits, ".", "_" and "-"'))

export const TesterEntry = z
  .strictObject({
    device: DeviceId,
    name: z.optional(
      z
        .string()
        .check(
          z.minLength(1, 'is empty'),
          z.maxLength(MAX_NAME, `is longer than ${MAX_NAME} characters`),
          z.describe('Whose device it is, for people.'),
        ),
    ),
    github: z.optional(
      z
        .string()
        .check(
          z.regex(LOGIN, 'is not a login of GitHub (without "@")'),
          z.describe('Login on GitHub: the device gets pull requests of this author or reviewer.'),
        ),
    ),
    groups: z.optional(z.array(GroupName).check(z.describe('Groups for `assign-testers: group:<name>`.'))),
    channel: z.optional(
      z
        .string()
        .check(
          z.regex(NAME, 'is not a channel\'s name (letters, digits, ".", "_" and "-")'),
          z.describe('Channel that the device is on while it has no preview.'),
        ),
    ),
    until: z.optional(
      z.iso
        .date('is not a day such as 2027-03-31')
        .check(z.describe('Last day of testing. Afterwards the device is removed from its channel.')),
    ),
  })
  .check(z.describe('A device and its owner.'))

export const Entries = z
  .array(z.union([DeviceId, TesterEntry]))
  .check(z.describe('The phones, and whose each one is.'))
export const DeviceIds = z.array(DeviceId)
export const Groups = z
  .record(GroupName, DeviceIds)
  .check(z.describe('Device ids by group. Ids that are not in "testers" are testers without a name.'))
const Document = z.strictObject({
  $schema: z.optional(
    z.string().check(z.describe('Address of this schema, by which editors check the file.')),
  ),
  testers: z.optional(Entries),
  groups: z.optional(Groups),
})

/** The whole file. */
export const TestersDocument = z
  .union([Entries, Document])
  .check(z.describe('Who tests what: device ids that capgo-publish-action puts on channels.'))

export type TesterEntry = z.infer<typeof TesterEntry>
