/** Testers' devices in a comment: true counts, problems first, people by name. */
import { describe, expect, it } from 'vitest'
import { comments } from '../../../scripts/pictures/comments.ts'
import { parseAsGitHub } from '../../../scripts/pictures/github.ts'
import {
  countTesters,
  renderMerging,
  renderTesterSection,
  renderTesters,
  type TesterRow,
} from '../../../src/report/testers.ts'
import { elements, textOf } from './hostile.ts'

const { rows, addPhone } = comments.testers.testers
const crowd = comments['testers-120'].testers.rows
const row = (more: Partial<TesterRow>): TesterRow => ({ ...rows[0]!, from: null, fromPull: null, ...more })

const line = (some: readonly TesterRow[]) =>
  textOf(
    elements(parseAsGitHub(renderTesterSection(some, null))).find(({ tagName }) => tagName === 'summary')!,
  )
const cells = (markdown: string) =>
  elements(parseAsGitHub(markdown))
    .filter(({ tagName }) => tagName === 'td')
    .map(textOf)

describe('the line of the testers', () => {
  it('counts who has it, who gets it and who does not, with names', () => {
    expect(line(rows)).toBe(
      '⚠️ Testers: 1 of 8 has it, 2 get it at the next app start, 1 cannot install it (Dev), 1 has not opened the app yet',
    )
    expect(line(crowd)).toBe(
      '⚠️ Testers: 39 of 120 have it, 77 get it at the next app start, 2 cannot install it (Tester 18, Tester 94), 2 have not opened the app yet',
    )
  })
  it('is about nobody who never opened the app', () => {
    const unseen = [1, 2, 3].map(n => row({ name: `T${n}`, installation: { kind: 'never_seen' } }))
    expect(line(unseen)).toBe('Testers: none of 3 has it, 3 have not opened the app yet')
  })
  it('says no more than that they are on the channel where Capgo does not say what they run', () => {
    expect(line([row({ installation: null })])).toBe('Testers: 1 of 1 is on the channel')
  })
  it('names three of many, and devices that could not be moved', () => {
    const failed = ['A', 'B', 'C', 'D', 'E'].map(name => row({ name, state: 'failed' }))
    expect(line(failed)).toBe('⚠️ Testers: none of 5 has it, 5 could not be moved (A, B, C and 2 more)')
  })
  it('is not there without rows', () => expect(renderTesterSection([], addPhone)).toBe(''))
})

describe('the links', () => {
  const links = (markdown: string) =>
    elements(parseAsGitHub(markdown))
      .filter(({ tagName }) => tagName === 'a')
      .map(each => [textOf(each), each.properties.href])
  const entry = 'https://github.com/o/r/blob/main/testers.json#L12'

  it('add a phone, and lead to the line of an id that Capgo never saw', () => {
    const unseen = [row({ installation: { kind: 'never_seen' }, entry }), row({ name: 'Well', entry })]
    expect(links(renderTesterSection(unseen, addPhone))).toEqual([
      ['check the id', entry],
      ['Add a phone', 'https://github.com/example/shop/issues/new?template=tester.yml'],
    ])
  })
  it('are left out where their pages are not known', () =>
    expect(
      links(renderTesterSection([row({ installation: { kind: 'never_seen' }, entry: null })], null)),
    ).toEqual([]))
  it('are inside the fold', () =>
    expect(renderTesterSection([row({})], addPhone)).toMatch(/<\/summary>.+Add a phone.+<\/details>$/s))
})

describe('the table', () => {
  it('has problems first, and people by name', () => {
    expect(cells(renderTesters(rows, 'pr-12'))).toEqual([
      'Dev',
      '❌ cannot install it: channel pr-12 refuses emulators',
      'Emil',
      '⚠️ gets it, but Capgo never saw this id (open the app once, or check the id)',
      "Carla's iPad",
      '✅ runs it',
      "Ada's iPhone",
      '✅ gets it at the next app start',
      'Bob (Pixel 9)',
      '✅ gets it at the next app start (moved here from #9)',
      'Fatima',
      '↪️ on #41, which is newer',
      'Gus',
      '✋ stays on support (set by hand)',
      'Hanna',
      '⌛ ended on 2026-10-31',
    ])
  })
  it('is cut at those who are well, who are counted', () => {
    const table = renderTesters(crowd, 'pr-12')
    expect(cells(table)).toHaveLength(2 * 50)
    expect(
      cells(table)
        .filter((_, index) => index % 2 === 0)
        .slice(0, 4),
    ).toEqual(['Tester 18', 'Tester 94', 'Tester 42', 'Tester 119'])
    expect(table).toContain('and 70 more devices without a problem.')
  })
  it('is never cut at a problem', () => {
    const unseen = crowd.map(each => ({ ...each, installation: { kind: 'never_seen' } as const }))
    expect(cells(renderTesters(unseen, 'pr-12'))).toHaveLength(2 * 120)
  })
  it('tells devices apart that have one name, or none', () => {
    const device = (digit: string) => `${digit.repeat(8)}-1111-4222-8333-444455556666`
    const alike = [
      row({ name: 'Ada', device: device('a') }),
      row({ name: 'Ada', device: device('b') }),
      row({ name: null, device: device('c') }),
    ]
    expect(cells(renderTesters(alike, 'pr-12')).filter((_, index) => index % 2 === 0)).toEqual([
      'Ada aaaaaaaa…',
      'Ada bbbbbbbb…',
      'cccccccc…',
    ])
  })
  it('says the channel where it is about several', () => {
    const several = [
      row({ to: 'beta' }),
      row({ state: 'release', to: null }),
      row({ state: 'none', to: null }),
    ]
    expect(cells(renderTesters(several)).filter((_, index) => index % 2 === 1)).toEqual([
      '✅ follows beta',
      '👋 back on the default channel',
      '– on the default channel',
    ])
  })
  it('says of a dry run what would be', () => {
    const planned = [
      row({ planned: true }),
      row({ planned: true, state: 'release', from: 'pr-12', to: null }),
    ]
    expect(cells(renderTesters(planned, 'pr-12')).filter((_, index) => index % 2 === 1)).toEqual([
      '✅ would get it at the next app start',
      '👋 would leave pr-12',
    ])
  })
})

it('merging says how many it adds, removes and moves, and whom', () => {
  const merging = renderMerging(comments.testers.testers.merging)
  expect(merging).toContain('<b>Merging changes the testers:</b> adds 2, removes 1, moves 1</summary>')
  expect(
    elements(parseAsGitHub(merging))
      .filter(({ tagName }) => tagName === 'li')
      .map(textOf),
  ).toEqual([
    'adds Iris 13c6f4c5…',
    "adds Jon's Pixel 14fc6dd6… on beta",
    'removes Hanna 12917bb4…',
    "moves Carla's iPad 0c861e5f… from the default channel to beta",
  ])
})

it('one line says what was done with all of them', () => {
  const counted = (counts: Partial<Parameters<typeof countTesters>[0]['counts']>) =>
    countTesters({
      rows: [],
      changed: [],
      counts: { assigned: 0, released: 0, renewed: 0, failed: 0, total: 120, ...counts },
      failures: [],
      isPlanned: false,
      merging: null,
      addPhone: null,
    })
  expect(counted({})).toBe('All 120 testers are on the right channel')
  expect(counted({ total: 1 })).toBe('The tester is on the right channel')
  expect(counted({ total: 0 })).toBe('No testers')
  expect(counted({ assigned: 2, failed: 1 })).toBe('120 testers: 2 assigned, 1 failed')
})
