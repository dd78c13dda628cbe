import { describe, expect, it } from 'vitest'
import { planPublish } from '../../../src/plan/plan.ts'
import { ALL } from '../../../src/plan/rollout.ts'
import { planRolloutChange } from '../../../src/plan/rollout-change.ts'
import type { Standing } from '../../../src/plan/staleness.ts'
import type { BuiltFacts } from '../../../src/plan/types.ts'
import { movedResult } from '../../../src/report/outcome.ts'
import { bundle, CHECKSUM, channel } from './rows.ts'

const commit = {
  sha: 'a'.repeat(40),
  refName: 'main',
  runId: 9,
  runNumber: 57,
  runAttempt: 1,
  url: 'https://example.com',
}

/** GitHub says that the run's commit is the newest of its branch. */
const AT_HEAD: Standing = { head: { kind: 'at', sha: commit.sha }, toHead: 'identical', notes: [] }

function facts(change: Partial<BuiltFacts> = {}): BuiltFacts {
  const { channel: of = channel() } = change
  return {
    appId: 'com.example.app',
    channelName: 'production',
    channelWhy: 'channels',
    channel: of,
    publicChannels: ['production'],
    newest: [],
    purpose: { kind: 'branch', isDefaultBranch: true },
    wanted: { version: '1.4.0', source: 'package.json', forced: false },
    natives: [{ platform: 'android', version: '1.0', source: 'android/app/build.gradle:12' }],
    commit,
    rollout: { bps: null, onActive: 'fail' },
    minUpdateVersion: null,
    onIncompatible: null,
    checksum: CHECKSUM,
    sha256: CHECKSUM,
    size: 100,
    sizes: new Map(),
    delta: 'auto',
    bundles: of?.version ? [of.version] : [],
    stored: { newest: [], of: null, files: [] },
    commitWhy: null,
    isChosen: false,
    force: false,
    standing: AT_HEAD,
    running: null,
    base: of,
    nativePackages: [],
    ...change,
  }
}

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
    ['pause', false, { bps: 1000, paused: true, of: '1.4.0' }, '1.4.0'],
    ['resume', true, { bps: 1000, paused: false, of: '1.4.0' }, '1.4.0'],
    [2500, true, { bps: 2500, paused: false, of: '1.4.0' }, '1.4.0'],
    ['finish', false, null, '1.4.0'],
    [ALL, false, null, '1.4.0'],
    ['cancel', false, null, '1.3.0'],
  ] as const)('a dry run of %s says what would be', (kind, paused, rollout, name) => {
    const plan = changed(kind, paused)
    const result = movedResult(
      { plan, consoleUrl: null, repositoryUrl: '', size: 5, sha256: null, work: null, total: 0 },
      null,
      [],
    )
    expect(result.outcome).toBe('planned')
    expect(result.bundle).toMatchObject({ name, size: 5 })
    if (rollout === null) expect(result.rollout).toBeNull()
    else expect(result.rollout).toMatchObject(rollout)
  })
})
