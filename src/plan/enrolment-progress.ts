/** The progress of a request that waits for a lead. Pure. */
import { type EnrolmentRequest, planEnrolment } from './enrolment.ts'
import type { Tester } from './tester-list.ts'

interface WaitingRequest {
  readonly do: 'add' | 'update' | 'remove'
  readonly asked: EnrolmentRequest
  readonly author: string
}

/**
 * `done`: the testers file has it, however it got there. `declined`: a lead closed the pull request, left it out, or
 * gave the entry to somebody else. `withdrawn`: the issue was closed before.
 */
export type EnrolmentProgress = 'done' | 'declined' | 'withdrawn' | 'open'

export function judgeProgress(
  { do: what, asked, author }: WaitingRequest,
  {
    issueOpen,
    pull,
    testers,
  }: {
    readonly issueOpen: boolean
    readonly pull: { readonly open: boolean; readonly merged: boolean } | null
    readonly testers: readonly Tester[]
  },
): EnrolmentProgress {
  const isListed = testers.some(({ device }) => device === asked.device)
  if (asked.action === 'leave' && !isListed) return 'done'
  const now = planEnrolment(asked, { author, testers }).do
  // A lead may have corrected it before the merge.
  const isAccepted = pull?.merged === true || (what === 'add' && now !== 'refuse')
  if (asked.action === 'join' && (now === 'nothing' || (isListed && isAccepted))) return 'done'
  if (now === 'refuse' || (what === 'update' && !isListed)) return 'declined'
  if (pull !== null && !pull.open) return 'declined'
  return issueOpen ? 'open' : 'withdrawn'
}
