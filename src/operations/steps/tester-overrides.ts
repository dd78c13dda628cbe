/** Makes the changes of testers' overrides, and looks whether they are there. */
import { changeWithoutEffect, type OverrideChange } from '../../capgo/overrides.ts'
import type { RunContext } from '../../context.ts'
import type { ActionError } from '../../errors.ts'
import type { Assignment } from '../../plan/testers.ts'
import { plural } from '../../report/format.ts'
import { progressReporter } from '../../report/progress.ts'
import { byDevice } from './tester-facts.ts'
import type { TestersWork } from './tester-work.ts'

export interface TesterOutcome {
  readonly failed: ReadonlyMap<string, ActionError>
  /** Changes by others since the last read, by device. */
  readonly moved: ReadonlyMap<string, Assignment>
  readonly renewed: number
}
export const NOTHING_APPLIED: TesterOutcome = { failed: new Map(), moved: new Map(), renewed: 0 }

export async function applyChanges(work: TestersWork, context: RunContext): Promise<TesterOutcome> {
  const { failed, moved } = await changeOverrides(work, context)
  const renewal = await renewOverrides(work, context)
  return { failed: new Map([...failed, ...renewal.failed]), moved, renewed: renewal.renewed }
}

async function changeOverrides(
  { run, capgo, channels, facts, changes, obstacles }: TestersWork,
  { deps }: RunContext,
): Promise<Omit<TesterOutcome, 'renewed'>> {
  const { appId } = run
  const names = new Map(channels.map(({ name, id }) => [id, name]))
  const writes = changes.writes.filter(({ device }) => !obstacles.has(device))
  const wanted: OverrideChange[] = writes.map(({ device, to }) => ({
    device,
    seen: facts.overrides.get(device)?.channelId ?? null,
    channel: to,
  }))
  const progress = progressReporter(deps.log, deps.clock, (done, all) => `Changed ${done} of ${all} devices.`)
  const changed = await capgo.changeOverrides(appId, wanted, tried => progress(tried, wanted.length))
  const failed = new Map(changed.failed)
  const moved = new Map(
    writes.flatMap(assignment => {
      const id = changed.moved.get(assignment.device)
      if (id === undefined) return []
      const channel = names.get(id) ?? `#${id}`
      const state = channel === assignment.to ? 'there' : 'by_hand'
      return [[assignment.device, { ...assignment, from: channel, state } as const]]
    }),
  )
  const done = writes.filter(({ device }) => !failed.has(device) && !moved.has(device))
  if (done.length === 0) return { failed, moved }
  // Capgo answers ok to a key that is not allowed to: what counts is what is there.
  const rows = await capgo.readOverridesOf(
    appId,
    done.map(({ device }) => device),
  )
  const there = byDevice(rows, channels)
  for (const { device, to } of done)
    if ((there.get(device)?.channel ?? null) !== to) failed.set(device, changeWithoutEffect())
  return { failed, moved }
}

async function renewOverrides(
  { run, capgo, facts, plan, obstacles }: TestersWork,
  { deps }: RunContext,
): Promise<Omit<TesterOutcome, 'moved'>> {
  const { appId } = run
  const failed = new Map<string, ActionError>()
  let renewed = 0
  for (const [channelId, all] of plan.renewals) {
    const devices = all.filter(device => !obstacles.has(device))
    const count = devices.length === 0 ? 0 : await capgo.renewOverrides(appId, channelId, devices)
    renewed += count
    deps.log.info(`Renewed ${plural(count, 'device')}.`)
    if (count === devices.length) continue
    // A device that was moved meanwhile needs no renewal; what is as it was could not be renewed.
    for (const row of await capgo.readOverridesOf(appId, devices))
      if (row.channel_id === channelId && new Date(row.updated_at).toISOString() < facts.renewBefore)
        failed.set(row.device_id, changeWithoutEffect())
  }
  return { failed, renewed }
}
