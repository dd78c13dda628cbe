/** What a publish does with its channel, by `planPublish`. */
import type { ChannelRow } from '../../../../src/capgo/schema.ts'
import type { BuiltFacts, PublishPlan } from '../../../../src/plan/publish-facts.ts'
import { ALL, type RolloutRequest } from '../../../../src/plan/rollout.ts'
import type { Standing } from '../../../../src/plan/staleness.ts'
import { type Case, fails } from './case.ts'
import { AT_HEAD, older, standing } from './facts.ts'
import { type Bundle, bundle, channel, line, NEWER, native, OTHER_CHECKSUM, OURS } from './rows.ts'

export interface PublishCase extends Case<Partial<BuiltFacts>> {
  /** Without them there is none. */
  readonly warnings?: readonly (string | RegExp)[]
  /** Lines of the plan: the label, and `value: reason`; null where there is none. */
  readonly decisions?: Readonly<Record<string, string | RegExp | null>>
  readonly stage?: Partial<PublishPlan['rolloutTarget']>
  /** Names of the native packages that differ; none without them. */
  readonly changed?: readonly string[]
  /** Of a new bundle: its minimum native version. */
  readonly minimum?: string | null
}

export const uploads = (name: string) => `uploads \`${name}\``
export const promotes = (name: string) => `promotes \`${name}\`, uploads nothing`
export const finishes = (name: string) => `finishes the upload of \`${name}\``
export const UNCHANGED = '`unchanged`, the channel is left alone'
export const STALE = '`stale`, the channel is left alone'

const serving = (version: Bundle | null, change: Partial<ChannelRow> = {}) => channel({ version, ...change })
const NOTHING = serving(null)

const newer = bundle({
  id: 3,
  name: '1.5.0',
  checksum: OTHER_CHECKSUM,
  comment: line('production', 60, '', 'c'),
})
const newerByHand = { ...newer, comment: line('beta', 60, '', 'c') }
const same = bundle({ comment: line('production', 50) })
const rolledBack = { ...older, comment: line('production', 58, ` instead 1.4.0@${OURS}`) }
const PREVIEW = { kind: 'preview', pull: 12 } as const

const DERIVED = '1.4.0 (package.json) is already taken, so a pre-release of the next patch'
const IS_OLDER = "the channel serves ccccccc (main, run 60.1), and this run's commit bbbbbbb is older"

/** 1.3.5 is rolled out, and everybody else has 1.3.0. */
const rolledOut = bundle({ id: 4, name: '1.3.5', checksum: OTHER_CHECKSUM, comment: line('production', 52) })
const rolling = (bps: number, change: Partial<ChannelRow> = {}) =>
  serving(older, { rollout_version: 4, rollout_enabled: true, rollout_percentage_bps: bps, ...change })
const running = { bundle: rolledOut, standing: AT_HEAD }
/** The same, with the content of the run in 1.4.0. */
const ownRolling = (change: Partial<ChannelRow> = {}) => rolling(1000, { rollout_version: 1, ...change })
const ownRunning = { bundle: bundle(), standing: AT_HEAD }

const request = (bps: number | null, onActive: RolloutRequest['onActive'] = 'fail') => ({ bps, onActive })

const camera = (version: string) => [{ name: '@capacitor/camera', version }]
const withCamera = (of: Partial<Bundle> = {}, change: Partial<ChannelRow> = {}) =>
  serving({ ...older, native_packages: camera('7.0.1'), ...of }, change)
const LACKS =
  'Installed apps on channel production (with 1.3.0) lack native code of this bundle: @capacitor/camera 7.0.1 -> 8.0.0 (8.0.0 is not in the range of 7.0.1).'
const LACKS_WARNING =
  'Installed apps on channel production (with 1.3.0) lack native code of this bundle: @capacitor/camera.'

/** What was asked of the page's reader: how the channel stands, and what this run is. */
const outcome: readonly PublishCase[] = [
  {
    name: 'a channel that is to be made',
    page: ['is not there', 'of any commit'],
    given: { channel: null, publicChannels: [] },
    result: uploads('1.4.0'),
    why: 'package.json',
    decisions: {
      'new channel': "production: created as the app's public channel, because there is none yet",
    },
  },
  {
    name: 'content that Capgo has not',
    page: ['serves an older commit', 'content that Capgo has not'],
    given: {},
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'content that is served',
    page: ['serves this very content', 'a newer commit that changes nothing in the web build'],
    given: { channel: serving(same) },
    result: UNCHANGED,
    why: 'the channel already serves this content',
  },
  {
    name: 'the same run again',
    page: ['serves this commit', 'the same run again, and the same bytes came out'],
    given: { channel: serving(bundle({ comment: line('production', 57, '', 'b') })) },
    result: UNCHANGED,
    why: 'the channel already serves this content',
  },
  {
    name: 'an old run again',
    page: ['serves a newer commit', 'an old run again; the branch has gone on'],
    given: {
      channel: serving(newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: true }),
    },
    result: STALE,
    why: IS_OLDER,
  },
  {
    name: 'a reset to this commit',
    page: ['serves a newer commit', 'the branch was reset to this commit'],
    given: { channel: serving(newer), standing: standing(newer, 'behind', { toHead: 'identical' }) },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'an old run by force',
    page: ['serves a newer commit', 'with `force: true`'],
    given: {
      channel: serving(newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: true }),
      force: true,
    },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'a served commit that was dropped',
    page: ['serves a commit that the branch dropped', 'the branch has gone on since'],
    given: {
      channel: serving(newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: false }),
    },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'a commit that was dropped',
    page: ['serves an older commit', 'the branch was reset, and this commit is not in it any more'],
    given: { standing: standing(older, 'ahead', { toHead: 'diverged' }) },
    result: STALE,
    why: "main was moved to ccccccc, whose history does not include this run's commit bbbbbbb",
  },
  {
    name: 'a commit behind the head',
    page: ['serves an older commit', 'behind the newest of the branch, which may never get a run'],
    given: { standing: standing(older, 'ahead', { toHead: 'behind' }) },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'a newer commit that was put there by hand',
    page: [
      'serves a newer commit, put there by hand',
      'an old run again; the bundle has a note for `beta` alone',
    ],
    given: {
      channel: serving(newerByHand),
      standing: standing(newerByHand, 'behind', { toHead: 'behind', isInHistory: true }),
    },
    result: STALE,
    why: IS_OLDER,
  },
  {
    name: 'an old run where GitHub cannot be asked',
    page: ['serves a newer commit', 'GitHub cannot be asked, and the history tells'],
    given: { channel: serving(newer), standing: standing(newer, 'behind') },
    result: STALE,
    why: IS_OLDER,
  },
  {
    name: 'an unrelated commit, which came before',
    page: ['serves an unrelated commit', 'GitHub cannot be asked; started after the run that published that'],
    given: { standing: standing(older, 'diverged') },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'an unrelated commit, which came after',
    page: [
      'serves an unrelated commit',
      'GitHub cannot be asked; started before the run that published that',
    ],
    given: { channel: serving(newer), standing: standing(newer, 'diverged') },
    result: STALE,
    why: 'the channel serves ccccccc (main, run 60.1), which was started after this run (the history was rewritten or the branches differ)',
  },
  {
    name: 'what somebody put there by hand',
    page: ['serves what somebody put there by hand', 'of any commit'],
    given: { channel: serving(bundle({ id: 9, name: '9.9.9', checksum: OTHER_CHECKSUM })) },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'content of another channel',
    page: ['serves an older commit', 'another channel has this content as `1.4.0`'],
    given: { bundles: [bundle({ id: 4 })] },
    result: promotes('1.4.0'),
    why: 'bundle 4 has the same content (SHA-256), so nothing is uploaded',
  },
  {
    name: 'a zip, and delta: only',
    page: ['serves this very content as a zip', 'with `delta: only`'],
    given: { channel: serving(same), delta: 'only' },
    result: uploads('1.4.1-production.57.1'),
    why: `${DERIVED}, and 1.4.0 has this content, but it has a zip, and the input "delta" is only`,
  },
  {
    name: 'another minimum native version',
    page: ['serves this very content, has the policy `version_number`', 'with another `min-update-version`'],
    given: {
      channel: serving(same, { disable_auto_update: 'version_number' }),
      minUpdateVersion: '1.0.0',
    },
    result: uploads('1.4.1-production.57.1'),
    why: `${DERIVED}, and 1.4.0 has this content, but its minimum native version is missing, and 1.0.0 is needed`,
  },
  {
    name: 'content of a preview',
    page: ['serves an older commit', 'a preview has this content as `1.4.1-pr.12.55.1`'],
    given: { bundles: [bundle({ id: 5, name: '1.4.1-pr.12.55.1' })] },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'content that was begun to upload',
    page: ['serves an older commit', 'a run before died while it uploaded this content'],
    given: { bundles: [bundle({ id: 6, storage_provider: 'r2-direct', r2_path: null })] },
    result: finishes('1.4.0'),
    why: 'an earlier run began to upload this content, and this run finishes it',
  },
  {
    name: 'a name that is taken',
    page: ['serves an older commit', 'other content has the name `1.4.0`'],
    given: { bundles: [bundle({ id: 4, checksum: OTHER_CHECKSUM })] },
    result: uploads('1.4.1-production.57.1'),
    why: DERIVED,
  },
  {
    name: 'the commit that was rolled back',
    page: ['was rolled back from this commit', 'the bad run again'],
    given: {
      channel: serving(rolledBack),
      standing: standing(rolledBack, 'ahead', { toHead: 'identical' }),
    },
    result: STALE,
    why: "run 58.1 rolled the channel back from 1.4.0, which was built from this run's commit bbbbbbb",
  },
  {
    name: 'content that was rolled back, of another commit',
    page: ['was rolled back from this content', 'a new commit with the same web build'],
    given: {
      bundles: [bundle({ id: 7, comment: line('production', 50, ' withdrawn 55.1/55') })],
    },
    result: promotes('1.4.0'),
    why: 'bundle 7 has the same content (SHA-256), so nothing is uploaded',
    warnings: [
      'Run 55.1 rolled back 1.4.0, which has the same content. It is published again, because bbbbbbb is another commit. Devices on which it failed never try it again.',
    ],
  },
  {
    name: 'a share of the devices',
    page: ['serves an older commit', '`rollout: 10`'],
    given: { rollout: request(1000) },
    result: `${uploads('1.4.0')} for 10% of the devices`,
    why: 'package.json',
    stage: { bps: 1000, rolloutBundleId: null, paused: false },
    decisions: { rollout: '10%: the others keep 1.3.0' },
  },
  {
    name: 'a rollout that is not finished',
    page: ['gives `1.3.5` to 25% of its devices', 'of a newer commit'],
    given: { channel: rolling(2500), rolloutBundle: running },
    result: fails('rollout_active'),
    why: 'Channel production is rolling out 1.3.5 to 25%.',
  },
  {
    name: 'a rollout that goes on with the new bundle',
    page: ['gives `1.3.5` to 25% of its devices', '`on-active-rollout: advance`'],
    given: { channel: rolling(2500), rolloutBundle: running, rollout: request(null, 'advance') },
    result: `${uploads('1.4.0')} for 25% of the devices`,
    why: 'package.json',
    stage: { bps: 2500, rolloutBundleId: 4, paused: false },
  },
  {
    name: 'native code that installed apps lack',
    page: ['serves a bundle that was built with `@capacitor/camera` 7', 'is built with 8'],
    given: { channel: withCamera(), nativePackages: camera('8.0.0') },
    result: fails('native_incompatible'),
    why: LACKS,
  },
]

const byNumber = (minimum: string | null) =>
  serving(bundle({ min_update_version: minimum }), { disable_auto_update: 'version_number' })
const withFiles = serving(bundle({ manifest_count: 3 }))
const filesAlone = serving(bundle({ manifest_count: 3, r2_path: null }))
const kept = { result: UNCHANGED, why: 'the channel already serves this content' }
/** Capgo freezes a bundle, so that this one takes a name of its own, and the plan says why. */
const againAs = (reason: string) => ({
  result: uploads('1.4.1-production.57.1'),
  why: `${DERIVED}, and 1.4.0 has this content, but ${reason}`,
})
const MINIMUM_IGNORED =
  'Input "min-update-version" has no effect here: the policy of channel production is "major", and only "version_number" compares it.'

const served: readonly PublishCase[] = [
  { name: 'as it is', given: { channel: serving(bundle()) }, ...kept },
  {
    name: 'version_number, no minimum on the bundle',
    given: { channel: byNumber(null) },
    ...againAs('its minimum native version is missing, and 1.0.0 is needed'),
    minimum: '1.0.0',
  },
  { name: 'version_number, a minimum on the bundle', given: { channel: byNumber('1.0.0') }, ...kept },
  {
    name: 'another minimum is asked for',
    given: { channel: byNumber('1.0.0'), minUpdateVersion: '0.9.0' },
    ...againAs('its minimum native version is 1.0.0, and 0.9.0 is needed'),
    minimum: '0.9.0',
  },
  {
    name: 'the same minimum is asked for',
    given: { channel: byNumber('1.0.0'), minUpdateVersion: '1.0.0' },
    ...kept,
  },
  {
    name: 'a minimum that the policy does not look at',
    given: { channel: serving(bundle()), minUpdateVersion: '1.0.0' },
    ...kept,
    warnings: [MINIMUM_IGNORED],
  },
  {
    name: 'delta: only, and it has a zip',
    given: { delta: 'only', channel: withFiles },
    ...againAs('it has a zip, and the input "delta" is only'),
  },
  {
    name: 'delta: only, and it has delta files alone',
    given: { delta: 'only', channel: filesAlone },
    ...kept,
  },
  {
    name: 'delta: true, and it has a zip alone',
    given: { delta: 'true', channel: serving(bundle()) },
    ...againAs('it has no delta files, and the input "delta" is true'),
  },
  { name: 'delta: true, and it has both', given: { delta: 'true', channel: withFiles }, ...kept },
  {
    name: 'delta: true, and it has no zip',
    given: { delta: 'true', channel: filesAlone },
    ...againAs('it has no zip, and the input "delta" is true'),
  },
  {
    name: 'delta: false, and it has delta files',
    given: { delta: 'false', channel: withFiles },
    ...againAs('it has delta files, and the input "delta" is false'),
  },
  {
    name: 'delta: false, and it has a zip alone',
    given: { delta: 'false', channel: serving(bundle()) },
    ...kept,
  },
  {
    name: 'delta: auto, and it has no zip',
    given: { channel: filesAlone },
    ...againAs('it has no zip, and the input "delta" is auto'),
  },
  { name: 'delta: auto, and it has both', given: { channel: withFiles }, ...kept },
  {
    name: 'and a zip that Capgo has not, but at an address of its own',
    given: {
      delta: 'true',
      channel: serving(
        bundle({ manifest_count: 3, r2_path: null, external_url: 'https://example.com/a.zip' }),
      ),
    },
    ...kept,
  },
  {
    name: 'under another name than the one that is insisted on',
    given: {
      channel: serving(bundle()),
      wanted: { version: '1.4.2', source: 'input "version"', forced: true },
    },
    result: uploads('1.4.2'),
    why: 'input "version"',
  },
  {
    name: 'that is not finished',
    given: { channel: serving(bundle({ storage_provider: 'r2-direct', r2_path: null })) },
    result: finishes('1.4.0'),
    why: /this run finishes it$/,
  },
]

const begun = bundle({ storage_provider: 'r2-direct', r2_path: null, manifest_count: 2 })
const reused = { result: promotes('1.4.0'), why: /^bundle 1 has the same content/ }
const of = (id: number) => bundle({ id, name: `1.${id}.0`, manifest_count: 1 })

const elsewhere: readonly PublishCase[] = [
  { name: 'as it is', given: { channel: NOTHING, bundles: [bundle()] }, ...reused },
  {
    name: 'in another form than is asked for',
    given: { channel: NOTHING, bundles: [bundle()], delta: 'only' },
    ...againAs('it has a zip, and the input "delta" is only'),
  },
  {
    name: 'without the minimum that the channel needs',
    given: {
      channel: serving(null, { disable_auto_update: 'version_number' }),
      bundles: [bundle()],
    },
    ...againAs('its minimum native version is missing, and 1.0.0 is needed'),
    minimum: '1.0.0',
  },
  {
    name: 'begun, with delta files',
    given: { channel: NOTHING, bundles: [begun], delta: 'only' },
    result: finishes('1.4.0'),
    why: /this run finishes it$/,
  },
  {
    name: 'begun, with delta files that are not asked for',
    given: { channel: NOTHING, bundles: [begun], delta: 'false' },
    ...againAs('it has delta files, and the input "delta" is false'),
  },
  {
    name: 'begun and finished: the finished one is taken',
    given: { channel: NOTHING, bundles: [{ ...begun, id: 5 }, bundle()] },
    ...reused,
  },
  {
    name: 'deleted: Capgo never frees the name',
    given: { channel: NOTHING, bundles: [bundle({ deleted: true })] },
    result: uploads('1.4.1-production.57.1'),
    why: DERIVED,
  },
  {
    name: 'under the name of another channel',
    given: { channel: NOTHING, bundles: [bundle({ name: '1.4.1-beta.1.1' })] },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'under a name that was derived for this channel',
    given: { channel: NOTHING, bundles: [bundle({ name: '1.4.1-production.12.1' })] },
    result: promotes('1.4.1-production.12.1'),
    why: /^bundle 1 has the same content/,
  },
  {
    name: 'under the name of another pull request',
    given: { purpose: PREVIEW, channelName: 'pr-12', bundles: [bundle({ name: '1.4.1-pr.1.3.1' })] },
    result: uploads('1.4.1-pr.12.57.1'),
    why: /^a pre-release after 1\.4\.0 \(package\.json\)/,
    warnings: [],
  },
  {
    name: 'twice in another form: told once',
    given: { channel: NOTHING, bundles: [of(2), of(3)], delta: 'false' },
    result: uploads('1.4.0'),
    why: 'package.json, and 1.2.0 has this content, but it has delta files, and the input "delta" is false',
  },
  {
    name: 'deleted, in another form: not told',
    given: { channel: NOTHING, bundles: [{ ...of(2), deleted: true }], delta: 'false' },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'no, other content, in another form: not told',
    given: { channel: NOTHING, bundles: [{ ...of(9), checksum: OTHER_CHECKSUM }], delta: 'false' },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'under a name that devices would refuse',
    given: {
      channel: NOTHING,
      bundles: [bundle({ name: '2.0.0' })],
      wanted: { version: '2.0.0', source: 'x', forced: false },
    },
    result: uploads('1.0.1-production.57.1'),
    why: /^2\.0\.0 \(x\) is not delivered: the channel's policy "major" blocks/,
  },
  {
    name: 'under a name that devices take',
    given: {
      channel: NOTHING,
      bundles: [bundle({ name: '2.0.0' })],
      wanted: { version: '2.0.0', source: 'x', forced: false },
      nativeVersions: [native('2.1')],
    },
    result: promotes('2.0.0'),
    why: /^bundle 1 has the same content/,
  },
]

const MOVED: Standing = { head: { kind: 'at', sha: NEWER }, toHead: 'ahead', notes: [] }
const WAS_MOVED = /^main was moved to ccccccc/

const stale: readonly PublishCase[] = [
  {
    name: 'by what is served; native code is not told of',
    given: { channel: withCamera(), standing: MOVED, nativePackages: camera('8.0.0') },
    result: STALE,
    why: WAS_MOVED,
  },
  {
    name: 'by what is rolled out',
    given: { channel: rolling(1000), rolloutBundle: { bundle: rolledOut, standing: MOVED } },
    result: STALE,
    why: WAS_MOVED,
  },
  {
    name: 'not by force',
    given: { standing: MOVED, force: true },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'not where it was checked out on purpose',
    given: { standing: MOVED, isChosen: true, commitWhy: 'it is what is checked out' },
    result: uploads('1.4.0'),
    why: 'package.json',
    decisions: { commit: 'bbbbbbb: it is what is checked out' },
  },
  {
    name: 'not where nothing is served',
    given: { channel: NOTHING, standing: MOVED },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
]

const off = (letter: string, more = ' withdrawn 58.1/58') =>
  bundle({ comment: line('production', 53, more, letter) })
const now = { ...older, comment: line('production', 58) }

const brought: readonly PublishCase[] = [
  {
    name: 'by the same commit: not again',
    given: { channel: serving(now), bundles: [off('b')] },
    result: STALE,
    why: '1.4.0 of this commit was rolled back by run 58.1 ("force: true" brings it back)',
  },
  {
    name: 'by the same commit, where others put something there since: not again',
    given: { channel: serving({ ...now, comment: null }), bundles: [off('b')] },
    result: STALE,
    why: /^1\.4\.0 of this commit was rolled back/,
  },
  {
    name: 'by force',
    given: { channel: serving(now), bundles: [off('b')], force: true },
    ...reused,
  },
  {
    name: 'by the same commit, once another run published something',
    given: { channel: serving(now), bundles: [off('b', ' withdrawn 57.1/57')] },
    ...reused,
    warnings: [/^Run 57\.1 rolled back 1\.4\.0/],
  },
  {
    name: 'by another commit: with a warning',
    given: { channel: serving(now), bundles: [off('a')] },
    ...reused,
    warnings: [/^Run 58\.1 rolled back 1\.4\.0.*because bbbbbbb is another commit/],
  },
  {
    name: 'on another channel: no matter',
    given: {
      channel: serving(now),
      bundles: [bundle({ comment: line('beta', 53, ' withdrawn 58.1/58') })],
    },
    ...reused,
  },
  {
    name: 'other content: no matter',
    given: { channel: serving(now), bundles: [{ ...off('a'), checksum: OTHER_CHECKSUM }] },
    result: uploads('1.4.1-production.57.1'),
    why: DERIVED,
  },
  {
    name: 'on a channel that serves nothing: no matter',
    given: { channel: NOTHING, bundles: [off('a')] },
    ...reused,
  },
]

const rollout: readonly PublishCase[] = [
  {
    name: '100% begins none',
    given: { rollout: request(ALL) },
    result: uploads('1.4.0'),
    why: 'package.json',
    stage: { bps: null, rolloutBundleId: null },
    decisions: { rollout: 'everybody: 100% are all devices, so no rollout begins' },
  },
  {
    name: '99% does',
    given: { rollout: request(9900) },
    result: `${uploads('1.4.0')} for 99% of the devices`,
    why: 'package.json',
    stage: { bps: 9900, rolloutBundleId: null },
  },
  {
    name: '100% ends the one that it replaces',
    given: { channel: rolling(1000), rolloutBundle: running, rollout: request(ALL, 'replace') },
    result: uploads('1.4.0'),
    why: 'package.json',
    stage: { bps: null, rolloutBundleId: 4 },
    decisions: {
      rollout:
        'everybody: channel production was rolling out 1.3.5 to 10%, which ends (on-active-rollout: replace)',
    },
  },
  {
    name: 'a share replaces another',
    given: { channel: rolling(1000), rolloutBundle: running, rollout: request(500, 'replace') },
    result: `${uploads('1.4.0')} for 5% of the devices`,
    why: 'package.json',
    stage: { bps: 500, rolloutBundleId: 4, paused: false },
  },
  {
    name: 'that goes on keeps the percentage that was reached',
    given: { channel: rolling(5000), rolloutBundle: running, rollout: request(1000, 'advance') },
    result: `${uploads('1.4.0')} for 50% of the devices`,
    why: 'package.json',
    stage: { bps: 5000, rolloutBundleId: 4, paused: false },
    decisions: {
      rollout:
        '50%: channel production was rolling out 1.3.5 to 50%, which continues with this bundle (on-active-rollout: advance)',
    },
  },
  {
    name: 'that was cancelled, and the run that began it again',
    given: { bundles: [off('b', ' withdrawn 58.1/58')], rollout: request(2500) },
    result: STALE,
    why: /^1\.4\.0 of this commit was rolled back by run 58\.1/,
  },
  {
    name: 'one that has reached everybody ends when it goes on',
    given: { channel: rolling(ALL), rolloutBundle: running, rollout: request(null, 'advance') },
    result: uploads('1.4.0'),
    why: 'package.json',
    stage: { bps: null, rolloutBundleId: 4 },
  },
  {
    name: 'one that somebody holds does not',
    given: {
      channel: rolling(ALL, { rollout_paused_at: 'x' }),
      rolloutBundle: running,
      rollout: request(null, 'advance'),
    },
    result: `${uploads('1.4.0')} for 100% of the devices, paused`,
    why: 'package.json',
    stage: { bps: ALL, rolloutBundleId: 4, paused: true },
  },
  {
    name: 'of the first bundle of a channel is for everybody',
    given: { channel: NOTHING, rollout: request(1000) },
    result: uploads('1.4.0'),
    why: 'package.json',
    stage: { bps: null },
    warnings: ['All devices get this bundle instead of 10%, because the channel serves nothing yet.'],
  },
  {
    name: 'of which nobody told the name',
    given: { channel: rolling(1000), rollout: request(1000) },
    result: fails('rollout_active'),
    why: 'Channel production is rolling out bundle 4 to 10%.',
  },
  {
    name: 'of this very content, for a share: unchanged',
    given: { channel: ownRolling(), rolloutBundle: ownRunning, rollout: request(1000) },
    result: UNCHANGED,
    why: 'the channel already gives this content to 10% of its devices ("operation: rollout" changes that)',
  },
  {
    name: 'of this very content, to go on: unchanged',
    given: { channel: ownRolling(), rolloutBundle: ownRunning, rollout: request(null, 'advance') },
    result: UNCHANGED,
    why: /to 10% of its devices \(/,
  },
  {
    name: 'of this very content, paused: unchanged',
    given: {
      channel: ownRolling({ rollout_paused_at: 'x' }),
      rolloutBundle: ownRunning,
      rollout: request(1000),
    },
    result: UNCHANGED,
    why: /to 10% of its devices, paused \(/,
  },
  {
    name: 'of this very content, for everybody now',
    given: {
      channel: ownRolling(),
      rolloutBundle: ownRunning,
      bundles: [bundle()],
      rollout: request(null, 'replace'),
    },
    ...reused,
    stage: { bps: null, rolloutBundleId: 1 },
    decisions: { rollout: /^everybody: .*was rolling out 1\.4\.0 to 10%/ },
  },
  {
    name: 'of this very content, and nothing is said',
    given: { channel: ownRolling(), rolloutBundle: ownRunning },
    result: fails('rollout_active'),
    why: 'Channel production is rolling out 1.4.0 to 10%.',
  },
  {
    name: 'of this very content, which has reached everybody',
    given: {
      channel: ownRolling({ rollout_percentage_bps: ALL }),
      rolloutBundle: ownRunning,
      bundles: [bundle()],
      rollout: request(null, 'advance'),
    },
    ...reused,
    stage: { bps: null, rolloutBundleId: 1 },
  },
  {
    name: 'of another, where everybody else has this content: not unchanged',
    given: {
      channel: ownRolling({ version: bundle(), rollout_version: 3 }),
      bundles: [bundle()],
      rollout: request(null, 'replace'),
    },
    ...reused,
    stage: { bps: null, rolloutBundleId: 3 },
  },
]

const asked: Partial<BuiltFacts> = { channel: withCamera(), nativePackages: camera('8.0.0') }
const MINIMUM: Partial<BuiltFacts> = { minUpdateVersion: '2.0.0', nativeVersions: [native('9.0')] }
const shielded = (
  has: string | null,
  policy: Partial<ChannelRow> = { disable_auto_update: 'version_number' },
) => ({
  ...asked,
  ...MINIMUM,
  channel: withCamera({ min_update_version: has }, policy),
})
const NOT_COMPARED = 'but the native packages were not compared'
const uncompared = (base: BuiltFacts['base']) => ({
  base,
  nativePackages: camera('8.0.0'),
  purpose: PREVIEW,
})
const UNCOMPARED_BASES: readonly (readonly [string, BuiltFacts['base']])[] = [
  ['no channel is known whose apps would get this bundle', null],
  ['channel production serves nothing yet', NOTHING],
  ['the native packages of 1.3.0 are not known', serving(older)],
]
const ofPreview = {
  result: uploads('1.4.1-pr.12.57.1'),
  why: /^a pre-release after 1\.4\.0 \(package\.json\)/,
}
const changed = ['@capacitor/camera']

const nativeCode: readonly PublishCase[] = [
  {
    name: 'that is missing, on a preview: a warning',
    given: { ...asked, purpose: PREVIEW },
    ...ofPreview,
    warnings: [LACKS_WARNING],
    changed,
  },
  {
    name: 'that is missing, on a preview with on-incompatible: fail',
    given: { ...asked, purpose: PREVIEW, onIncompatible: 'fail' },
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'that is missing, with on-incompatible: warn',
    given: { ...asked, onIncompatible: 'warn' },
    result: uploads('1.4.0'),
    why: 'package.json',
    warnings: [LACKS_WARNING],
    changed,
  },
  {
    name: 'of which some is missing and some is gone: the warning names what is missing',
    given: {
      channel: withCamera({ native_packages: [...camera('7.0.1'), { name: 'share', version: '1.0.0' }] }),
      nativePackages: camera('8.0.0'),
      onIncompatible: 'warn',
    },
    result: uploads('1.4.0'),
    why: 'package.json',
    warnings: [LACKS_WARNING],
    changed: ['@capacitor/camera', 'share'],
  },
  {
    name: 'that is missing, with on-incompatible: ignore',
    given: { ...asked, onIncompatible: 'ignore' },
    result: uploads('1.4.0'),
    why: 'package.json',
    changed,
  },
  {
    name: 'that fits',
    given: { ...asked, nativePackages: camera('7.0.1') },
    result: uploads('1.4.0'),
    why: 'package.json',
  },
  {
    name: 'that is missing, of content that is served already',
    given: { ...asked, channel: serving({ ...bundle(), native_packages: camera('7.0.1') }) },
    ...kept,
    changed,
  },
  {
    name: "that is missing, of content that the preview's own channel serves: the apps are those of the base",
    given: {
      nativePackages: camera('8.0.0'),
      purpose: PREVIEW,
      channelName: 'pr-12',
      channel: serving(bundle({ name: '1.4.1-pr.12.55.1' }), {
        name: 'pr-12',
        public: false,
        allow_device_self_set: true,
      }),
      base: withCamera(),
    },
    ...kept,
    warnings: [LACKS_WARNING],
    changed,
  },
  {
    name: 'that a raised minimum keeps from older apps',
    given: shielded('1.0.0'),
    result: uploads('1.4.0'),
    why: 'package.json',
    changed,
  },
  {
    name: 'that the first minimum keeps from older apps',
    given: shielded(null),
    result: uploads('1.4.0'),
    why: 'package.json',
    changed,
  },
  {
    name: 'that a minimum that is not raised keeps from nobody',
    given: shielded('2.0.0'),
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'that a minimum under another policy keeps from nobody',
    given: shielded('1.0.0', {}),
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'that a raised native version keeps from older apps, on a channel that delivers by it',
    given: {
      ...asked,
      channel: withCamera({ min_update_version: '1.0.0' }, { disable_auto_update: 'version_number' }),
      nativeVersions: [native('1.1.0')],
    },
    result: uploads('1.4.0'),
    why: 'package.json',
    minimum: '1.1.0',
    changed,
  },
  {
    name: 'that fits, on a channel that delivers by native version: the minimum stays',
    given: {
      channel: withCamera({ min_update_version: '1.0.0' }, { disable_auto_update: 'version_number' }),
      nativePackages: camera('7.0.1'),
      nativeVersions: [native('1.1.0')],
    },
    result: uploads('1.4.0'),
    why: 'package.json',
    minimum: '1.0.0',
  },
  {
    name: 'that is missing, on a channel that delivers by a native version that is the same',
    given: {
      ...asked,
      channel: withCamera({ min_update_version: '1.0.0' }, { disable_auto_update: 'version_number' }),
      nativeVersions: [native('1.0.0')],
    },
    result: fails('native_incompatible'),
    why: LACKS,
  },
  {
    name: 'that nobody knows, on a channel that delivers by native version',
    given: { channel: withCamera({}, { disable_auto_update: 'version_number' }), nativeVersions: [] },
    result: fails('minimum_native_unknown'),
    why: 'Channel production delivers by minimum native version (policy "version_number"), but no native version is known.',
  },
  {
    name: 'of nothing, compared with nothing: not told',
    given: { base: null, onIncompatible: 'fail' },
    result: uploads('1.4.0'),
    why: 'package.json',
    decisions: { 'native packages': null },
  },
  ...UNCOMPARED_BASES.flatMap(([why, base]): PublishCase[] => [
    {
      name: `that was not compared, since ${why}: a line of the plan`,
      given: uncompared(base),
      ...ofPreview,
      decisions: { 'native packages': `not compared: ${why}` },
    },
    {
      name: `that was not compared, with on-incompatible: fail, since ${why}: a warning`,
      given: { ...uncompared(base), onIncompatible: 'fail' },
      ...ofPreview,
      warnings: [`Input "on-incompatible" is fail, ${NOT_COMPARED}: ${why}.`],
      decisions: { 'native packages': null },
    },
    {
      name: `that was not compared, with on-incompatible: ignore, since ${why}: nothing`,
      given: { ...uncompared(base), onIncompatible: 'ignore' },
      ...ofPreview,
      decisions: { 'native packages': null },
    },
  ]),
]

const third = { version: '3.0.0', source: 'x', forced: false }

const said: readonly PublishCase[] = [
  {
    name: 'a minimum on the channel of a preview, which gets its policy from this action: a line of the plan',
    given: { minUpdateVersion: '1.0.0', channel: null, purpose: PREVIEW },
    ...ofPreview,
    decisions: {
      'minimum native':
        '1.0.0: the policy of channel production is "none", and only "version_number" compares it',
    },
  },
  {
    name: 'a minimum that the policy compares: nothing',
    given: { channel: byNumber('1.0.0'), minUpdateVersion: '1.0.0' },
    ...kept,
    decisions: { 'minimum native': null },
  },
  {
    name: 'a channel that reaches nobody',
    given: { channel: serving(older, { ios: false, android: false }) },
    result: uploads('1.4.0'),
    why: 'package.json (not checked: native version unknown)',
    warnings: ['Channel production is off for iOS and Android, so no device gets its bundle.'],
  },
  {
    name: 'devices that are known: no warning',
    given: { channel: serving(bundle({ name: '2.0.0' })), nativeVersions: [native('2.1')] },
    ...kept,
  },
  {
    name: 'devices of a new project, where none are known: a warning',
    given: { channel: serving(bundle({ name: '2.0.0' })), nativeVersions: [] },
    ...kept,
    warnings: [/^Devices on native 1\.0 \(assumed, as in a new native project.*do not accept 2\.0\.0/],
  },
  {
    name: 'devices of a new project, which take it: no warning',
    given: { nativeVersions: [] },
    result: uploads('1.4.0'),
    why: 'package.json (not checked: native version unknown)',
  },
  {
    name: 'a native version that was not understood: no guess',
    given: {
      channel: serving(bundle({ name: '2.0.0' })),
      nativeVersions: [],
      unreadVersions: [{ platform: 'android', source: 'build.gradle:12', says: 'has "versionName v"' }],
    },
    ...kept,
    decisions: { 'native version': 'not known (android): build.gradle:12 has "versionName v"' },
  },
  {
    name: 'a new channel of a preview: no rule on versions',
    given: { channel: null, purpose: PREVIEW, wanted: third },
    result: uploads('3.0.1-pr.12.57.1'),
    why: /^a pre-release after 3\.0\.0 \(x\)$/,
  },
  {
    name: 'a new channel of a branch: the rules that Capgo gives it',
    given: { channel: null, wanted: third },
    result: uploads('1.0.1-production.57.1'),
    why: /^3\.0\.0 \(x\) is not delivered: the channel's policy "major" blocks/,
  },
]

/** By what they are about; only the first is on the page. */
export const PUBLISH: Readonly<Record<string, readonly PublishCase[]>> = {
  'a publish': outcome,
  'content that the channel serves already': served,
  'content that Capgo has elsewhere': elsewhere,
  'a stale run': stale,
  'content that was rolled back': brought,
  'a rollout': rollout,
  'native code': nativeCode,
  'what is said of': said,
}
