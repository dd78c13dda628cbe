import { describe, expect, it } from 'vitest'
import { noteCommit, noteWithdrawal, readServedCommit, withNoteOf } from '../../../src/plan/lineage.ts'

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
    const comment = noteCommit(null, 'production', { ...ours, at, pull: 'o/r#12' }, { after: '1.2.0' })
    expect(comment).toBe(
      `production: main@${ours.sha} run 57.2 (id 20) for o/r#12 after 1.2.0 at 2026-10-22T10:15:00.000Z`,
    )
    expect(note(comment)).toMatchObject({
      pull: 'o/r#12',
      after: '1.2.0',
      at,
      instead: null,
      withdrawn: null,
    })
  })
  it('keeps what was before and when, where nothing else is told', () => {
    const first = noteCommit(null, 'production', { ...ours, at }, { after: '1.2.0' })
    expect(note(noteCommit(first, 'production', theirs))).toMatchObject({
      sha: theirs.sha,
      after: '1.2.0',
      at,
    })
  })
  it('says that a bundle was rolled back, until it is put on the channel again', () => {
    const both = noteCommit(noteCommit(null, 'production', ours), 'beta', ours)
    const withdrawn = noteWithdrawal(both, 'production', theirs)!
    expect(note(withdrawn).withdrawn).toEqual({ runId: 30, run: '58.1' })
    expect(note(withdrawn, 'beta').withdrawn).toBeNull()
    expect(note(noteCommit(withdrawn, 'production', theirs)).withdrawn).toBeNull()
    expect(noteWithdrawal('by hand', 'production', theirs)).toBeNull()
  })
  it('leaves out a name that would not be one word', () => {
    const comment = noteCommit(null, 'production', ours, { after: 'my bundle' })
    expect(note(comment).after).toBeNull()
  })
  it('reads notes with words that a later version may add', () => {
    const comment = `production: main@${ours.sha} run 57.2 (id 20) colour blue after 1.2.0`
    expect(note(comment)).toMatchObject({ after: '1.2.0', runId: 20 })
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
      after: null,
      instead: { name: '1.2.1', sha: theirs.sha },
      alsoOff,
    })
    expect(readServedCommit({ comment }, 'production')).toMatchObject({ alsoOff })
  })
})
