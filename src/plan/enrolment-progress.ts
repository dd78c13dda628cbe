/** The progress of a request that waits for a lead. Pure. */
import { entryOf, isSameEntry, type TesterEntry } from './enrolment.ts'
import type { Tester } from './tester-list.ts'

interface WaitingRequest {
  readonly do: 'add' | 'update' | 'remove'
  readonly entry: TesterEntry
}

/** `done`: the testers file has it, however it got there. `declined`: a lead closed the pull request, or left it out. */
export function judgeProgress(
  { do: what, entry }: WaitingRequest,
  pull: { readonly open: boolean; readonly merged: boolean } | null,
  testers: readonly Tester[],
): 'done' | 'declined' | 'open' {
  const listed = testers.find(({ device }) => device === entry.device)
  const isDone =
    what === 'remove'
      ? listed === undefined
      : listed !== undefined &&
        (what === 'add' || pull?.merged === true || isSameEntry(entryOf(listed), entry))
  if (isDone) return 'done'
  return pull === null || pull.open ? 'open' : 'declined'
}
