/** What `operation: promote` does, by `planPromotion`: production gets what development serves. */
import type { ChannelRow } from '../../../../src/capgo/schema.ts'
import { NOT_JUDGED, NOT_OURS } from '../../../../src/plan/channel-change.ts'
import type { PromotionFacts } from '../../../../src/plan/promotion.ts'
import type { RolloutTarget } from '../../../../src/plan/rollout.ts'
import { type Case, fails } from './case.ts'
import { type Bundle, bundle, channel, line, native, run } from './rows.ts'

export interface PromotionCase extends Case<Partial<PromotionFacts>> {
  /** Without them there is none. */
  readonly warnings?: readonly (string | RegExp)[]
  readonly stage?: Partial<RolloutTarget>
  /** Lines of the plan: the label, and `value: reason`. */
  readonly decisions?: Readonly<Record<string, string | RegExp>>
  /** What the bundle's comment has, and has not, afterwards. */
  readonly noted?: RegExp
  readonly notNoted?: RegExp
  /** Names of the native packages that differ; none without them. */
  readonly changed?: readonly string[]
}

/** What development serves: the bundle of a later commit. */
const tested = (change: Partial<Bundle> = {}) =>
  bundle({
    id: 2,
    name: '1.4.1-development.56.1',
    comment: line('development', 56, '', 'b'),
    ...change,
  })
/** What production serves. */
export const served = (change: Partial<Bundle> = {}) =>
  bundle({ name: '1.3.0', comment: line('production', 50), ...change })
const from = channel({ id: 8, name: 'development', public: false })
const to = (change: Partial<Bundle>, more: Partial<ChannelRow> = {}) =>
  channel({ version: served(change), ...more })

export function promotionFacts({
  bundle: of = tested(),
  ...change
}: Partial<PromotionFacts> = {}): PromotionFacts {
  return {
    appId: 'com.example.app',
    nativeVersions: [native('1.0')],
    run,
    rollout: { bps: null, onActive: 'fail' },
    rolloutBundleName: null,
    force: false,
    from: { ...from, version: of },
    bundle: of,
    onIncompatible: null,
    fault: null,
    to: to({}),
    relation: 'ahead',
    ...change,
  }
}

export const DONE = '`unchanged`'
export const serves = (name: string) => `\`production\` serves \`${name}\``
const page = (state: string) => ['`promote` from `development` to `production`', state]
const promoted = {
  result: serves('1.4.1-development.56.1'),
  why: 'Channel production gets 1.4.1-development.56.1 from development, byte for byte.',
}
const unchanged = {
  result: DONE,
  why: 'Channel production already serves 1.4.1-development.56.1, like development.',
}

const withdrawn = `${line('production', 53, ' withdrawn 55.1/55', 'b')}\n${line('development', 56, '', 'b')}`
const undated = tested({ created_at: '2026-11-25T00:00:00Z', comment: null })
const byNumber = { disable_auto_update: 'version_number' } as const
const rolling = (change: Partial<ChannelRow> = {}) =>
  to({}, { rollout_version: 3, rollout_enabled: true, rollout_percentage_bps: 1000, ...change })
const camera = (version: string) => [{ name: 'camera', version }]
const lacking = {
  bundle: tested({ native_packages: camera('8.0.0') }),
  to: to({ native_packages: camera('7.0.0') }),
}
const LACKS =
  /^Installed apps on channel production \(with 1\.3\.0\) lack native code of 1\.4\.1-development\.56\.1: camera 7\.0\.0 -> 8\.0\.0 /
const changed = ['camera']

const promotion: readonly PromotionCase[] = [
  {
    name: 'what was tested',
    page: page('`production` serves an older commit'),
    given: {},
    ...promoted,
    decisions: {
      bundle: '1.4.1-development.56.1: channel development serves it',
      channel: 'production: input "to"',
      'native version': '1.0 (android): the store',
    },
    noted: /^production: main@b{40} run 90\.1 \(id 90\) after 1\.3\.0\ndevelopment: /,
    notNoted: /instead/,
  },
  {
    name: 'what everybody has already',
    page: page('`production` serves that bundle already'),
    given: { to: channel({ version: tested() }) },
    ...unchanged,
  },
  {
    name: 'what everybody has already, to a share',
    given: { to: channel({ version: tested() }), rollout: { bps: 1000, onActive: 'fail' } },
    ...unchanged,
    stage: { bps: null },
  },
  {
    name: 'what a share has, to go on',
    given: { to: rolling({ rollout_version: 2 }), rollout: { bps: null, onActive: 'advance' } },
    ...unchanged,
    stage: { bps: 1000, rolloutBundleId: 2 },
  },
  {
    name: 'what everybody has, while another is rolled out that ends',
    given: {
      to: rolling({ version: tested() }),
      rollout: { bps: null, onActive: 'replace' },
      rolloutBundleName: '1.6.0',
    },
    ...promoted,
    stage: { bps: null, rolloutBundleId: 3 },
    decisions: { rollout: /^everybody: channel production was rolling out 1\.6\.0 to 10%/ },
  },
  {
    name: 'to a share of the devices',
    given: { rollout: { bps: 1250, onActive: 'fail' } },
    ...promoted,
    stage: { bps: 1250, rolloutBundleId: null, paused: false },
    decisions: { rollout: '12.5%: the others keep 1.3.0' },
  },
  {
    name: 'to a share of a channel that serves nothing: to everybody',
    given: { rollout: { bps: 1250, onActive: 'fail' }, to: channel({ version: null }) },
    ...promoted,
    stage: { bps: null },
    warnings: [/^All devices get this bundle instead of 12\.5%/],
    notNoted: /after/,
  },
]

const older: readonly PromotionCase[] = [
  {
    name: 'an older commit',
    page: page('`production` serves a newer commit'),
    given: {
      bundle: tested({ comment: line('development', 56) }),
      to: to({ id: 4, name: '1.5.0', comment: line('production', 60, '', 'c') }),
      relation: 'behind',
    },
    result: fails('promotion_older'),
    why: 'Channel production serves a newer bundle: 1.4.1-development.56.1 was built from aaaaaaa (main, run 56.1), which is older than 1.5.0 of ccccccc (main, run 60.1).',
  },
  {
    name: 'another line of history whose run came before',
    given: { relation: 'diverged', to: to({ comment: line('production', 60) }) },
    result: fails('promotion_older'),
    why: /by the order of the runs, since the branches differ\.$/,
  },
  { name: 'another line of history whose run came later', given: { relation: 'diverged' }, ...promoted },
  {
    name: 'one that was made before, where no commit is known',
    given: { bundle: undated },
    result: fails('promotion_older'),
    why: 'Channel production serves a newer bundle: 1.4.1-development.56.1 was created before 1.3.0, and their commits are not known.',
  },
  {
    name: 'one that was made before, where neither commit is known',
    given: { bundle: undated, to: to({ comment: null }) },
    result: fails('promotion_older'),
    why: /was created before 1\.3\.0/,
  },
  {
    name: 'one that was made at the same moment',
    given: { bundle: tested({ comment: null }) },
    ...promoted,
    warnings: [NOT_OURS],
  },
  {
    name: 'one that was made later',
    given: { bundle: tested({ comment: null, created_at: '2026-11-27T00:00:00Z' }) },
    ...promoted,
    warnings: [NOT_OURS],
  },
  {
    name: 'an older commit by force, which is told and noted',
    given: { force: true, relation: 'behind' },
    ...promoted,
    decisions: { forced: /^older bundle: .*which is older than .*; input "force"$/ },
    noted: /instead 1\.3\.0@a{40}/,
  },
  { name: 'a newer commit by force', given: { force: true }, ...promoted, notNoted: /instead/ },
  {
    name: 'what follows a rollback: the two bundles count, not the runs',
    given: { to: to({ comment: line('production', 60, ' instead 1.4.1') }) },
    ...promoted,
  },
  {
    name: 'what was rolled back there',
    given: { bundle: tested({ comment: withdrawn }) },
    result: fails('bundle_rolled_back'),
    why: '1.4.1-development.56.1 was rolled back on channel production (run 55.1).',
  },
  {
    name: 'what was rolled back there, by force',
    given: { bundle: tested({ comment: withdrawn }), force: true },
    ...promoted,
  },
  {
    name: 'what was rolled back on another channel',
    given: { bundle: tested({ comment: line('beta', 56, ' withdrawn 57.1/57') }) },
    ...promoted,
  },
  {
    name: 'what is served already, though it was rolled back',
    given: { to: channel({ version: tested({ comment: withdrawn }) }) },
    ...unchanged,
  },
]

const refused: readonly PromotionCase[] = [
  {
    name: 'what apps in the stores are above of',
    page: page('apps in the stores are at 1.5.0'),
    given: {
      nativeVersions: [native('1.5.0', 'any', 'input "native-version"')],
      to: to({}, { disable_auto_update_under_native: true }),
    },
    result: fails('promotion_refused'),
    why: 'Devices on native 1.5.0 (input "native-version") would not accept 1.4.1-development.56.1 on channel production: 1.4.1-development.56.1 is below native 1.5.0, and the channel rejects bundles below the native version.',
  },
  {
    name: 'what is not finished',
    page: page('its upload was never finished'),
    given: { bundle: tested({ storage_provider: 'r2-direct' }) },
    result: fails('bundle_not_ready'),
    why: 'Bundle 1.4.1-development.56.1 on channel development is not ready: its upload was never finished.',
  },
  {
    name: 'what was deleted',
    given: { bundle: tested({ deleted: true }) },
    result: fails('bundle_not_ready'),
    why: /is not ready: it was deleted\.$/,
  },
  {
    name: 'what is stored damaged',
    given: { fault: 'its zip is gone' },
    result: fails('bundle_not_ready'),
    why: /is not ready: its zip is gone\.$/,
  },
  {
    name: 'what no native version takes',
    given: { nativeVersions: [native('0.9')] },
    result: fails('promotion_refused'),
    why: /^Devices on native 0\.9 \(the store\) would not accept .*policy "major"/,
  },
  {
    name: 'what no device takes',
    given: { to: to({}, byNumber) },
    result: fails('promotion_refused'),
    why: /^No device would accept 1\.4\.1-development\.56\.1 on channel production: .*version_number/,
  },
  {
    name: 'to a channel with a rollout',
    given: { to: rolling() },
    result: fails('rollout_active'),
    why: 'Channel production is rolling out bundle 3 to 10%.',
  },
]

const nativeCode: readonly PromotionCase[] = [
  { name: 'is missing', given: lacking, result: fails('native_incompatible'), why: LACKS },
  {
    name: 'is missing, with on-incompatible: fail',
    given: { ...lacking, onIncompatible: 'fail' },
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'is missing, with on-incompatible: warn',
    given: { ...lacking, onIncompatible: 'warn' },
    ...promoted,
    warnings: [LACKS],
    changed,
  },
  {
    name: 'is missing, with on-incompatible: ignore',
    given: { ...lacking, onIncompatible: 'ignore' },
    ...promoted,
    changed,
  },
  { name: 'is not missing, with on-incompatible: warn', given: { onIncompatible: 'warn' }, ...promoted },
  { name: 'was never there', given: { to: channel({ version: null }) }, ...promoted, notNoted: /after/ },
  {
    name: 'is kept from older apps by the minimum native version',
    given: {
      bundle: tested({ native_packages: camera('8.0.0'), min_update_version: '1.0.0' }),
      to: to({ native_packages: camera('7.0.0') }, byNumber),
    },
    ...promoted,
    changed,
  },
  {
    name: 'is kept from nobody by a minimum that is not raised',
    given: {
      bundle: tested({ native_packages: camera('8.0.0'), min_update_version: '1.0.0' }),
      to: to({ native_packages: camera('7.0.0'), min_update_version: '1.0.0' }, byNumber),
    },
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'is kept from nobody by a minimum under another policy',
    given: {
      bundle: tested({ native_packages: camera('8.0.0'), min_update_version: '1.0.0' }),
      to: to({ native_packages: camera('7.0.0') }),
    },
    result: fails('native_incompatible'),
    why: LACKS,
  },
]

const said: readonly PromotionCase[] = [
  { name: 'no native version is known', given: { nativeVersions: [] }, ...promoted, warnings: [NOT_JUDGED] },
  {
    name: 'the bundle is not ours',
    given: { bundle: tested({ comment: 'by hand' }) },
    ...promoted,
    warnings: [NOT_OURS],
  },
  {
    name: 'the channel reaches nobody',
    given: { to: to({}, { ios: false, android: false }) },
    ...promoted,
    warnings: ['Channel production is off for iOS and Android, so no device gets its bundle.'],
  },
  {
    name: 'the source rolls out another one',
    given: { from: channel({ name: 'development', rollout_version: 3, rollout_enabled: true }) },
    ...promoted,
    warnings: [
      'Channel development is rolling out another bundle. 1.4.1-development.56.1 is the bundle of its other devices.',
    ],
  },
]

/** In the order of docs/development/decisions.md. */
export const PROMOTION: Readonly<Record<string, readonly PromotionCase[]>> = {
  'a promotion of': promotion,
  'a promotion back, of': older,
  'a promotion is refused:': refused,
  'native code of a promotion': nativeCode,
  'a promotion warns that': said,
}
