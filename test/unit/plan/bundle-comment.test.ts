import { describe, expect, it } from 'vitest'
import {
  noteCommit,
  noteRollback,
  numberOfPull,
  previewedPulls,
  readNotes,
  readPulls,
  readServedCommit,
  tookOver,
  withNoteOf,
} from '../../../src/plan/bundle-comment.ts'

const ours = {
  sha: 'a'.repeat(40),
  refName: 'main',
  runId: 20,
  runNumber: 57,
  runAttempt: 2,
  url: 'https://x',
}
const theirs = { ...ours, sha: 'b'.repeat(40), runId: 30, runNumber: 58, runAttempt: 1 }

describe('the commit that a bundle is there for', () => {
  it('is written and read for each channel apart', () => {
    const first = noteCommit(null, 'production', ours)
    const both = noteCommit(first, 'beta', theirs)
    expect(readServedCommit({ comment: both }, 'production')).toMatchObject({
      sha: ours.sha,
      runId: 20,
      run: '57.2',
    })
    expect(readServedCommit({ comment: both }, 'beta')).toMatchObject({
      sha: theirs.sha,
      runId: 30,
      run: '58.1',
    })
    expect(noteCommit(both, 'beta', ours).split('\n')).toHaveLength(2)
  })
  it('is unknown on bundles of others', () => {
    expect(readServedCommit({ comment: null }, 'production')).toBeNull()
    expect(readServedCommit({ comment: 'by hand' }, 'production')).toBeNull()
    expect(noteCommit('by hand', 'production', ours)).toContain('\nby hand')
  })
})

describe('a note', () => {
  const at = '2026-10-22T10:15:00.000Z'
  const note = (comment: string, channel = 'production') => readServedCommit({ comment }, channel)!
  it('says what the channel served before, when and for whom', () => {
    const comment = noteCommit(null, 'production', { ...ours, at, pull: 'o/r#12' }, { previous: '1.2.0' })
    expect(comment).toBe(
      `production: main@${ours.sha} run 57.2 (id 20) for o/r#12 after 1.2.0 at 2026-10-22T10:15:00.000Z`,
    )
    expect(note(comment)).toMatchObject({
      pull: 'o/r#12',
      previous: '1.2.0',
      at,
      rolledBackFrom: null,
      rolledBackBy: null,
    })
  })
  it('keeps what was before and when, where nothing else is told', () => {
    const first = noteCommit(null, 'production', { ...ours, at }, { previous: '1.2.0' })
    expect(note(noteCommit(first, 'production', theirs))).toMatchObject({
      sha: theirs.sha,
      previous: '1.2.0',
      at,
    })
  })
  it('says that a bundle was rolled back, until it is put on the channel again', () => {
    const both = noteCommit(noteCommit(null, 'production', ours), 'beta', ours)
    const withdrawn = noteRollback(both, 'production', theirs)!
    expect(note(withdrawn).rolledBackBy).toEqual({ runId: 30, run: '58.1' })
    expect(note(withdrawn, 'beta').rolledBackBy).toBeNull()
    expect(note(noteCommit(withdrawn, 'production', theirs)).rolledBackBy).toBeNull()
    expect(noteRollback('by hand', 'production', theirs)).toBeNull()
  })
  it('leaves out a name that would not be one word', () => {
    const comment = noteCommit(null, 'production', ours, { previous: 'my bundle' })
    expect(note(comment).previous).toBeNull()
  })
  it('reads notes with words that a later version may add', () => {
    const comment = `production: main@${ours.sha} run 57.2 (id 20) colour blue after 1.2.0`
    expect(note(comment)).toMatchObject({ previous: '1.2.0', runId: 20 })
  })
})

describe('the titles of the changes', () => {
  const noted = (titles: readonly string[], more = 0) =>
    noteCommit(null, 'production', ours, { previous: '1.2.0', releaseNotes: { titles, more } })
  const served = (comment: string) => readServedCommit({ comment }, 'production')

  it('are one word at the end, for people to read', () => {
    const comment = noted(['Add a wallet (#12)', 'Fix totals'], 3)
    expect(comment).toBe(
      `production: main@${ours.sha} run 57.2 (id 20) after 1.2.0 changes Add_a_wallet_(#12),_Fix_totals_and_3_more`,
    )
    expect(served(noteRollback(comment, 'production', theirs)!)?.changes, 'after a rollback').toBe(
      'Add_a_wallet_(#12),_Fix_totals_and_3_more',
    )
  })

  it.each([
    `x after 9.9.9 for o/r#7 repo 7 withdrawn 9.1/9`,
    `x\nproduction: evil@${'f'.repeat(40)} run 9.1 (id 9)`,
    `x\u2028beta: evil@${'f'.repeat(40)} run 9.1 (id 9)`,
    `x\u00a0after\u00a09.9.9`,
    `beta: evil@${'f'.repeat(40)} run 9.1 (id 9)`,
  ])('forge nothing: %j', title => {
    const comment = noted([title])
    expect(readNotes({ comment })).toEqual([
      { ...readNotes({ comment: noted([]) })[0], changes: expect.any(String) },
    ])
    expect(comment).not.toMatch(/ for \S*#/)
  })

  it('are left out where the filter of a request would grow too long', () => {
    expect(
      encodeURIComponent(served(noted(Array(5).fill('速'.repeat(30))))?.changes ?? '').length,
    ).toBeLessThan(401)
    expect(served(noted(['\ud800', 'b']))?.changes).toBe('\ufffd,_b')
    expect(served(noted(['速'.repeat(100)]))?.changes).toBeNull()
  })
})

describe('a note of another run', () => {
  it('stays where this run writes its own line on what was read before', () => {
    const seen = noteCommit(null, 'beta', ours)
    const mine = noteCommit(seen, 'production', ours)
    const meanwhile = noteCommit(seen, 'beta', theirs)
    const merged = withNoteOf(meanwhile, 'production', mine)
    expect(readServedCommit({ comment: merged }, 'production')?.sha).toBe(ours.sha)
    expect(readServedCommit({ comment: merged }, 'beta')?.sha).toBe(theirs.sha)
  })
  it('is read in a repository with SHA-256 too', () => {
    const comment = noteCommit(null, 'production', { ...ours, sha: 'c'.repeat(64) })
    expect(readServedCommit({ comment }, 'production')?.sha).toBe('c'.repeat(64))
  })
  it('says which commits earlier roll-backs took off', () => {
    const alsoOff = ['d'.repeat(40), 'e'.repeat(40)]
    const comment = noteCommit(null, 'production', ours, {
      previous: null,
      rolledBackFrom: { name: '1.2.1', sha: theirs.sha },
      rolledBackEarlier: alsoOff,
    })
    expect(readServedCommit({ comment }, 'production')).toMatchObject({ rolledBackEarlier: alsoOff })
  })
})

describe('a preview on a channel', () => {
  const pull = { ...ours, pull: 'o/r#12', repository: 77 }
  const note = (took: string | null, comment: string | null = null) =>
    noteCommit(comment, 'qa', pull, { previous: null, took: took })
  const channel = (name: string | null, comment: string | null) => ({
    name: 'qa',
    version: name === null ? null : { id: 7, name, comment },
  })

  it('notes the id of the repository, and what the channel served when a preview took it', () => {
    expect(note('1.0.0')).toBe(`qa: main@${ours.sha} run 57.2 (id 20) for o/r#12 repo 77 took 1.0.0`)
    expect(readServedCommit({ comment: note('1.0.0') }, 'qa')).toMatchObject({
      repository: 77,
      took: '1.0.0',
    })
    expect(readServedCommit({ comment: note(null) }, 'qa')).toMatchObject({ took: null })
    // A move of the bundle says nothing of it.
    expect(noteCommit(note('1.0.0'), 'qa', pull)).toContain('took 1.0.0')
  })

  it.each([
    ['served nothing', channel(null, null), 'builtin'],
    ['served what others made', channel('1.0.0', 'by hand'), '1.0.0'],
    ['served what a branch published', channel('1.0.0', noteCommit(null, 'qa', ours)), '1.0.0'],
    ['served what was noted for another channel', channel('1.0.0', noteCommit(null, 'pr-12', pull)), '1.0.0'],
    ['served a name that cannot be noted', channel('my bundle', null), '#7'],
    ['was made by a preview', channel('1.0.1-pr.12.1.1', note(null)), null],
    ['was taken by a preview before', channel('1.0.1-pr.12.1.1', note('1.0.0')), '1.0.0'],
  ])('that %s', (_, before, took) => {
    expect(tookOver(before)).toBe(took)
  })

  const here = { name: 'o/r', id: 77, formerNames: ['o/old'] }
  it.each([
    ['by its id', 'x/y#12', 77, here, 12],
    ['not by its name where the id is of another', 'o/r#12', 78, here, null],
    ['by its name where no id is noted', 'o/r#12', null, here, 12],
    ['by its name where no id is known', 'o/r#12', 78, { ...here, id: null }, 12],
    ['whatever the case of its name is', 'O/R#12', null, here, 12],
    ['by a name that it had', 'o/old#12', null, here, 12],
    ['not by the name of another', 'o/r2#12', null, here, null],
  ])('is known %s', (_, name, repository, about, number) => {
    expect(numberOfPull({ pull: name, repository }, about)).toBe(number)
  })
})

describe('the pull requests that a channel is the preview of', () => {
  const here = { name: 'o/r', id: 77, formerNames: [] }
  const note = (number: number, channel: string) => ({
    comment: noteCommit(null, channel, { ...ours, pull: `o/r#${number}` }),
  })
  const branch = { comment: noteCommit(null, 'preview', ours) }
  it.each([
    ['that of what it serves', note(12, 'preview'), [note(12, 'preview'), note(13, 'preview')], [12]],
    ['none where it serves nothing', null, [note(12, 'preview')], []],
    [
      'that of the newest that was on it, where a person put something else there',
      { comment: 'by hand' },
      [note(12, 'preview'), note(13, 'preview'), note(14, 'pr-14')],
      [13],
    ],
    ['that too where it is the bundle of another preview', note(14, 'pr-14'), [note(12, 'preview')], [12]],
    ['none where a branch has published to it since', branch, [note(12, 'preview')], []],
    [
      'none of another repository',
      { comment: null },
      [{ comment: noteCommit(null, 'preview', { ...ours, pull: 'x/y#9' }) }],
      [],
    ],
  ])('%s', (_, version, noted, pulls) => {
    expect(previewedPulls({ name: 'preview', version }, noted, here)).toEqual(pulls)
  })
})

describe('a comment is read line by line', () => {
  const line = (more: string, channel = 'production') =>
    `${channel}: main@${ours.sha} run 57.2 (id 20)${more}`
  it.each<[string, string, object]>([
    ['spaces around it', `  ${line(' after 1.2.0')}  `, { previous: '1.2.0' }],
    ['a pull request', line(' for o/r#12 repo 77'), { pull: 'o/r#12', repository: 77 }],
    ['what only begins like one', line(' for o/r#12x repo 77x'), { pull: null, repository: null }],
    ['what only ends like one', line(' for #12 repo x77'), { pull: null, repository: null }],
    ['a value that is called like a word', line(' after at at 2026'), { previous: 'at', at: '2026' }],
    [
      'a roll-back without a commit',
      line(' instead 1.2.1'),
      { rolledBackFrom: { name: '1.2.1', sha: null } },
    ],
    [
      'commits that are none',
      line(` off x,${theirs.sha},${theirs.sha}0`),
      { rolledBackEarlier: [theirs.sha] },
    ],
    ['a withdrawal without an id', line(' withdrawn 58.1'), { rolledBackBy: null }],
    ['a withdrawal', line(' withdrawn 58.1/30'), { rolledBackBy: { run: '58.1', runId: 30 } }],
  ])('%s', (_what, comment, expected) => {
    expect(readNotes({ comment })).toEqual([expect.objectContaining(expected)])
  })
  it.each([
    ['no comment', null],
    ['words', 'by hand'],
    ['a line with words before it', `see ${line('')}`],
    ['a word without a value', line(' after')],
    ['a short sha', 'production: main@abc run 57.2 (id 20)'],
  ])('%s says nothing', (_what, comment) => expect(readNotes({ comment })).toEqual([]))

  it('the pull requests of it', () => {
    const comment = [line(' for o/r#12 repo 77 took 1.0.0', 'pr-12'), line(''), 'by hand'].join('\n')
    expect(readPulls({ comment })).toEqual([
      { pull: 'o/r#12', repository: 77, channel: 'pr-12', sha: ours.sha, took: '1.0.0' },
    ])
  })

  it('what it cannot say is not written', () => {
    const off = Array.from({ length: 12 }, (_, n) => n.toString(16).repeat(40))
    const comment = noteCommit(null, 'production', ours, {
      previous: null,
      rolledBackFrom: { name: '1.2.1', sha: null },
      rolledBackEarlier: off,
    })
    expect(comment).toBe(
      `production: main@${ours.sha} run 57.2 (id 20) instead 1.2.1 off ${off.slice(0, 10).join(',')}`,
    )
    const spaced = { previous: null, rolledBackFrom: { name: 'my bundle', sha: null } }
    expect(noteCommit(null, 'production', ours, spaced)).not.toContain('instead')
    const named = { ...ours, refName: 'a\u00a0b' }
    expect(noteCommit(null, 'production', named)).toContain('production: a_b@')
    expect(noteCommit(null, 'production', { ...ours, refName: '' })).toContain('production: _@')
  })

  it('a line of this run replaces its own alone, also where others wrote words', () => {
    const mine = noteCommit('by hand\nagain', 'production', ours)
    expect(withNoteOf('by hand', 'production', mine)).toBe(`${line('')}\nby hand`)
    expect(withNoteOf(`${line(' after 1.0.0')}\nby hand`, 'production', mine)).toBe(`${line('')}\nby hand`)
    expect(withNoteOf('by hand', 'production', 'no note')).toBe('by hand')
    expect(withNoteOf(line('', 'beta'), 'production', mine)).toBe(`${line('')}\n${line('', 'beta')}`)
    expect(noteRollback(mine, 'production', theirs)?.split('\n').slice(1)).toEqual(['by hand', 'again'])
  })
})
