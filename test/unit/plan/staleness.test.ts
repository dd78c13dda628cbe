import { describe, expect, it } from 'vitest'
import { type Circumstances, noteCommit, readNotes } from '../../../src/plan/lineage.ts'
import { isStale, type Standing } from '../../../src/plan/staleness.ts'
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
