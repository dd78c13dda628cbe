import { describe, expect, it } from 'vitest'
import { type Circumstances, noteCommit, readNotes } from '../../../src/plan/bundle-comment.ts'
import { isStale, type Standing, staleByOrder } from '../../../src/plan/staleness.ts'
import type { Commit, Relation } from '../../../src/plan/types.ts'

const commit = (letter: string, runId: number, refName = 'main'): Commit => ({
  sha: letter.repeat(40),
  refName,
  runId,
  runNumber: runId,
  runAttempt: 1,
  url: 'https://x',
})
/** The run's own. */
const OURS = commit('a', 20)
const HEAD = 'f'.repeat(40)

interface Case {
  readonly ours?: Commit
  /** How our commit stands to the head; none = GitHub could not be asked. */
  readonly toHead?: Relation
  /** What the served bundle was built from: channel, commit, how ours stands to it, whether the ref still has it. */
  readonly served?: readonly (readonly [
    channel: string,
    commit: Commit,
    relation: Relation,
    isInHistory?: boolean,
    circumstances?: Circumstances,
  ])[]
  readonly isChosen?: boolean
  readonly force?: boolean
}

function ask({ ours = OURS, toHead, served = [], isChosen = false, force = false }: Case): string | null {
  const standing: Standing = {
    head: toHead === undefined ? { kind: 'unknown' } : { kind: 'at', sha: HEAD },
    toHead: toHead ?? 'unknown',
    notes: served.map(([channel, of, relation, isInHistory = null, circumstances]) => {
      const [note] = readNotes({ comment: noteCommit(null, channel, of, circumstances) })
      return { note: note!, relation, isInHistory }
    }),
  }
  return isStale({ ours, channelName: 'production', standing, isChosen, force })
}

const later = commit('b', 30)
const earlier = commit('c', 10)
const rolledBackFromOurs: Circumstances = { after: null, instead: { name: '1.2.1', sha: OURS.sha } }
const rolledBackTwice: Circumstances = {
  after: null,
  instead: { name: '1.2.1', sha: later.sha },
  alsoOff: [OURS.sha],
}
const rolledBackFromOther: Circumstances = { after: null, instead: { name: '1.2.1', sha: later.sha } }

describe('a commit is published', () => {
  it.each<[string, Case]>([
    ['on a channel that serves nothing', { toHead: 'identical' }],
    [
      'as the head, whatever is served and by whichever run',
      { toHead: 'identical', served: [['production', later, 'behind']] },
    ],
    [
      'as the head after a force-push to another line',
      { toHead: 'identical', served: [['production', later, 'diverged']] },
    ],
    [
      'as the head, after a roll-back from another commit',
      { toHead: 'identical', served: [['production', later, 'behind', false, rolledBackFromOther]] },
    ],
    [
      'behind the head, when what is served is older',
      { toHead: 'behind', served: [['production', earlier, 'ahead']] },
    ],
    [
      'behind the head, when the later commit that is served was dropped',
      { toHead: 'behind', served: [['production', later, 'behind', false]] },
    ],
    [
      'behind the head, when the dropped commit is on another line',
      { toHead: 'behind', served: [['production', later, 'diverged']] },
    ],
    ['behind the head, when a person put something unknown there', { toHead: 'behind' }],
    [
      'behind the head, when its own run put another line there',
      { toHead: 'behind', served: [['production', commit('b', 20, 'develop'), 'diverged']] },
    ],
    [
      'behind the head, when an earlier run put another branch there',
      { toHead: 'behind', served: [['production', commit('b', 10, 'develop'), 'diverged']] },
    ],
    [
      'behind the head, when another branch that is older was put there later',
      { toHead: 'behind', served: [['production', commit('b', 30, 'develop'), 'ahead']] },
    ],
    [
      'behind the head, after a roll-back that came before its run',
      { toHead: 'behind', served: [['production', earlier, 'ahead', true, rolledBackFromOther]] },
    ],
    [
      'behind the head, of a branch with a space, when the later commit that is served was dropped',
      {
        ours: { ...OURS, refName: 'my\u00a0branch' },
        toHead: 'behind',
        served: [['production', { ...later, refName: 'my\u00a0branch' }, 'behind', false]],
      },
    ],
    [
      'as the head, though another channel was rolled back from it',
      { toHead: 'identical', served: [['beta', earlier, 'ahead', true, rolledBackFromOurs]] },
    ],
    ['without GitHub, when only another channel had a later run', { served: [['beta', later, 'diverged']] }],
    [
      'where GitHub knows the head and not how it stands to it, after what is older',
      { toHead: 'unknown', served: [['production', later, 'ahead']] },
    ],
    ['checked out on purpose, though the ref has moved', { toHead: 'ahead', isChosen: true }],
    ['when it is served already', { toHead: 'diverged', served: [['production', OURS, 'identical']] }],
    ['without GitHub, after what is older', { served: [['production', earlier, 'ahead']] }],
    [
      'without GitHub, on another line, when its run began later',
      { served: [['production', earlier, 'diverged']] },
    ],
    [
      'checked out on purpose, on another line, when its run began later',
      { toHead: 'diverged', isChosen: true, served: [['production', earlier, 'diverged']] },
    ],
    ['by force, though the ref has dropped it', { toHead: 'diverged', force: true }],
    [
      'by force, though it was rolled back',
      {
        toHead: 'identical',
        force: true,
        served: [['production', earlier, 'ahead', true, rolledBackFromOurs]],
      },
    ],
  ])('%s', (_, facts) => {
    expect(ask(facts)).toBeNull()
  })
})

describe('a commit is stale', () => {
  it.each<[string, Case, string]>([
    ['when a reset dropped it', { toHead: 'ahead' }, 'main was moved to fffffff'],
    [
      'when a rewritten history dropped it',
      { toHead: 'diverged', served: [['production', earlier, 'ahead']] },
      'not in its history',
    ],
    [
      'behind the head, when a later commit is served',
      { toHead: 'behind', served: [['production', later, 'behind', true]] },
      'is older',
    ],
    [
      'behind the head, when only the line of another channel says so',
      { toHead: 'behind', served: [['beta', later, 'behind', true]] },
      'is older',
    ],
    [
      'behind the head, when a descendant of another branch is served',
      { toHead: 'behind', served: [['production', commit('b', 30, 'develop'), 'behind', false]] },
      'is older',
    ],
    [
      'behind the head, when another branch was put there after its run began',
      { toHead: 'behind', served: [['production', commit('b', 30, 'develop'), 'diverged']] },
      'started after this run',
    ],
    [
      'behind the head, after a roll-back that came after its run',
      { toHead: 'behind', served: [['production', commit('c', 40), 'ahead', true, rolledBackFromOther]] },
      'rolled the channel back',
    ],
    [
      'as the head, when it was itself rolled back',
      { toHead: 'identical', served: [['production', commit('c', 40), 'ahead', true, rolledBackFromOurs]] },
      'rolled the channel back',
    ],
    [
      'as the head, when it was rolled back before the last roll-back',
      { toHead: 'identical', served: [['production', commit('c', 40), 'ahead', true, rolledBackTwice]] },
      'rolled the channel back',
    ],
    [
      'behind the head, when a run that began later put there what cannot be compared',
      { toHead: 'behind', served: [['production', later, 'unknown']] },
      'started after this run',
    ],
    [
      'behind the head, when nobody knows whether the ref still has the later commit',
      { toHead: 'behind', served: [['production', later, 'behind']] },
      'is older',
    ],
    [
      'where another channel serves this very commit',
      { toHead: 'ahead', served: [['beta', OURS, 'identical']] },
      'was moved to',
    ],
    [
      'as the head, when another channel serves it and this one was rolled back from it',
      {
        toHead: 'identical',
        served: [
          ['beta', OURS, 'identical'],
          ['production', commit('c', 40), 'ahead', true, rolledBackFromOurs],
        ],
      },
      'rolled the channel back',
    ],
    [
      'without GitHub, after a roll-back that came after its run',
      { served: [['production', commit('c', 40), 'ahead', true, rolledBackFromOther]] },
      'rolled the channel back',
    ],
    ['without GitHub, when it is older', { served: [['production', later, 'behind']] }, 'is older'],
    [
      'without GitHub, when the line of another channel says so',
      {
        served: [
          ['production', earlier, 'ahead'],
          ['beta', later, 'behind'],
        ],
      },
      'is older',
    ],
    [
      'without GitHub, on another line, when its run began earlier',
      { served: [['production', later, 'diverged']] },
      'started after this run',
    ],
    [
      'without GitHub or history, when its run began earlier',
      { served: [['production', later, 'unknown']] },
      'could not be compared',
    ],
    [
      'checked out on purpose, when it is older than what is served',
      { toHead: 'diverged', isChosen: true, served: [['production', later, 'behind']] },
      'is older',
    ],
  ])('%s', (_, facts, why) => {
    expect(ask(facts)).toContain(why)
  })
})

describe('the words', () => {
  const note = (circumstances?: Circumstances) =>
    [['production', later, 'diverged', null, circumstances]] as unknown as Case['served'] & {}
  it.each<[Case, string]>([
    [
      { toHead: 'identical', served: [['production', earlier, 'ahead', true, rolledBackFromOurs]] },
      "run 10.1 rolled the channel back from 1.2.1, which was of this run's commit aaaaaaa",
    ],
    [
      { toHead: 'identical', served: [['production', earlier, 'ahead', true, rolledBackTwice]] },
      "run 10.1 rolled the channel back from this run's commit aaaaaaa or a later one",
    ],
    [
      {
        toHead: 'identical',
        served: [['production', earlier, 'ahead', true, { after: null, alsoOff: [OURS.sha] }]],
      },
      "run 10.1 rolled the channel back from this run's commit aaaaaaa or a later one",
    ],
    [
      { served: note() },
      'the channel serves bbbbbbb (main, run 30.1), which was started after this run (the history was rewritten or the branches differ)',
    ],
    [
      { served: [['production', later, 'unknown']] },
      'the channel serves bbbbbbb (main, run 30.1), which was started after this run; the history could not be compared',
    ],
    [
      { served: note(rolledBackFromOther) },
      'run 30.1, which was started after this run, rolled the channel back from 1.2.1',
    ],
    [
      { served: [['production', later, 'behind']] },
      "the channel serves bbbbbbb (main, run 30.1), and this run's commit aaaaaaa is older",
    ],
  ])('%j', (facts, why) => expect(ask(facts)).toBe(why))
})

describe('staleByOrder', () => {
  const instead = { name: '1.2.1', sha: null }
  const of = (runId: number, more: object = {}) => ({
    ...later,
    runId,
    run: `${runId}.1`,
    instead: null,
    ...more,
  })
  it.each<[string, ReturnType<typeof of>, Relation, boolean]>([
    ['the same commit, whatever the runs are', of(30, { sha: OURS.sha, instead }), 'unknown', false],
    ['behind', of(10), 'behind', true],
    ['ahead', of(30), 'ahead', false],
    ['identical', of(30), 'identical', false],
    ['another line, of a later run', of(30), 'diverged', true],
    ['another line, of the same run', of(20), 'diverged', false],
    ['another line, of an earlier run', of(10), 'diverged', false],
    ['unknown, of a later run', of(30), 'unknown', true],
    ['unknown, of the same run', of(20), 'unknown', false],
    ['rolled back by a later run', of(30, { instead }), 'ahead', true],
    ['rolled back by the same run', of(20, { instead }), 'ahead', false],
    ['rolled back by an earlier run', of(10, { instead }), 'ahead', false],
  ])('%s', (_what, note, relation, isOlder) => {
    expect(staleByOrder(OURS, note, relation) !== null).toBe(isOlder)
  })
})
