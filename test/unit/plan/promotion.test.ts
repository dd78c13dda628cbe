import { describe, expect, it } from 'vitest'
import { NOT_JUDGED, NOT_OURS } from '../../../src/plan/channel-change.ts'
import { namedWithCommit, type PromotionFacts, planPromotion } from '../../../src/plan/promotion.ts'
import { type Bundle, bundle, channel, line, native, refusalOf, run } from './rows.ts'

const camera = (version: string) => [{ name: 'camera', version }]
const newer = (change: Partial<Bundle> = {}) =>
  bundle({ id: 2, name: '1.5.0', comment: line('development', 20, '', 'b'), ...change })
const served = (change: Partial<Bundle> = {}) =>
  bundle({ id: 1, name: '1.4.0', comment: line('production', 10), ...change })
const from = channel({ id: 8, name: 'development', public: false, version: newer() })

function facts({ bundle: of = newer(), ...change }: Partial<PromotionFacts> = {}): PromotionFacts {
  return {
    appId: 'com.example.app',
    natives: [native('1.0')],
    run,
    rollout: { bps: null, onActive: 'fail' },
    runningName: null,
    force: false,
    from: { ...from, version: of },
    bundle: of,
    onIncompatible: null,
    fault: null,
    to: channel({ version: served() }),
    relation: 'ahead',
    ...change,
  }
}
const to = (change: Partial<Bundle>, more: Parameters<typeof channel>[0] = {}) =>
  channel({ version: served(change), ...more })

it('a promotion notes the bundle on the channel, with the commit that it was built from', () => {
  const plan = planPromotion(facts())
  expect(plan).toMatchObject({
    appId: 'com.example.app',
    isDone: false,
    why: 'Channel production gets 1.5.0 from development, byte for byte.',
    stage: { bps: null, running: null, paused: false },
    withdrawal: null,
    commit: { sha: 'b'.repeat(40), refName: 'main' },
    natives: [],
    warnings: [],
  })
  expect(plan.comment).toBe(
    `production: main@${'b'.repeat(40)} run 90.1 (id 90) after 1.4.0\n${line('development', 20, '', 'b')}`,
  )
  expect(plan.decisions).toEqual([
    { what: 'bundle', value: '1.5.0', why: 'channel development serves it' },
    { what: 'channel', value: 'production', why: 'input "to"' },
    { what: 'native version', value: '1.0 (android)', why: 'the store' },
  ])
})

it('what everybody has already is done, and nothing is noted', () => {
  const same = facts({ to: channel({ version: newer() }) })
  expect(planPromotion(same)).toMatchObject({
    isDone: true,
    comment: null,
    why: 'Channel production already serves 1.5.0, which development serves.',
  })
  // Also where a rollout is asked for.
  expect(planPromotion({ ...same, rollout: { bps: 1000, onActive: 'fail' } }).isDone).toBe(true)
  // Some have it, and the others are to get it.
  const rolling = { rollout_version: 2, rollout_enabled: true, rollout_percentage_bps: 1000 }
  const advancing = facts({ to: to({}, rolling), rollout: { bps: null, onActive: 'advance' } })
  expect(planPromotion(advancing)).toMatchObject({ isDone: true, stage: { bps: 1000, running: 2 } })
  const other = facts({
    to: channel({ version: newer(), ...rolling, rollout_version: 3 }),
    rollout: { bps: null, onActive: 'replace' },
    runningName: '1.6.0',
  })
  const plan = planPromotion(other)
  expect(plan).toMatchObject({ isDone: false, stage: { bps: null, running: 3 } })
  expect(plan.decisions).toContainEqual(expect.objectContaining({ what: 'rollout', value: 'everybody' }))
})

it('a share goes to some, and the first bundle of a channel to everybody', () => {
  const rollout = { bps: 1250, onActive: 'fail' } as const
  const plan = planPromotion(facts({ rollout }))
  expect(plan.stage).toEqual({ bps: 1250, running: null, paused: false })
  expect(plan.decisions).toContainEqual(expect.objectContaining({ what: 'rollout', value: '12.5%' }))
  const first = planPromotion(facts({ rollout, to: channel({ version: null }) }))
  expect(first.stage.bps).toBeNull()
  expect(first.warnings.join()).toContain('Everybody gets this bundle')
  expect(first.comment).not.toContain('after')
})

describe('is refused', () => {
  const withdrawn = `${line('production', 5, ' withdrawn 7.1/7', 'b')}\n${line('development', 20, '', 'b')}`
  const older = { bundle: newer({ created_at: '2026-11-25T00:00:00Z', comment: null }) }
  const byNumber = { disable_auto_update: 'version_number' } as const
  const cases: [string, Partial<PromotionFacts>, RegExp][] = [
    ['a deleted bundle', { bundle: newer({ deleted: true }) }, /^bundle_not_ready: .*it was deleted/],
    [
      'an unfinished one',
      { bundle: newer({ storage_provider: 'r2-direct' }) },
      /^bundle_not_ready: .*its upload was never finished/,
    ],
    ['one that is stored damaged', { fault: 'its zip is gone' }, /^bundle_not_ready: .*its zip is gone/],
    [
      'one that was rolled back there',
      { bundle: newer({ comment: withdrawn }) },
      /^bundle_withdrawn: Run 7.1 rolled channel production back from 1.5.0/,
    ],
    [
      'an older commit',
      { relation: 'behind' },
      /^promotion_older: .*1.5.0 is of bbbbbbb \(main, run 20.1\), which is older than 1.4.0 of aaaaaaa \(main, run 10.1\)\.$/,
    ],
    [
      'another line of history whose run came before',
      { relation: 'diverged', to: to({ comment: line('production', 30) }) },
      /^promotion_older: .*the order of the runs tells/,
    ],
    [
      'one that was made before, where no commit is known',
      older,
      /^promotion_older: .*was made before 1.4.0/,
    ],
    [
      'the same, where only one is known',
      { ...older, to: to({ comment: null }) },
      /^promotion_older: .*was made before 1.4.0/,
    ],
    [
      'what no native version takes',
      { natives: [native('0.9')] },
      /^promotion_refused: Devices on native 0.9 \(the store\) would not take 1.5.0 from channel production: .*policy "major"/,
    ],
    [
      'what no device takes',
      { to: to({}, byNumber) },
      /^promotion_refused: No device would take 1.5.0 from channel production: .*version_number/,
    ],
    [
      'what lacks native code',
      { bundle: newer({ native_packages: camera('8.0.0') }), to: to({ native_packages: camera('7.0.0') }) },
      /^native_incompatible: Apps that take 1.4.0 from channel production lack native code of 1.5.0: camera 7.0.0 -> 8.0.0/,
    ],
    [
      'a channel with a rollout',
      { to: to({}, { rollout_version: 3, rollout_enabled: true, rollout_percentage_bps: 500 }) },
      /^rollout_active: /,
    ],
  ]
  it.each(cases)('%s', (_what, change, message) => {
    expect(refusalOf(() => planPromotion(facts(change)))).toMatch(message)
  })

  it.each<[string, Partial<PromotionFacts>]>([
    ['a later run on another line', { relation: 'diverged' }],
    ['one that was made at the same moment', { bundle: newer({ comment: null }) }],
    ['one that was made later', { bundle: newer({ comment: null, created_at: '2026-11-27T00:00:00Z' }) }],
    [
      'what was rolled back on another channel',
      { bundle: newer({ comment: line('beta', 5, ' withdrawn 7.1/7') }) },
    ],
    [
      'what follows a roll-back: the two bundles count, not the runs',
      { to: to({ comment: line('production', 30, ' instead 1.4.1') }) },
    ],
    [
      'what is served already, though it was rolled back',
      { to: channel({ version: newer({ comment: withdrawn }) }) },
    ],
    [
      'what its minimum native version keeps from older apps',
      {
        bundle: newer({ native_packages: camera('8.0.0'), min_update_version: '1.0.0' }),
        to: to({ native_packages: camera('7.0.0') }, byNumber),
      },
    ],
  ])('not %s', (_what, change) => {
    expect(refusalOf(() => planPromotion(facts(change)))).toBe('nothing was thrown')
  })

  it('not by force, which is told and noted', () => {
    const plan = planPromotion(facts({ force: true, relation: 'behind' }))
    expect(plan.decisions).toContainEqual({
      what: 'older',
      value: 'all the same',
      why: expect.stringMatching(/which is older than .*; input "force"$/),
    })
    expect(plan.comment).toContain(`instead 1.4.0@${'a'.repeat(40)}`)
    expect(planPromotion(facts({ force: true })).comment).not.toContain('instead')
    expect(planPromotion(facts({ force: true, bundle: newer({ comment: withdrawn }) })).isDone).toBe(false)
  })

  it('a minimum that is not raised keeps nobody away', () => {
    const change = {
      bundle: newer({ native_packages: camera('8.0.0'), min_update_version: '1.0.0' }),
      to: to({ native_packages: camera('7.0.0'), min_update_version: '1.0.0' }, byNumber),
    }
    expect(refusalOf(() => planPromotion(facts(change)))).toContain('native_incompatible')
    const major = { ...change, to: to({ native_packages: camera('7.0.0') }) }
    expect(refusalOf(() => planPromotion(facts(major)))).toContain('native_incompatible')
  })
})

describe('says', () => {
  const lacking = {
    bundle: newer({ native_packages: camera('8.0.0') }),
    to: to({ native_packages: camera('7.0.0') }),
  }
  it.each<[string, Partial<PromotionFacts>, string[]]>([
    ['native code that is missing', { ...lacking, onIncompatible: 'warn' }, ['lack native code of 1.5.0']],
    ['nothing of it', { ...lacking, onIncompatible: 'ignore' }, []],
    ['nothing where nothing is missing', { onIncompatible: 'warn' }, []],
    ['that no native version is known', { natives: [] }, [NOT_JUDGED]],
    ['that the bundle is not ours', { bundle: newer({ comment: 'by hand' }) }, [NOT_OURS]],
    ['that the channel reaches nobody', { to: to({}, { ios: false, android: false }) }, ['switched off']],
    [
      'that the source rolls out another one',
      { from: channel({ name: 'development', rollout_version: 3, rollout_enabled: true }) },
      ['Channel development is rolling out another bundle'],
    ],
  ])('%s', (_what, change, warnings) => {
    const plan = planPromotion(facts(change))
    expect(plan.warnings).toEqual(warnings.map(text => expect.stringContaining(text)))
  })

  it('how native packages differ', () => {
    const plan = planPromotion(facts({ ...lacking, onIncompatible: 'ignore' }))
    expect(plan.natives.map(({ name }) => name)).toEqual(['camera'])
    expect(planPromotion(facts({ to: channel({ version: null }) })).natives).toEqual([])
  })
})

it('a bundle is named with the commit for which it was on the channel', () => {
  expect(namedWithCommit(served(), 'production')).toEqual({ name: '1.4.0', sha: 'a'.repeat(40) })
  expect(namedWithCommit(served(), 'beta')).toEqual({ name: '1.4.0', sha: null })
})
