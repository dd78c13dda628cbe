import { describe, expect, it } from 'vitest'
import type { BundleRow } from '../../../src/capgo/schema.ts'
import { NOT_JUDGED, NOT_OURS } from '../../../src/plan/channel-change.ts'
import { findEarlier, isRolledBackBy, planRollback, type RollbackFacts } from '../../../src/plan/rollback.ts'
import { bundle, channel, line, native, refusalOf, run } from './rows.ts'

/** Bundle n is called 1.0.n and was put on the channel by run n. */
const made = (n: number, more = '', change: Partial<BundleRow> = {}) =>
  bundle({ id: n, name: `1.0.${n}`, comment: line('production', n, more), ...change })
const serving = (version: BundleRow | null) => channel({ version })

describe('findEarlier', () => {
  it.each<[string, BundleRow, BundleRow[], string, RegExp]>([
    ['what the note names', made(3, ' after 1.0.1'), [made(1), made(2)], '1.0.1', /served it before/],
    ['the last run before, without such a word', made(3), [made(1), made(2)], '1.0.2', /run 2.1 put it on/],
    ['the same in another order', made(3), [made(2), made(1)], '1.0.2', /run 2.1 put it on/],
    ['none that was put there later', made(3), [made(4), made(2)], '1.0.2', /run 2.1/],
    [
      'what that one came after, where it was rolled back itself',
      made(3, ' after 1.0.2'),
      [made(2, ' after 1.0.1 withdrawn 3.1/3'), made(1)],
      '1.0.1',
      /served it before/,
    ],
    [
      'what that one came after, where it was deleted',
      made(3, ' after 1.0.2'),
      [made(2, ' after 1.0.1', { deleted: true }), made(1)],
      '1.0.1',
      /served it before/,
    ],
    ['by the runs, where that one is gone', made(4, ' after 1.0.3'), [made(1), made(2)], '1.0.2', /run 2.1/],
    [
      'none that is not ready',
      made(3),
      [made(2, '', { storage_provider: 'r2-direct' }), made(1)],
      '1.0.1',
      /run 1.1/,
    ],
    ['none that was rolled back', made(3), [made(2, ' withdrawn 3.1/3'), made(1)], '1.0.1', /run 1.1/],
    [
      'not itself, in a circle',
      made(3, ' after 1.0.2'),
      [made(2, ' after 1.0.3 withdrawn 3.1/3'), made(3), made(1)],
      '1.0.1',
      /run 1.1/,
    ],
    ['not itself', made(3, ' after 1.0.3'), [made(3), made(1)], '1.0.1', /run 1.1/],
    [
      'any, where what is served has no note',
      bundle({ id: 9, name: '9.0.0' }),
      [made(1), made(2)],
      '1.0.2',
      /run 2.1/,
    ],
  ])('%s', (_what, served, bundles, name, why) => {
    const found = findEarlier(serving(served), bundles)
    expect(found.bundle.name).toBe(name)
    expect(found.why).toMatch(why)
  })

  it.each<[string, BundleRow | null, BundleRow[], string]>([
    ['nothing is served', null, [made(1)], 'no_earlier_bundle: Channel production serves nothing.'],
    [
      'no other is there',
      made(3),
      [made(3)],
      'no_earlier_bundle: Nothing tells what channel production served before 1.0.3.',
    ],
    ['all were put there later', made(3), [made(4)], 'no_earlier_bundle: Nothing tells'],
    [
      'the one before was not ready, and leads nowhere',
      made(3, ' after 1.0.2'),
      [made(2, '', { deleted: true })],
      'no_earlier_bundle: Nothing tells',
    ],
  ])('none where %s', (_what, served, bundles, message) => {
    expect(refusalOf(() => findEarlier(serving(served), bundles))).toContain(message)
  })
})

describe('isRolledBackBy', () => {
  it.each<[string, string | null, number, boolean]>([
    ['this very run', line('production', 5, ' instead 1.0.9'), 5, true],
    ['another run', line('production', 5, ' instead 1.0.9'), 6, false],
    ['this run, which published it', line('production', 5), 5, false],
    ['this run, on another channel', line('beta', 5, ' instead 1.0.9'), 5, false],
    ['nobody', null, 5, false],
  ])('%s', (_what, comment, runId, expected) => {
    expect(isRolledBackBy(serving(bundle({ comment })), { runId })).toBe(expected)
  })
  it('not where nothing is served', () => {
    expect(isRolledBackBy(serving(null), { runId: 5 })).toBe(false)
  })
})

describe('planRollback', () => {
  const facts = ({
    target = { bundle: made(1, '', { comment: line('production', 1, '', 'b') }), why: 'it was' },
    ...change
  }: Partial<RollbackFacts> = {}): RollbackFacts => ({
    appId: 'com.example.app',
    natives: [native('1.0')],
    run,
    rollout: { bps: null, onActive: 'fail' },
    runningName: null,
    force: false,
    channel: serving(made(3)),
    target,
    fault: null,
    affected: { count: 0, refusing: null },
    ...change,
  })
  const to = (change: Partial<BundleRow>) => ({ bundle: made(1, '', change), why: 'it was' })

  it('notes what it went back to, and what it took off', () => {
    const plan = planRollback(facts())
    expect(plan).toMatchObject({
      isDone: false,
      why: 'Channel production goes back to 1.0.1 (it was), instead of 1.0.3.',
      stage: { bps: null, running: null, paused: false },
      commit: { sha: 'b'.repeat(40) },
      natives: [],
      warnings: [],
    })
    expect(plan.comment).toBe(
      `production: main@${'b'.repeat(40)} run 90.1 (id 90) instead 1.0.3@${'a'.repeat(40)}`,
    )
    expect(plan.withdrawal).toMatchObject({
      bundle: { name: '1.0.3' },
      comment: line('production', 3, ' withdrawn 90.1/90'),
    })
    expect(plan.decisions).toEqual([
      { what: 'channel', value: 'production', why: 'input "channel"' },
      { what: 'bundle', value: '1.0.1', why: 'it was' },
      { what: 'instead of', value: '1.0.3', why: 'what it serves now; no known device runs it' },
      { what: 'native version', value: '1.0 (android)', why: 'the store' },
    ])
  })

  it('what is served already is done', () => {
    const plan = planRollback(facts({ channel: serving(made(1)), target: to({ deleted: true }) }))
    expect(plan).toMatchObject({ isDone: true, comment: null, withdrawal: null, warnings: [] })
    expect(plan.decisions.map(({ what }) => what)).toEqual(['channel', 'bundle', 'native version'])
  })

  it('remembers what earlier roll-backs took off', () => {
    const off = 'd'.repeat(40)
    const last = 'e'.repeat(40)
    const comment = (more: string) => planRollback(facts({ channel: serving(made(3, more)) })).comment
    expect(comment(` instead 1.0.4@${last} off ${off}`)).toMatch(new RegExp(` off ${last},${off}$`))
    expect(comment(` instead 1.0.4 off ${off}`)).toMatch(new RegExp(` off ${off}$`))
    expect(comment('')).not.toContain(' off ')
  })

  it('to what was rolled back before undoes that: nothing was bad', () => {
    const plan = planRollback(facts({ channel: serving(made(3, ' instead 1.0.1')) }))
    expect(plan.withdrawal).toBeNull()
    expect(plan.comment).toContain('after 1.0.3')
    expect(plan.comment).not.toContain('instead')
  })

  it('on a channel that serves nothing, or what others made', () => {
    const first = planRollback(facts({ channel: serving(null) }))
    expect(first).toMatchObject({ withdrawal: null, why: 'Channel production goes back to 1.0.1 (it was).' })
    expect(first.comment).not.toMatch(/instead|after/)
    expect(planRollback(facts({ channel: serving(bundle({ id: 9 })) })).withdrawal).toBeNull()
  })

  const rolling = channel({
    version: made(3),
    rollout_version: 5,
    rollout_enabled: true,
    rollout_percentage_bps: 500,
  })
  it.each(['fail', 'advance'] as const)('a rollout refuses it (%s)', onActive => {
    expect(
      refusalOf(() => planRollback(facts({ channel: rolling, rollout: { bps: null, onActive } }))),
    ).toMatch(/^rollout_active/)
  })
  it('and ends by an explicit word', () => {
    const plan = planRollback(
      facts({ channel: rolling, rollout: { bps: 1000, onActive: 'replace' }, runningName: '1.0.5' }),
    )
    expect(plan.stage).toEqual({ bps: null, running: 5, paused: false })
    expect(plan.decisions).toContainEqual(expect.objectContaining({ what: 'rollout', value: 'everybody' }))
  })

  const refusing = (count: number, of: number) => ({ count: of, refusing: { count, of, rule: 'too old' } })
  it.each<[string, Partial<RollbackFacts>, RegExp, boolean]>([
    ['deleted', { target: to({ deleted: true }) }, /^bundle_not_ready: .*it was deleted/, false],
    [
      'unfinished',
      { target: to({ storage_provider: 'r2-direct' }) },
      /^bundle_not_ready: .*never finished/,
      false,
    ],
    ['damaged', { fault: 'its zip is gone' }, /^bundle_not_ready: .*its zip is gone/, false],
    [
      'rolled back',
      { target: to({ comment: line('production', 1, ' withdrawn 7.1/7') }) },
      /^bundle_withdrawn: Run 7.1 rolled channel production back from 1.0.1/,
      true,
    ],
    [
      'not for these natives',
      { natives: [native('0.9')] },
      /^rollback_refused: .*devices on native 0.9 \(the store\) would not take it/,
      true,
    ],
    [
      'for no device',
      { channel: channel({ version: made(3), disable_auto_update: 'version_number' }) },
      /^rollback_refused: .*no device would take it/,
      true,
    ],
    [
      'for none of those that run the bad one',
      { affected: refusing(2, 2) },
      /^rollback_refused: .*none of the known devices .*too old/,
      true,
    ],
  ])('is refused to what is %s', (_what, change, message, byForce) => {
    expect(refusalOf(() => planRollback(facts(change)))).toMatch(message)
    const forced = refusalOf(() => planRollback(facts({ ...change, force: true })))
    if (byForce) expect(forced).toBe('nothing was thrown')
    else expect(forced).toMatch(message)
  })

  it.each<[string, Partial<RollbackFacts>, string[]]>([
    [
      'that some devices refuse it',
      { affected: refusing(1, 2) },
      ['1 of 2 known devices that were looked at would refuse 1.0.1: too old.'],
    ],
    ['that no native version is known', { natives: [] }, [NOT_JUDGED]],
    ['that it is not ours', { target: to({ comment: 'by hand' }) }, [NOT_OURS]],
    [
      'that the channel reaches nobody',
      { channel: { ...serving(made(3)), ios: false, android: false } },
      ['Channel production is switched off for iOS and Android: no device takes its bundle.'],
    ],
  ])('says %s', (_what, change, warnings) => {
    expect(planRollback(facts(change)).warnings).toEqual(warnings)
  })

  it.each([
    [null, 'the key cannot read which devices run it', /instead of 1.0.3\.$/],
    [{ count: 0, refusing: null }, 'no known device runs it', /instead of 1.0.3\.$/],
    [
      { count: 1, refusing: null },
      '1 known device runs that',
      / 1 known device runs that until it asks next\.$/,
    ],
    [{ count: 1200, refusing: null }, '1,200 known devices run that', / run that until they ask next\.$/],
  ])('tells how many devices run what is taken off: %j', (affected, why, sentence) => {
    const plan = planRollback(facts({ affected }))
    expect(plan.decisions.find(({ what }) => what === 'instead of')?.why).toContain(why)
    expect(plan.why).toMatch(sentence)
  })
})
