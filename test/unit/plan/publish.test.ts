import { describe, expect, it } from 'vitest'
import { channelWarnings } from '../../../src/plan/channel.ts'
import { checkBeforeBuild, planPublish } from '../../../src/plan/publish.ts'
import type { BuiltFacts } from '../../../src/plan/publish-facts.ts'
import { ALL, rolloutChanged } from '../../../src/plan/rollout.ts'
import { planRolloutChange } from '../../../src/plan/rollout-change.ts'
import type { Standing } from '../../../src/plan/staleness.ts'
import { channelChangeResult } from '../../../src/report/channel-results.ts'
import { AT_HEAD, commit, facts } from './facts.ts'
import { bundle, CHECKSUM, channel, line, native, refusalOf } from './rows.ts'

const byNumber = (minimum: string | null) =>
  channel({ disable_auto_update: 'version_number', version: bundle({ min_update_version: minimum }) })
const withFiles = channel({ version: bundle({ manifest_count: 3 }) })
const filesAlone = channel({ version: bundle({ manifest_count: 3, r2_path: null }) })

describe('content that the channel serves already', () => {
  const cases: [string, Partial<BuiltFacts>, 'keep' | 'upload'][] = [
    ['as it is', {}, 'keep'],
    ['version_number, no minimum on the bundle', { channel: byNumber(null) }, 'upload'],
    ['version_number, a minimum on the bundle', { channel: byNumber('1.0.0') }, 'keep'],
    ['another minimum is asked for', { channel: byNumber('1.0.0'), minUpdateVersion: '0.9.0' }, 'upload'],
    ['the same minimum is asked for', { channel: byNumber('1.0.0'), minUpdateVersion: '1.0.0' }, 'keep'],
    ['a minimum that the policy does not look at', { minUpdateVersion: '1.0.0' }, 'keep'],
    ['delta: only, and it has a zip', { delta: 'only', channel: withFiles }, 'upload'],
    ['delta: only, and it has delta files alone', { delta: 'only', channel: filesAlone }, 'keep'],
    ['delta: true, and it has a zip alone', { delta: 'true' }, 'upload'],
    ['delta: true, and it has both', { delta: 'true', channel: withFiles }, 'keep'],
    ['delta: true, and it has no zip', { delta: 'true', channel: filesAlone }, 'upload'],
    ['delta: false, and it has delta files', { delta: 'false', channel: withFiles }, 'upload'],
    ['delta: false, and it has a zip alone', { delta: 'false' }, 'keep'],
    ['delta: auto, and it has no zip', { channel: filesAlone }, 'upload'],
    ['delta: auto, and it has both', { channel: withFiles }, 'keep'],
  ]
  it.each(cases)('%s', (_what, change, expected) => {
    const { action, decisions } = planPublish(facts(change))
    expect(action.do).toBe(expected)
    if (action.do !== 'upload') return
    // Capgo freezes a bundle, so that this one takes a name of its own, and the plan says why.
    expect(action.names).not.toContain('1.4.0')
    expect(decisions.find(({ what }) => what === 'bundle')?.why).toMatch(/1\.4\.0 has this content, but it/)
  })

  it('is not reused from another channel either in a form that was not asked for', () => {
    const other = { channel: channel({ version: null }), bundles: [bundle()] }
    expect(planPublish(facts(other)).action.do).toBe('promote')
    expect(planPublish(facts({ ...other, delta: 'only' })).action.do).toBe('upload')
    const empty = { ...byNumber(null), version: null }
    expect(planPublish(facts({ channel: empty, bundles: [bundle()] })).action).toMatchObject({
      do: 'upload',
      minUpdateVersion: '1.0.0',
    })
    const begun = bundle({ storage_provider: 'r2-direct', r2_path: null, manifest_count: 2 })
    expect(planPublish(facts({ ...other, bundles: [begun], delta: 'only' })).action.do).toBe('resume')
    expect(planPublish(facts({ ...other, bundles: [begun], delta: 'false' })).action.do).toBe('upload')
  })
})

describe('what has no effect is said', () => {
  it('min-update-version under another policy', () => {
    expect(planPublish(facts({ minUpdateVersion: '1.0.0' })).warnings).toEqual([
      'Input "min-update-version" has no effect here: the policy of channel production is "major", and only "version_number" compares it.',
    ])
    expect(planPublish(facts({ channel: byNumber('1.0.0'), minUpdateVersion: '1.0.0' })).warnings).toEqual([])
    // A preview's channel gets its policy from this action.
    const preview = planPublish(
      facts({ minUpdateVersion: '1.0.0', channel: null, purpose: { kind: 'preview', pull: 1 } }),
    )
    expect(preview.warnings).toEqual([])
    expect(preview.decisions.map(({ what }) => what)).toContain('minimum native')
  })

  it('rollout of the first bundle of a channel', () => {
    const plan = planPublish(
      facts({ channel: channel({ version: null }), rollout: { bps: 1000, onActive: 'fail' } }),
    )
    expect(plan.stage.bps).toBeNull()
    expect(plan.warnings.join()).toContain('Everybody gets this bundle, and not 10% of the devices')
  })

  it.each([
    ['no channel is known', { base: null }],
    ['serves nothing yet', { base: channel({ version: null }) }],
    ['does not say what its native packages are', { base: channel() }],
  ])('on-incompatible, and %s', (why, change) => {
    const nativePackages = [{ name: '@capacitor/camera', version: '8.0.0' }]
    const asked = {
      checksum: 'd'.repeat(64),
      nativePackages,
      purpose: { kind: 'preview', pull: 1 },
      ...change,
    } as const
    expect(planPublish(facts({ ...asked, onIncompatible: 'fail' })).warnings.join()).toContain(why)
    expect(planPublish(facts(asked)).decisions).toContainEqual(
      expect.objectContaining({ what: 'native packages', value: 'not compared' }),
    )
    expect(planPublish(facts({ ...asked, onIncompatible: 'ignore' })).warnings.join()).not.toContain(why)
  })
})

describe('rollout', () => {
  const rolling = (bps: number, paused = false) =>
    channel({
      version: bundle({ id: 2, name: '1.3.0', checksum: 'e'.repeat(64) }),
      rollout_version: 1,
      rollout_enabled: true,
      rollout_percentage_bps: bps,
      rollout_paused_at: paused ? '2026-11-26T00:00:00Z' : null,
    })
  const running = { bundle: bundle(), standing: AT_HEAD }
  const other = { checksum: 'd'.repeat(64), bundles: [] }

  it.each([
    ['100% begins none', { ...other, rollout: { bps: ALL, onActive: 'fail' } }, { bps: null, running: null }],
    ['99% does', { ...other, rollout: { bps: 9900, onActive: 'fail' } }, { bps: 9900, running: null }],
    [
      '100% ends the one that it replaces',
      { ...other, channel: rolling(1000), running, rollout: { bps: ALL, onActive: 'replace' } },
      { bps: null, running: 1 },
    ],
    [
      'one that has reached everybody ends when it goes on',
      { ...other, channel: rolling(ALL), running, rollout: { bps: null, onActive: 'advance' } },
      { bps: null, running: 1 },
    ],
    [
      'one that somebody holds does not',
      { ...other, channel: rolling(ALL, true), running, rollout: { bps: null, onActive: 'advance' } },
      { bps: ALL, running: 1, paused: true },
    ],
  ] as const)('%s', (_what, change, stage) => {
    expect(planPublish(facts(change as Partial<BuiltFacts>)).stage).toMatchObject(stage)
  })

  const changed = (kind: 'pause' | 'resume' | 'finish' | 'cancel' | number, paused = false) =>
    planRolloutChange({
      appId: 'com.example.app',
      channel: rolling(1000, paused),
      running: bundle(),
      change: typeof kind === 'number' ? { kind: 'share', bps: kind } : { kind },
      run: commit,
    })

  it.each([
    ['pause', false, { bps: 1000, paused: true, bundle: '1.4.0' }, '1.4.0'],
    ['resume', true, { bps: 1000, paused: false, bundle: '1.4.0' }, '1.4.0'],
    [2500, true, { bps: 2500, paused: false, bundle: '1.4.0' }, '1.4.0'],
    ['finish', false, null, '1.4.0'],
    [ALL, false, null, '1.4.0'],
    ['cancel', false, null, '1.3.0'],
  ] as const)('a dry run of %s says what would be', (kind, paused, rollout, name) => {
    const plan = changed(kind, paused)
    const run = {
      consoleUrl: null,
      repositoryUrl: '',
      size: 5,
      sha256: null,
      warnings: [],
      work: null,
      total: 0,
    }
    const result = channelChangeResult({ plan, ...run }, null)
    expect(result.outcome).toBe('planned')
    expect(result.bundle).toMatchObject({ name, size: 5 })
    if (rollout === null) expect(result.rollout).toBeNull()
    else expect(result.rollout).toMatchObject(rollout)
  })
})

const STALE: Standing = { head: { kind: 'at', sha: 'e'.repeat(40) }, toHead: 'ahead', notes: [] }
const OTHER = 'd'.repeat(64)
const preview = { kind: 'preview', pull: 1 } as const
const why = (plan: ReturnType<typeof planPublish>, what: string) =>
  plan.decisions.filter(each => each.what === what).map(({ value, why }) => `${value}: ${why}`)

describe('a plan says what it does', () => {
  it('on a channel that serves something', () => {
    const plan = planPublish(
      facts({ checksum: OTHER, wanted: { version: '1.5.0', source: 'x', forced: false } }),
    )
    expect(plan).toMatchObject({
      appId: 'com.example.app',
      channelName: 'production',
      channelId: 7,
      create: null,
      link: 'https://example.com',
      stage: { bps: null, running: null, paused: false },
      warnings: [],
    })
    expect(plan.comment).toBe(`production: main@${'a'.repeat(40)} run 57.1 (id 9) after 1.4.0`)
    expect(plan.decisions).toEqual([
      { what: 'channel', value: 'production', why: 'channels' },
      { what: 'native version', value: '1.0 (android)', why: 'android/app/build.gradle:12' },
      { what: 'bundle', value: '1.5.0', why: 'x' },
    ])
  })

  it('on one that is to be made', () => {
    const plan = planPublish(
      facts({ channel: null, publicChannels: [], commitWhy: 'checked out', natives: [native('1.0', 'any')] }),
    )
    expect(plan).toMatchObject({ channelId: null, create: { public: true } })
    expect(plan.comment).not.toContain('after')
    expect(why(plan, 'new channel')).toHaveLength(1)
    expect(why(plan, 'commit')).toEqual(['aaaaaaa: checked out'])
    expect(why(plan, 'native version')).toEqual(['1.0: the store'])
  })

  it('on one that others made, for a preview', () => {
    const note = (change: Partial<BuiltFacts>) =>
      planPublish(facts({ checksum: OTHER, purpose: preview, ...change })).comment
    expect(note({})).toContain(' took 1.4.0')
    expect(note({ channel: null })).not.toContain('took')
    expect(note({ purpose: { kind: 'branch', isDefaultBranch: true } })).not.toContain('took')
  })

  it('what is served is so since its note says', () => {
    const at = '2026-11-26T10:00:00Z'
    const served = bundle({ comment: line('production', 5, ' at 2026-01-01T00:00:00Z') })
    const keep = planPublish(facts({ channel: channel({ version: served }), commit: { ...commit, at } }))
    expect(keep.comment).toContain('at 2026-01-01T00:00:00Z')
    expect(keep.comment).not.toContain('after')
    const moved = planPublish(
      facts({ channel: channel({ version: null }), bundles: [served], commit: { ...commit, at } }),
    )
    expect(moved.comment).toContain(`at ${at}`)
  })

  it('what is reused, resumed or unchanged', () => {
    expect(why(planPublish(facts()), 'bundle')).toEqual(['1.4.0: the channel already serves this content'])
    const empty = channel({ version: null })
    expect(why(planPublish(facts({ channel: empty, bundles: [bundle()] })), 'bundle').join()).toContain(
      'bundle 1 has',
    )
    const begun = bundle({ storage_provider: 'r2-direct', r2_path: null })
    expect(why(planPublish(facts({ channel: empty, bundles: [begun] })), 'bundle').join()).toContain(
      'it is finished now',
    )
    for (const not of [
      bundle({ deleted: true }),
      bundle({ checksum: OTHER }),
      bundle({ name: '1.4.1-beta.1.1' }),
    ])
      expect(planPublish(facts({ channel: empty, bundles: [not] })).action.do).toBe('upload')
  })

  it('why content is not reused, once', () => {
    const of = (id: number) => bundle({ id, name: `1.${id}.0`, manifest_count: 1 })
    const plan = planPublish(
      facts({ channel: channel({ version: null }), bundles: [of(2), of(3)], delta: 'false' }),
    )
    expect(
      why(plan, 'bundle')
        .join()
        .match(/has this content, but/g),
    ).toHaveLength(1)
    const deleted = planPublish(
      facts({ channel: channel({ version: null }), bundles: [{ ...of(2), deleted: true }], delta: 'false' }),
    )
    expect(why(deleted, 'bundle').join()).not.toContain('has this content')
  })
})

describe('a stale run', () => {
  const rolling = channel({
    version: bundle({ id: 2, name: '1.3.0' }),
    rollout_version: 1,
    rollout_enabled: true,
    rollout_percentage_bps: 1000,
  })
  it.each<[string, Partial<BuiltFacts>]>([
    ['by what is served', { standing: STALE }],
    ['by what is rolled out', { channel: rolling, running: { bundle: bundle(), standing: STALE } }],
  ])('keeps the channel: %s', (_what, change) => {
    const plan = planPublish(
      facts({ checksum: OTHER, ...change, nativePackages: [{ name: 'camera', version: '8.0.0' }] }),
    )
    expect(plan.action).toMatchObject({ do: 'keep', outcome: 'stale' })
    expect(why(plan, 'bundle').join()).toContain('was moved to')
    expect(plan.natives).toEqual([])
  })
  it('goes on by force, and where nothing is served', () => {
    expect(planPublish(facts({ checksum: OTHER, standing: STALE, force: true })).action.do).toBe('upload')
    expect(planPublish(facts({ channel: channel({ version: null }), standing: STALE })).action.do).toBe(
      'upload',
    )
  })
})

describe('content that was rolled back', () => {
  const served = bundle({ id: 2, name: '1.3.0', checksum: OTHER, comment: line('production', 8) })
  const off = (letter: string, runId = 8) =>
    bundle({ comment: line('production', 3, ` withdrawn 8.1/${runId}`, letter) })
  const plan = (of: ReturnType<typeof bundle>, change: Partial<BuiltFacts> = {}, now = served) =>
    planPublish(facts({ channel: channel({ version: now }), bundles: [of], ...change }))

  it('is not published again by the same commit', () => {
    const kept = plan(off('a'))
    expect(kept.action).toMatchObject({ do: 'keep', outcome: 'stale', bundle: { name: '1.3.0' } })
    expect(why(kept, 'bundle').join()).toContain('run 8.1 rolled the channel back')
  })
  it('also where others put something there since', () => {
    expect(plan(off('a'), {}, { ...served, comment: null }).action).toMatchObject({ outcome: 'stale' })
  })
  it('is by force, or once another run published something', () => {
    expect(plan(off('a'), { force: true })).toMatchObject({ action: { do: 'promote' }, warnings: [] })
    expect(plan(off('a', 7)).action.do).toBe('promote')
  })
  it('is by another commit, with a warning', () => {
    const { action, warnings } = plan(off('b'))
    expect(action.do).toBe('promote')
    expect(warnings).toEqual([
      expect.stringMatching(/from which run 8.1 rolled the channel back.*because aaaaaaa/),
    ])
  })
  it('is no matter on another channel, or for other content', () => {
    expect(plan(bundle({ comment: line('beta', 3, ' withdrawn 8.1/8') })).warnings).toEqual([])
    expect(plan({ ...off('b'), checksum: 'e'.repeat(64) }).warnings).toEqual([])
  })
})

describe('content that is rolled out', () => {
  const rolling = (change: object = {}) =>
    channel({
      version: bundle({ id: 2, name: '1.3.0', checksum: OTHER }),
      rollout_version: 1,
      rollout_enabled: true,
      rollout_percentage_bps: 1000,
      ...change,
    })
  const plan = (rollout: BuiltFacts['rollout'], change: Partial<BuiltFacts> = {}) =>
    planPublish(
      facts({ channel: rolling(), running: { bundle: bundle(), standing: AT_HEAD }, rollout, ...change }),
    )

  it.each<[string, BuiltFacts['rollout']]>([
    ['for a share', { bps: 1000, onActive: 'fail' }],
    ['to go on', { bps: null, onActive: 'advance' }],
  ])('is unchanged: %s', (_what, rollout) => {
    const kept = plan(rollout)
    expect(kept.action).toMatchObject({ do: 'keep', outcome: 'unchanged', bundle: { name: '1.4.0' } })
    expect(why(kept, 'bundle').join()).toMatch(/gives this content to 10% of its devices; /)
    const paused = plan(rollout, { channel: rolling({ rollout_paused_at: 'x' }) })
    expect(why(paused, 'bundle').join()).toContain('devices, paused;')
  })
  it('goes to everybody where that is asked for', () => {
    const moved = plan({ bps: null, onActive: 'replace' }, { bundles: [bundle()] })
    expect(moved).toMatchObject({ action: { do: 'promote' }, stage: { bps: null, running: 1 } })
    expect(why(moved, 'rollout').join()).toMatch(/^everybody: .*was rolling out 1\.4\.0 for 10%/)
    expect(refusalOf(() => plan({ bps: null, onActive: 'fail' }))).toContain('rollout_active')
    const begun = planPublish(facts({ checksum: OTHER, rollout: { bps: 1000, onActive: 'fail' } }))
    expect(why(begun, 'rollout').join()).toContain('10%: the others keep 1.4.0')
  })
  it('is unknown where nobody told of it', () => {
    expect(refusalOf(() => plan({ bps: 1000, onActive: 'fail' }, { running: null }))).toContain(
      'bundle 1 for 10%',
    )
  })
  it('what everybody has is not unchanged while another is rolled out', () => {
    const other = {
      channel: rolling({ version: bundle(), rollout_version: 3 }),
      running: null,
      bundles: [bundle()],
    }
    expect(planPublish(facts({ ...other, rollout: { bps: null, onActive: 'replace' } })).action.do).toBe(
      'promote',
    )
  })
})

describe('native code', () => {
  const camera = (version: string) => [{ name: 'camera', version }]
  const had = (change: object = {}, of: object = {}) =>
    channel({ version: bundle({ native_packages: camera('7.0.0'), ...of }), ...change })
  const asked = (change: Partial<BuiltFacts> = {}) =>
    facts({ checksum: OTHER, channel: had(), base: had(), nativePackages: camera('8.0.0'), ...change })

  it.each<[string, Partial<BuiltFacts>, RegExp | null]>([
    [
      'is refused for a branch',
      {},
      /^native_incompatible: Apps that take 1.4.0 from channel production lack .*camera 7.0.0 -> 8.0.0/,
    ],
    [
      'is refused where the input says so',
      { purpose: preview, onIncompatible: 'fail' },
      /^native_incompatible/,
    ],
    ['is warned about for a preview', { purpose: preview }, null],
    ['is warned about where the input says so', { onIncompatible: 'warn' }, null],
  ])('that is missing %s', (_what, change, message) => {
    if (message !== null) expect(refusalOf(() => planPublish(asked(change)))).toMatch(message)
    else
      expect(planPublish(asked(change)).warnings.join()).toContain('lack native code of this bundle: camera.')
  })
  it('is no matter where it is ignored, fits, or the content is there', () => {
    expect(planPublish(asked({ onIncompatible: 'ignore' })).warnings).toEqual([])
    expect(planPublish(asked({ onIncompatible: 'ignore' })).natives).toHaveLength(1)
    expect(planPublish(asked({ nativePackages: camera('7.0.0') })).warnings).toEqual([])
    expect(planPublish(asked({ checksum: CHECKSUM })).action.do).toBe('keep')
    // A preview's own channel serves it, and the apps are those of its base.
    const seen = planPublish(asked({ checksum: CHECKSUM, purpose: preview }))
    expect(seen.action.do).toBe('keep')
    expect(seen.warnings.join()).toContain('lack native code')
  })
  it('is kept from older apps by a raised minimum', () => {
    const byNumber = { disable_auto_update: 'version_number' } as const
    const raised = (has: string | null, asks: string, policy: object = byNumber) =>
      refusalOf(() =>
        planPublish(
          asked({
            channel: had(policy, { min_update_version: has }),
            minUpdateVersion: asks,
            natives: [native('9.0')],
          }),
        ),
      )
    expect(raised('1.0.0', '2.0.0')).toBe('nothing was thrown')
    expect(raised(null, '2.0.0')).toBe('nothing was thrown')
    expect(raised('2.0.0', '2.0.0')).toContain('native_incompatible')
    expect(raised('1.0.0', '2.0.0', {})).toContain('native_incompatible')
  })
  it('of nothing is compared with nothing', () => {
    const none = planPublish(asked({ base: null, nativePackages: [], onIncompatible: 'fail' }))
    expect(none.warnings).toEqual([])
    expect(why(none, 'native packages')).toEqual([])
  })
})

describe('what a reader would miss', () => {
  it('a channel that reaches nobody is told', () => {
    expect(
      planPublish(facts({ channel: channel({ ios: false, android: false }) })).warnings.join(),
    ).toContain('switched off')
  })
  it('native code is not told of what stays away', () => {
    const base = channel({ version: bundle({ native_packages: [{ name: 'camera', version: '7.0.0' }] }) })
    const nativePackages = [{ name: 'camera', version: '8.0.0' }]
    expect(planPublish(facts({ base, nativePackages, standing: STALE, checksum: OTHER })).natives).toEqual([])
    expect(planPublish(facts({ base, nativePackages })).natives).toHaveLength(1)
  })
  it('what devices would refuse is not reused', () => {
    const above = bundle({ name: '2.0.0' })
    const wanted = { version: '2.0.0', source: 'x', forced: false }
    const plan = (natives: BuiltFacts['natives']) =>
      planPublish(facts({ channel: channel({ version: null }), bundles: [above], wanted, natives })).action.do
    expect(plan([native('1.0')])).toBe('upload')
    expect(plan([native('2.1')])).toBe('promote')
  })
  it('devices that are known are judged, and not those of a new project', () => {
    const above = channel({ version: bundle({ name: '2.0.0' }) })
    expect(planPublish(facts({ channel: above, natives: [native('2.1')] })).warnings).toEqual([])
  })
  it('a new channel of a preview has no rule on versions, one of a branch has', () => {
    const wanted = { version: '3.0.0', source: 'x', forced: false }
    const name = (purpose: BuiltFacts['purpose']) => {
      const { action } = planPublish(facts({ channel: null, purpose, wanted }))
      return action.do === 'upload' ? action.names[0] : null
    }
    expect(name(preview)).toBe('3.0.1-pr.1.57.1')
    expect(name({ kind: 'branch', isDefaultBranch: true })).toBe('1.0.1-production.57.1')
  })
  it('other content says nothing of why this is uploaded', () => {
    const other = bundle({ name: '1.9.0', manifest_count: 1, checksum: OTHER })
    const plan = planPublish(facts({ channel: channel({ version: null }), bundles: [other], delta: 'false' }))
    expect(why(plan, 'bundle').join()).not.toContain('has this content')
  })
})

describe('before the build', () => {
  it('a version that no device would take is refused', () => {
    const wanted = { version: '2.0.0', source: 'input "version"', forced: true }
    expect(refusalOf(() => checkBeforeBuild(facts({ wanted })))).toContain('version_refused')
  })
  it('names that may be wanted are told', () => {
    expect(checkBeforeBuild(facts())).toEqual([
      '1.4.0',
      ...[1, 2, 3, 4].map(n => `1.4.1-production.57.1${n === 1 ? '' : `.${n}`}`),
    ])
  })
})

it('warns of devices that would not take what is served', () => {
  const above = { channel: channel({ version: bundle({ name: '2.0.0' }) }) }
  expect(planPublish(facts({ ...above, natives: [] })).warnings).toEqual([
    expect.stringMatching(/^Devices on native 1\.0 \(that of a new native project.*do not take 2\.0\.0/),
  ])
  expect(planPublish(facts({ natives: [] })).warnings).toEqual([])
})

it.each<[string, Parameters<typeof channel>[0], RegExp[]]>([
  ['a public one', {}, []],
  ['one for iOS alone', { android: false }, []],
  ['one for Android alone', { ios: false }, []],
  ['one that is switched off', { ios: false, android: false }, [/switched off/]],
  ['a private one', { public: false }, [/is private/]],
  ['a private one that devices may choose', { public: false, allow_device_self_set: true }, []],
])('channelWarnings of %s', (_what, change, warnings) => {
  expect(channelWarnings(channel(change))).toEqual(warnings.map(text => expect.stringMatching(text)))
})

describe('a change of a rollout', () => {
  const rolling = (change: object = {}) =>
    channel({
      version: bundle({ id: 2, name: '1.3.0', comment: line('production', 4) }),
      rollout_version: 1,
      rollout_enabled: true,
      rollout_percentage_bps: 1000,
      ...change,
    })
  type Change = Parameters<typeof planRolloutChange>[0]
  const plan = (change: Change['change'], more: Partial<Change> = {}) =>
    planRolloutChange({
      appId: 'a',
      channel: rolling(),
      running: bundle({ comment: line('production', 5) }),
      change,
      run: commit,
      ...more,
    })
  const share = (bps: number) => ({ kind: 'share', bps }) as const

  it.each<[string, Change['change'], object, boolean, RegExp]>([
    ['more', share(2500), {}, false, /to 25% of its devices instead of 10%\.$/],
    ['less', share(500), {}, false, /to 5% .* instead of 10%\. Devices that have it keep it\.$/],
    ['the same', share(1000), {}, true, /already gives 1\.4\.0 to 10%/],
    ['the same, paused', share(1000), { rollout_paused_at: 'x' }, false, /instead of 10%, paused\.$/],
    ['pause', { kind: 'pause' }, {}, false, /is paused at 10%/],
    ['pause twice', { kind: 'pause' }, { rollout_paused_at: 'x' }, true, /is paused already/],
    ['resume', { kind: 'resume' }, { rollout_paused_at: 'x' }, false, /goes on at 10%/],
    ['resume what goes on', { kind: 'resume' }, {}, true, /is not paused/],
    ['finish', { kind: 'finish' }, {}, false, /^Everybody .* gets 1\.4\.0, which 10% had/],
    ['cancel', { kind: 'cancel' }, {}, false, /everybody gets 1\.3\.0, also the devices that have 1\.4\.0/],
  ])('%s', (_what, change, row, isDone, sentence) => {
    const of = plan(change, { channel: rolling(row) })
    expect(of).toMatchObject({ isDone, why: expect.stringMatching(sentence), warnings: [], natives: [] })
    expect(of.decisions.map(({ what }) => what)).toEqual(['channel', 'rolled out', 'the others', 'rollout'])
  })

  it('notes who finished it, and what was taken back', () => {
    expect(plan({ kind: 'finish' })).toMatchObject({
      comment: expect.stringMatching(/run 57\.1 \(id 9\) after 1\.3\.0/),
      withdrawal: null,
      bundle: { name: '1.4.0' },
      commit: { runId: 5 },
    })
    expect(plan({ kind: 'cancel' })).toMatchObject({
      comment: null,
      withdrawal: { bundle: { name: '1.4.0' }, comment: line('production', 5, ' withdrawn 57.1/9') },
      bundle: { name: '1.3.0' },
      commit: { runId: 4 },
    })
    expect(plan({ kind: 'cancel' }, { running: bundle() }).withdrawal).toBeNull()
    expect(plan({ kind: 'pause' })).toMatchObject({ comment: null, withdrawal: null })
  })

  it.each<[string, Partial<Change>, RegExp]>([
    ['there is none', { channel: channel() }, /^no_rollout: Channel production has no rollout/],
    ['its bundle is gone', { running: null }, /^no_rollout/],
    ['nothing is served', { channel: rolling({ version: null }) }, /^no_rollout/],
    ['nothing is served at all', { channel: channel({ version: null }) }, /^no_rollout/],
  ])('is refused where %s', (_what, more, message) => {
    for (const kind of ['finish', 'pause'] as const)
      expect(refusalOf(() => plan({ kind }, more))).toMatch(message)
  })

  it('that an earlier attempt of this run finished is done', () => {
    const finished = (runId: number, on = 'production') =>
      channel({ version: bundle({ comment: line(on, runId) }) })
    expect(plan({ kind: 'finish' }, { channel: finished(9) })).toEqual({
      appId: 'a',
      channel: finished(9),
      bundle: finished(9).version,
      stage: { bps: null, running: null, paused: false },
      isDone: true,
      why: 'An earlier attempt of this run finished the rollout.',
      comment: null,
      withdrawal: null,
      commit: expect.objectContaining({ runId: 9 }),
      natives: [],
      decisions: [{ what: 'channel', value: 'production', why: 'input "channel"' }],
      warnings: [],
    })
    for (const of of [finished(8), finished(9, 'beta'), channel()])
      expect(refusalOf(() => plan({ kind: 'finish' }, { channel: of }))).toMatch(/^no_rollout/)
    expect(refusalOf(() => plan({ kind: 'cancel' }, { channel: finished(9) }))).toMatch(/^no_rollout/)
  })

  it.each<[number | null, object, boolean]>([
    [null, { rollout_version: null }, false],
    [null, {}, true],
    [1, {}, false],
    [2, {}, true],
    [1, { rollout_version: null }, true],
  ])('of others: planned for %s, now %j', (running, row, isChanged) => {
    const changed = rolloutChanged({ bps: null, running, paused: false }, rolling(row))
    expect(changed?.code ?? null).toBe(isChanged ? 'rollout_changed' : null)
  })
})
