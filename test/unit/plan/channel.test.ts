import { describe, expect, it } from 'vitest'
import { newChannelSettings, suggestMapping } from '../../../src/plan/channel.ts'
import { matchesPattern, refusePattern } from '../../../src/plan/ref-pattern.ts'
import { activeRollout, describeRollout, isAt, rolloutActive, shareOf } from '../../../src/plan/rollout.ts'
import { channel } from './rows.ts'

describe('a new channel', () => {
  const branch = (isDefaultBranch: boolean) => ({ kind: 'branch', isDefaultBranch }) as const
  it('of a preview takes whatever testers have', () => {
    const made = newChannelSettings({ kind: 'preview', pull: 1 }, [])
    expect(made).toEqual({
      settings: {
        public: false,
        allow_device_self_set: true,
        disableAutoUpdate: 'none',
        disableAutoUpdateUnderNative: false,
        allow_dev: true,
        allow_emulator: true,
      },
      why: expect.stringContaining('made for testers'),
    })
  })
  it.each([
    [true, [], true, /made as the public one/],
    [true, ['live', 'web'], false, /live, web is the app's public channel/],
    [false, ['live'], false, /live is the app's public channel/],
    [false, [], false, /only the default branch or a tag makes/],
  ])('default branch %s beside %j: public %s', (isDefault, others, isPublic, why) => {
    expect(newChannelSettings(branch(isDefault), others)).toEqual({
      settings: { public: isPublic, allow_device_self_set: !isPublic },
      why: expect.stringMatching(why),
    })
  })
})

it.each([
  ['refs/heads/a b  c', 'refs/heads/a b  c: a-b-c'],
  ['refs/heads/..x..', 'refs/heads/..x..: x'],
  ['refs/heads/§§', '§§: beta'],
  [`refs/heads/${'x'.repeat(63)}-y`, `${'x'.repeat(63)}-y: ${'x'.repeat(63)}`],
  ['refs/tags/v1', 'refs/tags/v1: v1'],
  ['refs/tags/v1.2', 'refs/tags/v*: production'],
  ['refs/tags/1.2.3-rc.1', 'refs/tags/*: production'],
  ['refs/tags/1.2/x', 'refs/tags/1.2/x: 1.2-x'],
])('%s is proposed as "%s"', (full, line) => {
  const name = full.replace(/^refs\/(heads|tags)\//, '')
  expect(suggestMapping({ full, name }, 'main')).toBe(line)
})

it.each([
  ['main', 'main', true],
  ['fix(api)', 'fix(api)', true],
  ['release/*', 'release/1', true],
  ['release/*', 'release/1/2', false],
  ['release/**', 'release/1/2', true],
  ['*', '.hidden', true],
  ['!main', 'main', false],
  ['!main', 'x', false],
])('%s matches %s: %s', (pattern, name, expected) => expect(matchesPattern(pattern, name)).toBe(expected))

it.each([
  ['-  main ', 'Write "main", without the dash.'],
  ['origin/main', 'Write "main", or "refs/heads/origin/main" for a branch of exactly that name.'],
  ['tags/v*', 'Write "refs/tags/v*", or "refs/heads/tags/v*" for a branch of exactly that name.'],
  ['!main', 'The first match wins, so put the more special pattern first.'],
])('%s is refused with what to write', (pattern, hint) => expect(refusePattern(pattern)?.hint).toBe(hint))

describe('a rollout', () => {
  const rolling = (change: object = {}) =>
    channel({ rollout_version: 5, rollout_enabled: true, rollout_percentage_bps: 1000, ...change })
  it.each([
    ['is there', {}, { id: 5, bps: 1000, paused: false }],
    ['is there, paused', { rollout_paused_at: 'x' }, { id: 5, bps: 1000, paused: true }],
    ['is not there', { rollout_version: null }, null],
    ['is switched off', { rollout_enabled: false }, null],
  ])('%s', (_what, change, expected) => expect(activeRollout(rolling(change))).toEqual(expected))

  it.each([
    [null, null],
    [0, 0],
    [9_999, 9_999],
    [10_000, null],
    [10_001, null],
  ])('a share of %s is %s', (bps, expected) => expect(shareOf({ bps })).toBe(expected))

  const some = { bps: 1000, running: null, paused: false }
  const all = { bps: null, running: null, paused: false }
  it.each([
    ['some have it', some, 5, {}, true],
    ['some have another', some, 6, {}, false],
    ['another share', some, 5, { rollout_percentage_bps: 500 }, false],
    ['paused, which was not asked for', some, 5, { rollout_paused_at: 'x' }, false],
    ['paused, as asked for', { ...some, paused: true }, 5, { rollout_paused_at: 'x' }, true],
    ['none is rolled out', some, 5, { rollout_version: null }, false],
    ['everybody has it', all, 1, { rollout_version: null }, true],
    ['everybody has another', all, 2, { rollout_version: null }, false],
    ['not everybody has it', all, 1, {}, false],
    ['nothing is served', all, 1, { rollout_version: null, version: null }, false],
  ])('is as it should be: %s', (_what, stage, id, change, expected) =>
    expect(isAt(stage, id, rolling(change))).toBe(expected),
  )

  it('is told by name', () => {
    const active = { id: 5, bps: 1250, paused: true }
    expect(describeRollout(active, '1.5.0')).toBe('1.5.0 for 12.5% (paused)')
    expect(describeRollout({ ...active, paused: false }, '1.5.0')).toBe('1.5.0 for 12.5%')
    expect(rolloutActive('production', active, null).message).toContain('bundle 5 for 12.5% (paused)')
    expect(rolloutActive('production', active, '1.5.0').message).toContain('1.5.0 for 12.5% (paused)')
  })
})
