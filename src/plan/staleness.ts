/** Whether a run is too old for a channel. */
import type { Note } from './bundle-comment.ts'
import type { Commit, Relation } from './types.ts'

/** What GitHub says of the ref (or pull request) that a run publishes. */
export type Head =
  /** The newest commit. */
  | { readonly kind: 'at'; readonly sha: string }
  /** GitHub could not be asked. */
  | { readonly kind: 'unknown' }

/** A commit that the served bundle was built from, by one line of its comment. */
export interface ServedNote {
  readonly note: Note
  /** How our commit stands to it. */
  readonly relation: Relation
  /** Whether it is in the history of the ref's head; null when unknown, or not needed. */
  readonly isInHistory: boolean | null
}

/** How our commit stands to its ref and to what a channel gives to devices. */
export interface Standing {
  readonly head: Head
  /** How our commit stands to the head; `unknown` without one. */
  readonly toHead: Relation
  /** Empty where the channel serves nothing, or its commit is unknown. */
  readonly notes: readonly ServedNote[]
}

export interface StaleQuestion {
  readonly ours: Commit
  readonly channelName: string
  readonly standing: Standing
  /** The commit was checked out on purpose; the run itself is of another one. */
  readonly isChosen: boolean
  /** The user insists. */
  readonly force: boolean
}

/**
 * Why this run must not touch the channel, or null. The newest word on a ref is its head: that commit is never stale,
 * whatever its ancestry, unless it was itself rolled back. A commit that left the ref's history is stale. One that is
 * behind the head is stale when the channel serves a later one. Where GitHub cannot be asked, the ancestry decides, and
 * then the order in which the runs were started: GitHub numbers them upwards and a re-run keeps its number.
 */
export function isStale({ ours, channelName, standing, isChosen, force }: StaleQuestion): string | null {
  const { head, toHead, notes } = standing
  const own = notes.find(({ note }) => note.channel === channelName)
  if (force || own?.note.sha === ours.sha) return null
  const rolledBack = own === undefined ? null : whyRolledBack(ours, own.note)
  if (rolledBack !== null) return rolledBack
  if (head.kind === 'at') {
    if (toHead === 'identical') return null
    if ((toHead === 'ahead' || toHead === 'diverged') && !isChosen)
      return `${ours.refName} was moved to ${short(head.sha)}, whose history does not include this run's commit ${short(ours.sha)}`
    if (toHead === 'behind') return behindHead(ours, notes, own)
  }
  const older = own === undefined ? null : staleByOrder(ours, own.note, own.relation)
  if (older !== null) return older
  const later = notes.find(({ relation }) => relation === 'behind')
  return later === undefined ? null : isOlder(ours, later.note)
}

/** Ours is in the ref's history, but not its newest commit, which may never get a run of its own. */
function behindHead(ours: Commit, notes: readonly ServedNote[], own: ServedNote | undefined): string | null {
  const later = notes.find(({ note, relation, isInHistory }) => {
    if (relation !== 'behind') return false
    // A commit that the ref has dropped is not later, it is gone.
    return note.refName !== wordOf(ours.refName) || isInHistory !== false
  })
  if (later !== undefined) return isOlder(ours, later.note)
  if (own === undefined || ours.runId >= own.note.runId) return null
  const isElsewhere = own.note.refName !== wordOf(ours.refName)
  const isOpen = own.relation === 'unknown' || (own.relation === 'diverged' && isElsewhere)
  if (own.note.rolledBackFrom !== null)
    return `${startedAfter(own.note)}, rolled the channel back from ${own.note.rolledBackFrom.name}`
  return isOpen ? `${serves(own.note)}, which was started after this run` : null
}

/** Whether the channel was rolled back from this very commit. */
function whyRolledBack(ours: Commit, { rolledBackFrom, rolledBackEarlier, run }: Note): string | null {
  const isOff = rolledBackFrom?.sha === ours.sha || rolledBackEarlier.includes(ours.sha)
  return isOff
    ? `run ${run} rolled the channel back from ${rolledBackFrom?.sha === ours.sha ? `${rolledBackFrom.name}, which was built from this run's commit ${short(ours.sha)}` : `this run's commit ${short(ours.sha)} or a later one`}`
    : null
}

/** The order of two commits by ancestry and by runs; null = ours can follow. */
export function staleByOrder(
  ours: Commit,
  note: Pick<Note, 'sha' | 'refName' | 'run' | 'runId' | 'rolledBackFrom'>,
  relation: Relation,
): string | null {
  if (note.sha === ours.sha) return null
  if (note.rolledBackFrom !== null && ours.runId < note.runId)
    return `${startedAfter(note)}, rolled the channel back from ${note.rolledBackFrom.name}`
  switch (relation) {
    case 'behind':
      return isOlder(ours, note)
    case 'identical':
    case 'ahead':
      return null
    case 'diverged':
    case 'unknown':
      return ours.runId < note.runId
        ? `${serves(note)}, which was started after this run${relation === 'unknown' ? ' (the history could not be compared)' : ' (the history was rewritten or the branches differ)'}`
        : null
  }
}

type Served = Pick<Note, 'sha' | 'refName' | 'run'>

function serves({ sha, refName, run }: Served): string {
  return `the channel serves ${short(sha)} (${refName}, run ${run})`
}

function isOlder(ours: Commit, note: Served): string {
  return `${serves(note)}, and this run's commit ${short(ours.sha)} is older`
}

function startedAfter({ run }: Pick<Note, 'run'>): string {
  return `run ${run}, which was started after this run`
}

/** A ref's name as a note has it. */
function wordOf(refName: string): string {
  return refName.replace(/\s/g, '_')
}

function short(sha: string): string {
  return sha.slice(0, 7)
}
