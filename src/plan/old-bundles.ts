/** Which bundles are old and of no use. */
import semver from 'semver'
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { readNotes } from './bundle-comment.ts'
import { isReady } from './delivery.ts'
import { findEarlier } from './rollback.ts'

/** Why a bundle stays. */
export type KeepReason = 'served' | 'rollback' | 'newest' | 'foreign' | 'unfinished'

export interface OldBundlesPlan {
  /** The oldest first. */
  readonly remove: readonly BundleRow[]
  /** How many stay for which reason. */
  readonly kept: Readonly<Record<KeepReason, number>>
}

/**
 * Which bundles are old and of no use: made by this action (by their comment), finished, served by no channel,
 * neither to everybody nor as a rollout, not what a channel would be rolled back to, and not among the newest
 * `keep`. `bundles` are all that are not deleted, `channels` all channels.
 */
export function planOldBundles(
  bundles: readonly BundleRow[],
  channels: readonly ChannelRow[],
  keep: number,
): OldBundlesPlan {
  const served = new Set(channels.flatMap(({ version, rollout_version }) => [version?.id, rollout_version]))
  const needed = new Set(channels.flatMap(channel => neededFor(channel, bundles)))
  const reasonFor = (bundle: BundleRow): Exclude<KeepReason, 'newest'> | null => {
    if (served.has(bundle.id)) return 'served'
    if (needed.has(bundle.id)) return 'rollback'
    // The names of ours are always such; another cannot be asked for safely.
    if (readNotes(bundle).length === 0 || semver.valid(bundle.name) !== bundle.name) return 'foreign'
    return isReady(bundle) ? null : 'unfinished'
  }
  const kept = { served: 0, rollback: 0, newest: 0, foreign: 0, unfinished: 0 }
  const old: BundleRow[] = []
  for (const bundle of bundles) {
    const reason = reasonFor(bundle)
    if (reason === null) old.push(bundle)
    else kept[reason]++
  }
  old.sort((one, other) => other.id - one.id)
  kept.newest = Math.min(keep, old.length)
  return { remove: old.slice(keep).reverse(), kept }
}

/** The bundle that the channel would be rolled back to. */
function neededFor(channel: ChannelRow, bundles: readonly BundleRow[]): number[] {
  const noted = bundles.filter(bundle => readNotes(bundle).some(note => note.channel === channel.name))
  try {
    return [findEarlier(channel, noted).bundle.id]
  } catch (error) {
    if (error instanceof ActionError) return []
    throw error
  }
}

/** No job on GitHub's machines runs for longer than 6 hours; a job that was stopped is mostly run again by then. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000

/** Which unfinished bundles this action began and no run will finish: `now` is a day after they were made. */
export function findAbandoned(unfinished: readonly BundleRow[], now: Date): BundleRow[] {
  return unfinished.filter(
    bundle =>
      readNotes(bundle).length > 0 &&
      semver.valid(bundle.name) === bundle.name &&
      Date.parse(bundle.created_at) < now.getTime() - ABANDONED_AFTER,
  )
}
