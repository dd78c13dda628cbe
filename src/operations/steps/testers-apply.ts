/** Makes the changes of overrides, and looks whether they are there. */
import { changeWithoutEffect, type OverrideChange } from '../../capgo/overrides.ts'
import type { RunContext } from '../../context.ts'
import type { ActionError } from '../../errors.ts'
import type { Assignment } from '../../plan/testers.ts'
import { progressReporter } from '../../report/progress.ts'
import { byDevice, type Looked, renewBefore } from './testers-look.ts'

export interface Applied {
  readonly failed: ReadonlyMap<string, ActionError>
  /** What somebody else did since we looked, by device. */
  readonly moved: ReadonlyMap<string, Assignment>
  readonly renewed: number
}
export const NOTHING_APPLIED: Applied = { failed: new Map(), moved: new Map(), renewed: 0 }

export async function apply(
  appId: string,
  { capgo, channels, overrides, plan, changes, obstacles }: Looked,
  context: RunContext,
): Promise<Applied> {
  const { deps } = context
  const names = new Map(channels.map(({ name, id }) => [id, name]))
  const todo = changes.filter(({ device }) => !obstacles.has(device))
  const wanted: OverrideChange[] = todo.map(({ device, to }) => ({
    device,
    seen: overrides.get(device)?.channelId ?? null,
    channel: to,
  }))
  const progress = progressReporter(deps.log, deps.clock, (done, all) => `Changed ${done} of ${all} devices.`)
  const changed = await capgo.changeOverrides(appId, wanted, tried => progress(tried, wanted.length))
  const failed = new Map(changed.failed)
  const moved = new Map(
    todo.flatMap(assignment => {
      const id = changed.moved.get(assignment.device)
      if (id === undefined) return []
      const channel = names.get(id) ?? `#${id}`
      const state = channel === assignment.to ? 'there' : 'by_hand'
      return [[assignment.device, { ...assignment, from: channel, state } as const]]
    }),
  )
  const done = todo.filter(({ device }) => !failed.has(device) && !moved.has(device))
  if (done.length > 0) {
    // Capgo answers ok to a key that may not: what counts is what is there.
    const rows = await capgo.readOverridesOf(
      appId,
      done.map(({ device }) => device),
    )
    const there = byDevice(rows, channels)
    for (const { device, to } of done)
      if ((there.get(device)?.channel ?? null) !== to) failed.set(device, changeWithoutEffect())
  }
  let renewed = 0
  for (const [channelId, all] of plan.renewals) {
    const devices = all.filter(device => !obstacles.has(device))
    const count = devices.length === 0 ? 0 : await capgo.renewOverrides(appId, channelId, devices)
    renewed += count
    deps.log.info(`Renewed ${count} overrides.`)
    if (count === devices.length) continue
    // What somebody moved meanwhile needs no renewal; what is as it was could not be renewed.
    const before = renewBefore(context)
    for (const row of await capgo.readOverridesOf(appId, devices))
      if (row.channel_id === channelId && new Date(row.updated_at).toISOString() < before)
        failed.set(row.device_id, changeWithoutEffect())
  }
  return { failed, moved, renewed }
}
