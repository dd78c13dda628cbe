/** How the run's commit stands to its ref as it is now, and to what a channel serves. */
import type { BundleRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { RefGone } from '../../errors.ts'
import { readNotes } from '../../plan/bundle-comment.ts'
import type { Head, ServedNote, Standing } from '../../plan/staleness.ts'
import type { Commit } from '../../plan/types.ts'
import type { CompareCommits } from './compare-commits.ts'

/** Reads how the run's commit stands to its ref, as it is now, and to a bundle that a channel serves. */
export type ReadStanding = (served: BundleRow | null) => Promise<Standing>

/** A bundle has a line for each channel it was put on; more commits than these are not compared. */
const MAX_COMMITS = 8

/** `readHead` asks GitHub anew each time, and throws `RefGone` where nothing is to be published any more. */
export function standingReader(
  ours: Commit,
  readHead: () => Promise<Head>,
  compare: CompareCommits,
): ReadStanding {
  return async served => {
    const notes = served === null ? [] : readNotes(served).slice(0, MAX_COMMITS)
    const head = await readHead()
    if (head.kind === 'at' && head.sha === ours.sha)
      return {
        head,
        toHead: 'identical',
        notes: notes.map(note => ({ note, relation: 'unknown', isInHistory: null })),
      }
    const toHead = head.kind === 'at' ? compare(head.sha, ours.sha) : 'unknown'
    const stand = async (note: ServedNote['note']): Promise<ServedNote> => {
      const relation = await compare(note.sha, ours.sha)
      if (head.kind !== 'at' || relation !== 'behind') return { note, relation, isInHistory: null }
      const toNote = note.sha === head.sha ? 'identical' : await compare(head.sha, note.sha)
      return {
        note,
        relation,
        isInHistory: toNote === 'unknown' ? null : toNote === 'identical' || toNote === 'behind',
      }
    }
    return { head, toHead: await toHead, notes: await Promise.all(notes.map(stand)) }
  }
}

/** The newest commit of the run's branch or tag, as GitHub reports it now. Throws `RefGone` where it was deleted. */
export function headOfRef({ trigger, bestEffort }: RunContext): () => Promise<Head> {
  const { type, full, name } = trigger.ref
  return async () => {
    if (type === 'other') return { kind: 'unknown' }
    const answer = await bestEffort(`read the newest commit of ${name}`, 'contents: read', async github => ({
      sha: await github.readHead(full),
    }))
    if (answer === null) return { kind: 'unknown' }
    if (answer.sha === null) throw new RefGone(`The ${type} ${name} was deleted, so nothing is published.`)
    return { kind: 'at', sha: answer.sha }
  }
}
