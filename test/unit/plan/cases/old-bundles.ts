/** Which bundles are of no use, by `planOldBundles` and `findAbandoned`. */
import type { BundleRow, ChannelRow } from '../../../../src/capgo/schema.ts'
import type { OldBundlesPlan } from '../../../../src/plan/old-bundles.ts'
import { bundle, channel, line } from './rows.ts'

/** Bundle n is called 1.0.n, and was put by run n on a channel that is not there any more. */
export const ours = (id: number, change: Partial<BundleRow> = {}) =>
  bundle({ id, name: `1.0.${id}`, comment: line('old', id), ...change })
/** The same, put on production. */
const on = (id: number, more = '') => ours(id, { comment: line('production', id, more) })

export interface OldBundlesCase {
  readonly name: string
  readonly bundles: readonly BundleRow[]
  readonly channels?: readonly ChannelRow[]
  /** 0 without it. */
  readonly keep?: number
  /** Ids, in the order in which they go. */
  readonly remove: readonly number[]
  /** How many stay for which reason; none for the others. */
  readonly kept?: Partial<OldBundlesPlan['kept']>
}

const four = [3, 1, 4, 2].map(id => ours(id))
const used = [on(1), on(2), on(3, ' after 1.0.2'), on(4), ours(5)]
const both = ours(2, { comment: `${line('beta', 2)}\n${line('production', 2)}` })

export const OLD_BUNDLES: Readonly<Record<string, readonly OldBundlesCase[]>> = {
  'old bundles:': [
    {
      name: 'the oldest go first, and the newest stay',
      bundles: four,
      keep: 2,
      remove: [1, 2],
      kept: { newest: 2 },
    },
    {
      name: 'all stay, where more are kept than there are',
      bundles: four,
      keep: 9,
      remove: [],
      kept: { newest: 4 },
    },
    { name: 'all go, where none is kept', bundles: four, remove: [1, 2, 3, 4] },
    {
      name: 'one without a word of ours stays',
      bundles: [ours(1, { comment: null })],
      remove: [],
      kept: { foreign: 1 },
    },
    {
      name: 'one with other words stays',
      bundles: [ours(1, { comment: 'by hand' })],
      remove: [],
      kept: { foreign: 1 },
    },
    {
      name: 'one whose name is no version stays',
      bundles: [ours(1, { name: 'v1.0.1' })],
      remove: [],
      kept: { foreign: 1 },
    },
    {
      name: 'one that is unfinished stays',
      bundles: [ours(1, { storage_provider: 'r2-direct' })],
      remove: [],
      kept: { unfinished: 1 },
    },
    {
      name: 'what a channel serves, rolls out, or would go back to stays',
      bundles: used,
      channels: [channel({ version: on(3, ' after 1.0.2'), rollout_version: 4, rollout_enabled: true })],
      remove: [1, 5],
      kept: { served: 2, rollback: 1 },
    },
    {
      name: 'what is needed is not counted among the newest',
      bundles: used,
      channels: [channel({ version: on(3, ' after 1.0.2'), rollout_version: 4, rollout_enabled: true })],
      keep: 1,
      remove: [1],
      kept: { served: 2, rollback: 1, newest: 1 },
    },
    {
      name: 'what was put on another channel is nothing to go back to, and a bundle may have been on both',
      bundles: [ours(1, { comment: line('beta', 1) }), both, on(3)],
      channels: [channel({ version: on(3) })],
      remove: [1],
      kept: { served: 1, rollback: 1 },
    },
    {
      name: 'a channel that has nothing to go back to keeps nothing',
      bundles: [ours(1), ours(2)],
      channels: [channel({ name: 'beta', version: null })],
      remove: [1, 2],
    },
    {
      name: 'what two channels serve is counted once',
      bundles: [on(3)],
      channels: [channel({ version: on(3) }), channel({ id: 8, name: 'beta', version: on(3) })],
      remove: [],
      kept: { served: 1 },
    },
    { name: 'no bundles at all', bundles: [], keep: 5, remove: [] },
  ],
}

/** When an unfinished bundle was begun, what else it is, and whether no run will finish it at `NOW`. */
export const NOW = '2026-11-26T12:00:00Z'
export const BEGUN: readonly (readonly [at: string, isAbandoned: boolean, change: Partial<BundleRow>])[] = [
  ['2026-11-25T11:59:59Z', true, {}],
  ['2026-11-25T12:00:00Z', false, {}],
  ['2026-11-25T12:00:01Z', false, {}],
  ['2026-11-01T00:00:00Z', false, { comment: null }],
  ['2026-11-01T00:00:00Z', false, { name: 'by-hand' }],
]
