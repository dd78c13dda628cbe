/** What `operation: rollback` does, by `findEarlier` and `planRollback`. */
import type { BundleRow, ChannelRow } from '../../../../src/capgo/schema.ts'
import { NOT_JUDGED, NOT_OURS } from '../../../../src/plan/channel-change.ts'
import { findEarlier, type RollbackFacts } from '../../../../src/plan/rollback.ts'
import type { RolloutTarget } from '../../../../src/plan/rollout.ts'
import { type Case, fails } from './case.ts'
import { bundle, channel, line, native, run } from './rows.ts'

/** Bundle n is called 1.0.n and was put on the channel by run n. */
export const made = (n: number, more = '', change: Partial<BundleRow> = {}) =>
  bundle({ id: n, name: `1.0.${n}`, comment: line('production', n, more), ...change })
export const serving = (version: BundleRow | null, change: Partial<ChannelRow> = {}) =>
  channel({ version, ...change })

/** What the channel serves, and the bundles that have a note for it. */
interface Earlier {
  readonly served: BundleRow | null
  readonly bundles: readonly BundleRow[]
}

const servedBefore = (name: string) => ({ result: name, why: 'channel production served it before' })
const byRun = (name: string, ofRun: string) => ({
  result: name,
  why: `the last bundle on channel production before the current one (run ${ofRun})`,
})
const nothingTells = {
  result: fails('no_earlier_bundle'),
  why: 'It is not known what channel production served before 1.0.3.',
}

const found: readonly Case<Earlier>[] = [
  {
    name: 'what the note names',
    given: { served: made(3, ' after 1.0.1'), bundles: [made(1), made(2)] },
    ...servedBefore('1.0.1'),
  },
  {
    name: 'the last run before, without such a word',
    given: { served: made(3), bundles: [made(1), made(2)] },
    ...byRun('1.0.2', '2.1'),
  },
  {
    name: 'the same in another order',
    given: { served: made(3), bundles: [made(2), made(1)] },
    ...byRun('1.0.2', '2.1'),
  },
  {
    name: 'none that was put there later',
    given: { served: made(3), bundles: [made(4), made(2)] },
    ...byRun('1.0.2', '2.1'),
  },
  {
    name: 'what that one came after, where it was rolled back itself',
    given: {
      served: made(3, ' after 1.0.2'),
      bundles: [made(2, ' after 1.0.1 withdrawn 3.1/3'), made(1)],
    },
    ...servedBefore('1.0.1'),
  },
  {
    name: 'what that one came after, where it was deleted',
    given: {
      served: made(3, ' after 1.0.2'),
      bundles: [made(2, ' after 1.0.1', { deleted: true }), made(1)],
    },
    ...servedBefore('1.0.1'),
  },
  {
    name: 'by the runs, where that one is gone',
    given: { served: made(4, ' after 1.0.3'), bundles: [made(1), made(2)] },
    ...byRun('1.0.2', '2.1'),
  },
  {
    name: 'none that is not ready',
    given: { served: made(3), bundles: [made(2, '', { storage_provider: 'r2-direct' }), made(1)] },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'none that was rolled back',
    given: { served: made(3), bundles: [made(2, ' withdrawn 3.1/3'), made(1)] },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'not itself, in a circle',
    given: {
      served: made(3, ' after 1.0.2'),
      bundles: [made(2, ' after 1.0.3 withdrawn 3.1/3'), made(3), made(1)],
    },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'not in a circle of those before',
    given: {
      served: made(4, ' after 1.0.3'),
      bundles: [made(3, ' after 1.0.2 withdrawn 4.1/4'), made(2, ' after 1.0.3 withdrawn 3.1/3'), made(1)],
    },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'none of the very run',
    given: {
      served: made(3),
      bundles: [bundle({ id: 9, name: '9.0.0', comment: line('production', 3) }), made(1)],
    },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'not itself',
    given: { served: made(3, ' after 1.0.3'), bundles: [made(3), made(1)] },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'any, where what is served has no note',
    given: { served: bundle({ id: 9, name: '9.0.0' }), bundles: [made(1), made(2)] },
    ...byRun('1.0.2', '2.1'),
  },
  {
    name: 'none without a note for this channel',
    given: { served: made(3, ' after 1.0.2'), bundles: [made(2, '', { comment: 'by hand' }), made(1)] },
    ...byRun('1.0.1', '1.1'),
  },
  {
    name: 'none, where nothing is served',
    given: { served: null, bundles: [made(1)] },
    result: fails('no_earlier_bundle'),
    why: 'Channel production serves nothing.',
  },
  { name: 'none, where no other is there', given: { served: made(3), bundles: [made(3)] }, ...nothingTells },
  {
    name: 'none, where all were put there later',
    given: { served: made(3), bundles: [made(4)] },
    ...nothingTells,
  },
  {
    name: 'none, where the one before was not ready, and leads nowhere',
    given: { served: made(3, ' after 1.0.2'), bundles: [made(2, '', { deleted: true })] },
    ...nothingTells,
  },
]

export const EARLIER = { 'the bundle before:': found }

export interface RollbackCase
  extends Case<Partial<RollbackFacts> & { readonly bundles?: readonly BundleRow[] }> {
  /** `force: true` goes back all the same. */
  readonly byForce?: boolean
  /** Without them there is none. */
  readonly warnings?: readonly string[]
  readonly stage?: Partial<RolloutTarget>
  /** What the comment of the bundle has, and has not, afterwards. */
  readonly noted?: RegExp
  readonly notNoted?: RegExp
  /** The comment of the bundle that the channel leaves; nothing is written there without it. */
  readonly withdrawal?: string
  /** Why the channel leaves what it serves. */
  readonly insteadOf?: string
}

const to = (change: Partial<BundleRow>) => ({ bundle: made(1, '', change), why: 'it was' })

/** With `bundles` the target is looked for among those. */
export function rollbackFacts({ bundles, ...change }: RollbackCase['given'] = {}): RollbackFacts {
  const { channel: of = serving(made(3)) } = change
  return {
    appId: 'com.example.app',
    nativeVersions: [native('1.0')],
    run,
    rollout: { bps: null, onActive: 'fail' },
    rolloutBundleName: null,
    force: false,
    channel: of,
    target:
      bundles === undefined ? to({ comment: line('production', 1, '', 'b') }) : findEarlier(of, bundles),
    fault: null,
    affected: null,
    ...change,
  }
}

export const DONE = '`unchanged`'
export const serves = (name: string) => `\`production\` serves \`${name}\``
const page = (state: string) => ['`rollback` of `production`', state]
const back = {
  result: serves('1.0.1'),
  why: 'Channel production returns to 1.0.1 instead of 1.0.3.',
}
const withdrawal = line('production', 3, ' withdrawn 90.1/90')

const good = bundle({ id: 1, name: '1.3.0', comment: line('production', 50) })
const bad = bundle({ id: 2, name: '1.4.0', comment: line('production', 57, ' after 1.3.0', 'b') })
const first = bundle({ id: 3, name: '1.2.0', comment: line('production', 40) })
const badWithdrawal = line('production', 57, ' after 1.3.0 withdrawn 90.1/90', 'b')

const rolling = { rollout_version: 5, rollout_enabled: true, rollout_percentage_bps: 500 }
const refusing = (count: number, all: number) => ({
  count: all,
  refusing: { count, of: all, rule: 'too old' },
})

const rollback: readonly RollbackCase[] = [
  {
    name: 'to what it served before',
    page: page('it served `1.3.0` before `1.4.0`'),
    given: { channel: serving(bad), bundles: [good, bad] },
    result: serves('1.3.0'),
    why: 'Channel production returns to 1.3.0 instead of 1.4.0.',
    withdrawal: badWithdrawal,
  },
  {
    name: 'past what it was rolled back from before',
    page: page('it was rolled back from `1.3.0` before'),
    given: {
      channel: serving(bad),
      bundles: [first, { ...good, comment: line('production', 50, ' withdrawn 56.1/56') }, bad],
    },
    result: serves('1.2.0'),
    why: 'Channel production returns to 1.2.0 instead of 1.4.0.',
    withdrawal: badWithdrawal,
  },
  {
    name: 'where nothing is noted',
    page: page('nothing is noted'),
    given: { channel: serving(bundle({ id: 9, name: '9.9.9' })), bundles: [] },
    result: fails('no_earlier_bundle'),
    why: 'It is not known what channel production served before 9.9.9.',
  },
  {
    name: 'to a bundle that was named',
    given: {},
    ...back,
    noted: /^production: main@b{40} run 90\.1 \(id 90\) instead 1\.0\.3@a{40}$/,
    withdrawal,
    insteadOf: 'served now (the key cannot read which devices run it)',
  },
  {
    name: 'to what is served already',
    given: { channel: serving(made(1)), target: to({ deleted: true }) },
    result: DONE,
    why: 'Channel production already serves 1.0.1.',
  },
  {
    name: 'on a channel that serves nothing',
    given: { channel: serving(null) },
    result: serves('1.0.1'),
    why: 'Channel production returns to 1.0.1.',
    notNoted: /instead|after/,
  },
  {
    name: 'from what others made',
    given: { channel: serving(bundle({ id: 9 })) },
    result: serves('1.0.1'),
    why: / instead of 1\.4\.0\.$/,
    noted: / instead 1\.4\.0$/,
  },
]

const again: readonly RollbackCase[] = [
  {
    name: 'remembers what earlier ones took off',
    given: {
      channel: serving(made(3, ` instead 1.0.4@${'e'.repeat(40)} off ${'d'.repeat(40)}`)),
    },
    ...back,
    noted: / off e{40},d{40}$/,
    withdrawal: line(
      'production',
      3,
      ` instead 1.0.4@${'e'.repeat(40)} off ${'d'.repeat(40)} withdrawn 90.1/90`,
    ),
  },
  {
    name: 'remembers what earlier ones took off, where one took off what others made',
    given: { channel: serving(made(3, ` instead 1.0.4 off ${'d'.repeat(40)}`)) },
    ...back,
    noted: / off d{40}$/,
    withdrawal: line('production', 3, ` instead 1.0.4 off ${'d'.repeat(40)} withdrawn 90.1/90`),
  },
  { name: 'remembers nothing of the first', given: {}, ...back, notNoted: / off /, withdrawal },
  {
    name: 'to what was rolled back undoes that: nothing was bad',
    given: { channel: serving(made(3, ' instead 1.0.1')) },
    ...back,
    noted: / after 1\.0\.3$/,
    notNoted: /instead/,
  },
]

const rollout: readonly RollbackCase[] = [
  ...(['fail', 'advance'] as const).map(onActive => ({
    name: `refuses it (on-active-rollout: ${onActive})`,
    given: { channel: serving(made(3), rolling), rollout: { bps: null, onActive } },
    result: fails('rollout_active'),
    why: 'Channel production is rolling out bundle 5 to 5%.',
  })),
  {
    name: 'ends by an explicit word, and none begins',
    given: {
      channel: serving(made(3), rolling),
      rollout: { bps: 1000, onActive: 'replace' },
      rolloutBundleName: '1.0.5',
    },
    ...back,
    stage: { bps: null, rolloutBundleId: 5, paused: false },
    withdrawal,
  },
]

const refused: readonly RollbackCase[] = [
  {
    name: 'deleted',
    given: { target: to({ deleted: true }) },
    result: fails('bundle_not_ready'),
    why: 'Bundle 1.0.1 cannot be served: it was deleted.',
  },
  {
    name: 'unfinished',
    given: { target: to({ storage_provider: 'r2-direct' }) },
    result: fails('bundle_not_ready'),
    why: 'Bundle 1.0.1 cannot be served: its upload was never finished.',
  },
  {
    name: 'damaged',
    given: { fault: 'its zip is gone' },
    result: fails('bundle_not_ready'),
    why: 'Bundle 1.0.1 cannot be served: its zip is gone.',
  },
  {
    name: 'rolled back',
    given: { target: to({ comment: line('production', 1, ' withdrawn 7.1/7') }) },
    result: fails('bundle_rolled_back'),
    why: '1.0.1 was rolled back on channel production (run 7.1).',
    byForce: true,
  },
  {
    name: 'not for these native versions',
    given: { nativeVersions: [native('0.9')] },
    result: fails('rollback_refused'),
    why: /: devices on native 0\.9 \(the store\) would not accept it: .*policy "major"/,
    byForce: true,
  },
  {
    name: 'for no device',
    given: { channel: serving(made(3), { disable_auto_update: 'version_number' }) },
    result: fails('rollback_refused'),
    why: /: no device would accept it: .*version_number/,
    byForce: true,
  },
  {
    name: 'for none of those that run the bad one',
    given: { affected: refusing(2, 2) },
    result: fails('rollback_refused'),
    why: 'Channel production cannot go back to 1.0.1: none of the known devices on the current bundle would accept it: too old.',
    byForce: true,
  },
]

const devices: readonly RollbackCase[] = [
  {
    name: 'none is known',
    given: { affected: { count: 0, refusing: null } },
    ...back,
    insteadOf: 'served now (no known device runs it)',
    withdrawal,
  },
  {
    name: 'one is known',
    given: { affected: { count: 1, refusing: null } },
    result: serves('1.0.1'),
    why: / instead of 1\.0\.3\. 1 device still runs 1\.0\.3 until its next update check\.$/,
    insteadOf: 'served now (1 device still runs it)',
    withdrawal,
  },
  {
    name: 'many are known',
    given: { affected: { count: 1200, refusing: null } },
    result: serves('1.0.1'),
    why: /\. 1,200 devices still run 1\.0\.3 until their next update check\.$/,
    insteadOf: 'served now (1,200 devices still run it)',
    withdrawal,
  },
  {
    name: 'some refuse it',
    given: { affected: refusing(1, 2) },
    result: serves('1.0.1'),
    why: /2 devices still run 1\.0\.3/,
    warnings: ['1 of 2 checked devices would reject 1.0.1: too old.'],
    withdrawal,
  },
]

const said: readonly RollbackCase[] = [
  {
    name: 'no native version is known',
    given: { nativeVersions: [] },
    ...back,
    warnings: [NOT_JUDGED],
    withdrawal,
  },
  {
    name: 'it is not ours',
    given: { target: to({ comment: 'by hand' }) },
    ...back,
    warnings: [NOT_OURS],
    withdrawal,
  },
  {
    name: 'the channel reaches nobody',
    given: { channel: serving(made(3), { ios: false, android: false }) },
    ...back,
    warnings: ['Channel production is off for iOS and Android, so no device gets its bundle.'],
    withdrawal,
  },
]

/** Those of the first group are on the page. */
export const ROLLBACK: Readonly<Record<string, readonly RollbackCase[]>> = {
  'a rollback': rollback,
  'another rollback': again,
  'a rollout that is going on, and a rollback:': rollout,
  'a rollback is refused to what is': refused,
  'devices that run what is rolled back:': devices,
  'a rollback warns that': said,
}
