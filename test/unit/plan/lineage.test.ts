import { describe, expect, it } from 'vitest'
import { isStale, noteCommit, readServedCommit } from '../../../src/plan/lineage.ts'

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

describe('isStale', () => {
  const served = readServedCommit({ comment: noteCommit(null, 'production', theirs) }, 'production')
  it('follows history where it can be told', () => {
    expect(isStale(ours, served, 'behind')).toContain('is older')
    expect(isStale(ours, served, 'ahead')).toBeNull()
    expect(isStale(ours, null, 'behind')).toBeNull()
    expect(isStale(theirs, served, 'identical')).toBeNull()
  })
  it('follows the order of the runs where history cannot tell', () => {
    for (const relation of ['diverged', 'unknown'] as const) {
      expect(isStale(ours, served, relation)).toContain('started after this run')
      expect(isStale({ ...ours, runId: 40 }, served, relation)).toBeNull()
    }
  })
})
