/** Whether a run is too old for its channel, by `isStale` and `staleByOrder`. */
import { type Circumstances, noteCommit, readNotes } from '../../../../src/plan/bundle-comment.ts'
import type { StaleQuestion } from '../../../../src/plan/staleness.ts'
import type { Commit, Relation } from '../../../../src/plan/types.ts'
import type { Case } from './case.ts'

/** A commit that is named by a letter, and the run that published it. */
export const commitOf = (letter: string, runId: number, refName = 'main'): Commit => ({
  sha: letter.repeat(40),
  refName,
  runId,
  runNumber: runId,
  runAttempt: 1,
  url: 'https://example.com',
})
/** The run's own. */
export const OURS = commitOf('a', 20)
const HEAD = 'f'.repeat(40)

/** A line of the comment of what is served. */
interface ServedLine {
  readonly on?: string
  readonly commit: Commit
  /** How our commit stands to it. */
  readonly relation: Relation
  /** Whether the ref still has it. */
  readonly isInHistory?: boolean | null
  readonly noted?: Partial<Circumstances>
}

export interface StaleGiven {
  readonly ours?: Commit
  /** How our commit stands to the head; none = GitHub could not be asked. */
  readonly toHead?: Relation
  readonly served?: readonly ServedLine[]
  readonly isChosen?: boolean
  readonly force?: boolean
}

export function staleQuestion({
  ours = OURS,
  toHead,
  served = [],
  isChosen = false,
  force = false,
}: StaleGiven): StaleQuestion {
  const notes = served.flatMap(({ on = 'production', commit, relation, isInHistory = null, noted }) =>
    readNotes({ comment: noteCommit(null, on, commit, { previous: null, ...noted }) }).map(note => ({
      note,
      relation,
      isInHistory,
    })),
  )
  return {
    ours,
    channelName: 'production',
    standing: {
      head: toHead === undefined ? { kind: 'unknown' } : { kind: 'at', sha: HEAD },
      toHead: toHead ?? 'unknown',
      notes,
    },
    isChosen,
    force,
  }
}

export const PUBLISHED = 'published'
export const STALE = 'stale'

const later = commitOf('b', 30)
const earlier = commitOf('c', 10)
const ofRun40 = commitOf('c', 40)
const offOurs: Partial<Circumstances> = { rolledBackFrom: { name: '1.2.1', sha: OURS.sha } }
const offOther: Partial<Circumstances> = { rolledBackFrom: { name: '1.2.1', sha: later.sha } }
const offTwice: Partial<Circumstances> = { ...offOther, rolledBackEarlier: [OURS.sha] }
const odd = 'my\u00a0branch'

const is = (name: string, given: StaleGiven): Case<StaleGiven> => ({
  name,
  given,
  result: PUBLISHED,
  why: '',
})
const isStale = (name: string, given: StaleGiven, why: string | RegExp): Case<StaleGiven> => ({
  name,
  given,
  result: STALE,
  why,
})

const IS_OLDER = "the channel serves bbbbbbb (main, run 30.1), and this run's commit aaaaaaa is older"
const OLDER_THAN_DEVELOP =
  "the channel serves bbbbbbb (develop, run 30.1), and this run's commit aaaaaaa is older"
const MOVED = "main was moved to fffffff, whose history does not include this run's commit aaaaaaa"
const ROLLED_BACK_BY_LATER = 'run 40.1, which was started after this run, rolled the channel back from 1.2.1'
const OURS_ROLLED_BACK = (run: string) =>
  `run ${run} rolled the channel back from 1.2.1, which was built from this run's commit aaaaaaa`
const ROLLED_BACK_BEFORE = (run: string) =>
  `run ${run} rolled the channel back from this run's commit aaaaaaa or a later one`

const published: readonly Case<StaleGiven>[] = [
  is('on a channel that serves nothing', { toHead: 'identical' }),
  is('as the head, whatever is served and by whichever run', {
    toHead: 'identical',
    served: [{ commit: later, relation: 'behind' }],
  }),
  is('as the head after a force-push to another line', {
    toHead: 'identical',
    served: [{ commit: later, relation: 'diverged' }],
  }),
  is('as the head, after a rollback from another commit', {
    toHead: 'identical',
    served: [{ commit: later, relation: 'behind', isInHistory: false, noted: offOther }],
  }),
  is('behind the head, when what is served is older', {
    toHead: 'behind',
    served: [{ commit: earlier, relation: 'ahead' }],
  }),
  is('behind the head, when the later commit that is served was dropped', {
    toHead: 'behind',
    served: [{ commit: later, relation: 'behind', isInHistory: false }],
  }),
  is('behind the head, when the dropped commit is on another line', {
    toHead: 'behind',
    served: [{ commit: later, relation: 'diverged' }],
  }),
  is('behind the head, when a person put something unknown there', { toHead: 'behind' }),
  is('behind the head, when its own run put another line there', {
    toHead: 'behind',
    served: [{ commit: commitOf('b', 20, 'develop'), relation: 'diverged' }],
  }),
  is('behind the head, when an earlier run put another branch there', {
    toHead: 'behind',
    served: [{ commit: commitOf('b', 10, 'develop'), relation: 'diverged' }],
  }),
  is('behind the head, when another branch that is older was put there later', {
    toHead: 'behind',
    served: [{ commit: commitOf('b', 30, 'develop'), relation: 'ahead' }],
  }),
  is('behind the head, after a rollback that came before its run', {
    toHead: 'behind',
    served: [{ commit: earlier, relation: 'ahead', isInHistory: true, noted: offOther }],
  }),
  is('behind the head, of a branch with a space, when the later commit that is served was dropped', {
    ours: { ...OURS, refName: odd },
    toHead: 'behind',
    served: [{ commit: { ...later, refName: odd }, relation: 'behind', isInHistory: false }],
  }),
  is('as the head, though another channel was rolled back from it', {
    toHead: 'identical',
    served: [{ on: 'beta', commit: earlier, relation: 'ahead', isInHistory: true, noted: offOurs }],
  }),
  is('without GitHub, when only another channel had a later run', {
    served: [{ on: 'beta', commit: later, relation: 'diverged' }],
  }),
  is('where GitHub knows the head and not how it stands to it, after what is older', {
    toHead: 'unknown',
    served: [{ commit: later, relation: 'ahead' }],
  }),
  is('checked out on purpose, though the ref has moved', { toHead: 'ahead', isChosen: true }),
  is('when it is served already', {
    toHead: 'diverged',
    served: [{ commit: OURS, relation: 'identical' }],
  }),
  is('without GitHub, after what is older', { served: [{ commit: earlier, relation: 'ahead' }] }),
  is('without GitHub, on another line, when its run began later', {
    served: [{ commit: earlier, relation: 'diverged' }],
  }),
  is('checked out on purpose, on another line, when its run began later', {
    toHead: 'diverged',
    isChosen: true,
    served: [{ commit: earlier, relation: 'diverged' }],
  }),
  is('by force, though the ref has dropped it', { toHead: 'diverged', force: true }),
  is('by force, though it was rolled back', {
    toHead: 'identical',
    force: true,
    served: [{ commit: earlier, relation: 'ahead', isInHistory: true, noted: offOurs }],
  }),
]

const stale: readonly Case<StaleGiven>[] = [
  isStale('when a reset dropped it', { toHead: 'ahead' }, MOVED),
  isStale(
    'when a rewritten history dropped it',
    { toHead: 'diverged', served: [{ commit: earlier, relation: 'ahead' }] },
    MOVED,
  ),
  isStale(
    'behind the head, when a later commit is served',
    { toHead: 'behind', served: [{ commit: later, relation: 'behind', isInHistory: true }] },
    IS_OLDER,
  ),
  isStale(
    'behind the head, when only the line of another channel says so',
    { toHead: 'behind', served: [{ on: 'beta', commit: later, relation: 'behind', isInHistory: true }] },
    IS_OLDER,
  ),
  isStale(
    'behind the head, when a descendant of another branch is served',
    {
      toHead: 'behind',
      served: [{ commit: commitOf('b', 30, 'develop'), relation: 'behind', isInHistory: false }],
    },
    OLDER_THAN_DEVELOP,
  ),
  isStale(
    'behind the head, when another branch was put there after its run began',
    { toHead: 'behind', served: [{ commit: commitOf('b', 30, 'develop'), relation: 'diverged' }] },
    'the channel serves bbbbbbb (develop, run 30.1), which was started after this run',
  ),
  isStale(
    'behind the head, after a rollback that came after its run',
    {
      toHead: 'behind',
      served: [{ commit: ofRun40, relation: 'ahead', isInHistory: true, noted: offOther }],
    },
    ROLLED_BACK_BY_LATER,
  ),
  isStale(
    'as the head, when it was itself rolled back',
    {
      toHead: 'identical',
      served: [{ commit: ofRun40, relation: 'ahead', isInHistory: true, noted: offOurs }],
    },
    OURS_ROLLED_BACK('40.1'),
  ),
  isStale(
    'as the head, when it was itself rolled back by a run that came before its own',
    {
      toHead: 'identical',
      served: [{ commit: earlier, relation: 'ahead', isInHistory: true, noted: offOurs }],
    },
    OURS_ROLLED_BACK('10.1'),
  ),
  isStale(
    'as the head, when it was rolled back before the last rollback',
    {
      toHead: 'identical',
      served: [{ commit: ofRun40, relation: 'ahead', isInHistory: true, noted: offTwice }],
    },
    ROLLED_BACK_BEFORE('40.1'),
  ),
  isStale(
    'as the head, when it was rolled back, and the last rollback was of what others made',
    {
      toHead: 'identical',
      served: [
        { commit: earlier, relation: 'ahead', isInHistory: true, noted: { rolledBackEarlier: [OURS.sha] } },
      ],
    },
    ROLLED_BACK_BEFORE('10.1'),
  ),
  isStale(
    'behind the head, when a run that began later put there what cannot be compared',
    { toHead: 'behind', served: [{ commit: later, relation: 'unknown' }] },
    'the channel serves bbbbbbb (main, run 30.1), which was started after this run',
  ),
  isStale(
    'behind the head, when nobody knows whether the ref still has the later commit',
    { toHead: 'behind', served: [{ commit: later, relation: 'behind' }] },
    IS_OLDER,
  ),
  isStale(
    'where another channel serves this very commit',
    { toHead: 'ahead', served: [{ on: 'beta', commit: OURS, relation: 'identical' }] },
    MOVED,
  ),
  isStale(
    'as the head, when another channel serves it and this one was rolled back from it',
    {
      toHead: 'identical',
      served: [
        { on: 'beta', commit: OURS, relation: 'identical' },
        { commit: ofRun40, relation: 'ahead', isInHistory: true, noted: offOurs },
      ],
    },
    OURS_ROLLED_BACK('40.1'),
  ),
  isStale(
    'without GitHub, after a rollback that came after its run',
    { served: [{ commit: ofRun40, relation: 'ahead', isInHistory: true, noted: offOther }] },
    ROLLED_BACK_BY_LATER,
  ),
  isStale('without GitHub, when it is older', { served: [{ commit: later, relation: 'behind' }] }, IS_OLDER),
  isStale(
    'without GitHub, when the line of another channel says so',
    {
      served: [
        { commit: earlier, relation: 'ahead' },
        { on: 'beta', commit: later, relation: 'behind' },
      ],
    },
    IS_OLDER,
  ),
  isStale(
    'without GitHub, on another line, when its run began earlier',
    { served: [{ commit: later, relation: 'diverged' }] },
    'the channel serves bbbbbbb (main, run 30.1), which was started after this run (the history was rewritten or the branches differ)',
  ),
  isStale(
    'without GitHub, on another line, after a rollback',
    { served: [{ commit: later, relation: 'diverged', noted: offOther }] },
    'run 30.1, which was started after this run, rolled the channel back from 1.2.1',
  ),
  isStale(
    'without GitHub or history, when its run began earlier',
    { served: [{ commit: later, relation: 'unknown' }] },
    'the channel serves bbbbbbb (main, run 30.1), which was started after this run (the history could not be compared)',
  ),
  isStale(
    'checked out on purpose, when it is older than what is served',
    { toHead: 'diverged', isChosen: true, served: [{ commit: later, relation: 'behind' }] },
    IS_OLDER,
  ),
]

export const STALENESS = { 'a commit is published': published, 'a commit is stale': stale }

/** Two commits alone: the run of the one that is served, how ours stands to it, and whether that makes ours stale. */
export interface OrderGiven {
  readonly runId: number
  readonly relation: Relation
  readonly isSame?: true
  readonly isRollback?: true
}

const order = (name: string, given: OrderGiven, result: string): Omit<Case<OrderGiven>, 'why'> => ({
  name,
  given,
  result,
})

export const ORDER = {
  'staleByOrder:': [
    order(
      'the same commit, whatever the runs are',
      { runId: 30, relation: 'unknown', isSame: true, isRollback: true },
      PUBLISHED,
    ),
    order('behind', { runId: 10, relation: 'behind' }, STALE),
    order('ahead', { runId: 30, relation: 'ahead' }, PUBLISHED),
    order('identical', { runId: 30, relation: 'identical' }, PUBLISHED),
    order('another line, of a later run', { runId: 30, relation: 'diverged' }, STALE),
    order('another line, of the same run', { runId: 20, relation: 'diverged' }, PUBLISHED),
    order('another line, of an earlier run', { runId: 10, relation: 'diverged' }, PUBLISHED),
    order('unknown, of a later run', { runId: 30, relation: 'unknown' }, STALE),
    order('unknown, of the same run', { runId: 20, relation: 'unknown' }, PUBLISHED),
    order('unknown, of an earlier run', { runId: 10, relation: 'unknown' }, PUBLISHED),
    order('rolled back by a later run', { runId: 30, relation: 'ahead', isRollback: true }, STALE),
    order('rolled back by the same run', { runId: 20, relation: 'ahead', isRollback: true }, PUBLISHED),
    order('rolled back by an earlier run', { runId: 10, relation: 'ahead', isRollback: true }, PUBLISHED),
  ],
}
