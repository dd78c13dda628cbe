import { describe, expect, it } from 'vitest'
import { compareTesters, isPast, mergeTesters, versionsThatCount } from '../../../src/plan/tester-list.ts'
import { MERGES, tester } from './cases/testers.ts'

describe('versions of the file', () => {
  const at = (...days: (number | null)[]) =>
    days.map((day, index) => ({
      sha: String(index),
      at: day === null ? null : new Date(Date.UTC(2026, 10, 26) - day * 86_400_000).toISOString(),
    }))
  const count = (versions: ReturnType<typeof at>, until: string | null) => {
    const { counted, leftOut } = versionsThatCount(versions, until)
    return [counted.map(({ sha }) => sha).join(''), leftOut]
  }
  const now = '2026-11-26T00:00:00Z'

  it.each([
    ['those of the last 90 days, and the one before them', at(1, 30, 89, 100, 200), now, ['0123', 0]],
    ['the newest alone where it is old', at(199, 200), now, ['0', 0]],
    ['all of a repository whose commits are all old', at(199, 200), at(198)[0]!.at, ['01', 0]],
    ['by its own newest commit where the branch is not known', at(199, 200, 300), null, ['012', 0]],
    ['those without a date', at(1, null, 2), now, ['012', 0]],
    ['none', [], now, ['', 0]],
  ] as const)('%s', (_, versions, until, expected) => {
    expect(count(versions as ReturnType<typeof at>, until)).toEqual(expected)
  })

  it('50 at most, and how many more there would be', () => {
    const { counted, leftOut } = versionsThatCount(at(...Array<number>(60).fill(1)), now)
    expect([counted.length, leftOut]).toEqual([50, 10])
  })
})

it.each([
  ['2026-11-25', true],
  ['2026-11-26', false],
  ['2026-11-27', false],
  [null, false],
])('the last day %s is over: %s', (until, expected) =>
  expect(isPast(tester('ada', 'beta', { until }), '2026-11-26')).toBe(expected),
)

it('two states of the file differ', () => {
  const a = tester('a', 'beta')
  const b = tester('b', 'beta')
  const c = tester('c', 'beta')
  const moved = tester('b', 'alpha')
  expect(compareTesters([a, b], [moved, c])).toEqual({
    added: [c],
    removed: [a],
    moved: [{ tester: moved, from: 'beta' }],
  })
  expect(compareTesters([a], [{ ...a, line: 9 }])).toEqual({ added: [], removed: [], moved: [] })
})

it.each(MERGES)('two states of the file are merged: %s', (_what, old, current, own, merged) => {
  expect(mergeTesters(old, current, own)).toEqual(merged)
})
