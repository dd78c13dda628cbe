import { describe, expect, it } from 'vitest'
import {
  type ChangedCommit,
  planReleaseNotes,
  type ReleaseNotes,
  summariseReleaseNotes,
} from '../../../src/plan/release-notes.ts'

/** A history in a line, the oldest first; each names its message. */
const line = (...messages: readonly string[]): ChangedCommit[] =>
  messages.map((message, at) => ({ sha: `${at + 1}`, parents: [`${at}`], message }))
const notes = (commits: readonly ChangedCommit[], total = commits.length) =>
  planReleaseNotes({ commits, total })

const merge = 'Merge pull request #12 from ada/wallet'
/** Two commits on a branch beside one on main, merged by this message. */
const merged = (message: string): ChangedCommit[] => [
  { sha: 'b1', parents: ['0'], message: 'Begin a wallet' },
  { sha: 'b2', parents: ['b1'], message: 'Finish it' },
  { sha: 'm1', parents: ['0'], message: 'Fix totals' },
  { sha: 'm2', parents: ['m1', 'b2'], message },
]

const CASES: readonly (readonly [string, readonly ChangedCommit[], readonly string[]])[] = [
  ['nothing', [], []],
  ['the newest first', line('Add a wallet', 'Fix totals'), ['Fix totals', 'Add a wallet']],
  ['the subject alone', line('Add a wallet\n\nIt holds coins.'), ['Add a wallet']],
  ['a squashed pull request', line('Add a wallet (#12)\n\n* Begin\n* Finish'), ['Add a wallet (#12)']],
  [
    'a merged one by its title, without its commits',
    merged(`${merge}\n\nAdd a wallet`),
    ['Add a wallet (#12)', 'Fix totals'],
  ],
  [
    'a merge that has the title as its subject',
    merged('Add a wallet (#12)'),
    ['Add a wallet (#12)', 'Fix totals'],
  ],
  ['a merge without the title: its commits', merged(merge), ['Fix totals', 'Finish it', 'Begin a wallet']],
  [
    'a branch merged by hand: its commits',
    merged("Merge branch 'wallet'"),
    ['Fix totals', 'Finish it', 'Begin a wallet'],
  ],
  [
    'a merge with words of its own',
    merged('Bring the wallet in'),
    ['Bring the wallet in', 'Fix totals', 'Finish it', 'Begin a wallet'],
  ],
  [
    'main merged into the branch: what both bring, once',
    [
      { sha: 'b1', parents: ['0'], message: 'Begin a wallet' },
      { sha: 'm1', parents: ['0'], message: 'Fix totals (#11)' },
      { sha: 'b2', parents: ['b1', 'm1'], message: "Merge branch 'main' into wallet" },
      { sha: 'b3', parents: ['b2'], message: 'Finish it' },
    ],
    ['Finish it', 'Fix totals (#11)', 'Begin a wallet'],
  ],
  [
    'a pull request that had main merged into it hides nothing of main',
    [
      { sha: 'm1', parents: ['0'], message: 'Fix totals (#11)' },
      { sha: 'b1', parents: ['0'], message: 'Begin' },
      { sha: 'b2', parents: ['b1', 'm1'], message: "Merge branch 'main' into wallet" },
      { sha: 'm2', parents: ['m1', 'b2'], message: `${merge}\n\nAdd a wallet` },
    ],
    ['Add a wallet (#12)', 'Fix totals (#11)'],
  ],
  ["a bot's bump", line('Bump vite from 7.1.2 to 7.1.4 (#11)'), ['Bump vite from 7.1.2 to 7.1.4 (#11)']],
  ['a revert by GitHub', line('Revert "Add a wallet (#12)" (#15)'), ['Revert "Add a wallet (#12)" (#15)']],
  [
    'a revert in other words',
    line('No wallet yet\n\nThis reverts commit 4f9c2d7.'),
    ['Revert: No wallet yet'],
  ],
  [
    'a revert of a revert',
    line('Reapply "Add a wallet"\n\nThis reverts commit 4f9c2d7.'),
    ['Reapply "Add a wallet"'],
  ],
  [
    'a squashed one that quotes a revert',
    line('Add (#12)\n\n* No\n\nThis reverts commit 4f9c2d7.'),
    ['Add (#12)'],
  ],
  ['fixups and commits without a word: left out', line('fixup! Add', 'squash! Add', 'amend! Add', '  '), []],
  ['one title twice: once', line('Fix', 'Add', 'Fix'), ['Fix', 'Add']],
  ['line ends of Windows, tabs and spaces', line('Add\ta  wallet \r\n\r\nBody'), ['Add a wallet']],
  ['a long title, with its number', line(`${'a'.repeat(200)} (#12)`), [`${'a'.repeat(113)}… (#12)`]],
  ['a long title of emoji', line('👛'.repeat(100)), [`${'👛'.repeat(59)}…`]],
]

describe('release notes', () => {
  it.each(CASES)('%s', (_, commits, titles) => {
    expect(notes(commits)).toEqual({ titles, more: 0 })
  })

  it('have five titles at most, and count the rest, also of further pages', () => {
    const eight = line(...'abcdefgh')
    expect(notes(eight)).toEqual({ titles: ['h', 'g', 'f', 'e', 'd'], more: 3 })
    expect(notes(eight, 250).more).toBe(245)
  })

  it('survive a history that goes in circles', () => {
    const circle = [
      { sha: 'a', parents: ['b', 'a'], message: 'One (#1)' },
      { sha: 'b', parents: ['a', 'b'], message: 'Two (#2)' },
    ]
    expect(notes(circle).more).toBe(0)
  })

  it.each<[ReleaseNotes, number, string]>([
    [{ titles: [], more: 0 }, 100, ''],
    [{ titles: ['Add', 'Fix'], more: 0 }, 100, 'Add, Fix'],
    [{ titles: ['Add', 'Fix'], more: 7 }, 100, 'Add, Fix and 7 more'],
    [{ titles: ['Add', 'Fix'], more: 7 }, 18, 'Add and 8 more'],
    [{ titles: ['Add', 'Fix'], more: 0 }, 8, 'Add, Fix'],
    [{ titles: ['Add', 'Fix'], more: 0 }, 7, ''],
  ])('%j in %i characters: %j', (all, room, expected) => {
    expect(summariseReleaseNotes(all, room)).toBe(expected)
  })
})
