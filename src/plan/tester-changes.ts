/** The changes that a plan for testers' devices needs: writes, permissions of the key, and obstacles. Pure. */
import type { ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import type { Assignment, PreviewChannel, TestersPlan } from './testers.ts'

export interface TesterChanges {
  /** Assignments that take a write. */
  readonly writes: readonly Assignment[]
  /** Devices whose channel takes no device, and why. */
  readonly wrongChannels: ReadonlyMap<string, ActionError>
  readonly permissions: readonly TesterPermission[]
}

/** The permission that the key needs for these devices. */
export interface TesterPermission {
  readonly devices: readonly string[]
  /** Null where the channel is still to be made. */
  readonly channelId: number | null
  readonly takes: 'on' | 'off'
}

type Channel = Pick<ChannelRow, 'id' | 'name' | 'public'>

/** `newChannel` is the one that the run makes where it is missing. */
export function planChanges(
  { assignments, renewals }: TestersPlan,
  channels: readonly Channel[],
  newChannel: string | null,
): TesterChanges {
  const byName = new Map(channels.map(channel => [channel.name, channel]))
  const writes = assignments.filter(takesWrite)
  const wrongChannels = new Map<string, ActionError>()
  const permissions: TesterPermission[] = []
  for (const group of Map.groupBy(writes, ({ from, to }) => to ?? `-${from}`).values()) {
    const [{ from = null, to = null } = {}] = group
    const devices = group.map(({ device }) => device)
    const channel = byName.get(to ?? from ?? '')
    const error = to === null ? null : refuseAssignment(to, channel, newChannel)
    if (error === null)
      permissions.push({ devices, channelId: channel?.id ?? null, takes: to === null ? 'off' : 'on' })
    else for (const device of devices) wrongChannels.set(device, error)
  }
  for (const [channelId, devices] of renewals) permissions.push({ devices, channelId, takes: 'on' })
  return { writes, wrongChannels, permissions }
}

function takesWrite({ state, from, to }: Assignment): boolean {
  return (state === 'set' || state === 'release' || state === 'expired') && from !== to
}

/** Why no device can be put on a channel, or null. */
function refuseAssignment(
  name: string,
  channel: Channel | undefined,
  newChannel: string | null,
): ActionError | null {
  if (channel === undefined && name !== newChannel)
    return new ActionError('channel_unknown', `Channel "${name}" does not exist, or the key cannot see it.`, {
      hint: 'Create it in the Capgo console, or publish to it once, or correct the name in the testers file.',
    })
  if (channel?.public)
    return new ActionError(
      'public_channel',
      `Channel "${name}" is public, and Capgo does not allow overrides to a public channel.`,
      {
        hint: 'Remove "channel" from the testers file: a device without an override gets the public channel anyway. Or use a private channel.',
      },
    )
  return null
}

/** Open pull requests by the channel of their preview. */
export function openPulls(previews: readonly PreviewChannel[]): Map<string, number> {
  return new Map(previews.flatMap(({ pull, open, channel }) => (open === null ? [] : [[channel, pull]])))
}

/** Open pull requests that win or lose a device. */
export function touchedPulls(
  writes: readonly Assignment[],
  open: ReadonlyMap<string, number>,
): ReadonlySet<number> {
  return new Set(
    writes.flatMap(({ from, to }) =>
      [from, to].flatMap(channel => (channel === null ? [] : (open.get(channel) ?? []))),
    ),
  )
}

/** The devices that a pull request has, or would have. */
export function devicesOfPull(assignments: readonly Assignment[], number: number): Assignment[] {
  return assignments.filter(
    ({ pull, others, expiredFor }) =>
      pull === number || others.includes(number) || expiredFor.includes(number),
  )
}
