/** The end of a request: the device is where the testers file wants it, the comment says so, and the issue is closed. */
import { ActionError } from '../../errors.ts'
import type { Issue } from '../../github/issues.ts'
import type { EnrolmentComment } from '../../report/enrolment.ts'
import type { TestersReport } from '../../report/testers.ts'
import { closeProposal, removeBranch } from './enrolment-branch.ts'
import { readFileAtHead } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { type Answered, answer, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'
import { reconcileTesters } from './reconcile-testers.ts'
import { byDevice, readKnownDevice, WHOLE } from './tester-facts.ts'

/** A request that the testers file fulfils. */
export interface Fulfilled {
  readonly thread: Thread
  readonly action: 'join' | 'leave'
  readonly device: string
}

/** All devices, where the testers file wants them. */
interface Settled {
  readonly appId: string
  readonly testers: TestersReport
  readonly overrides: ReturnType<typeof byDevice>
}

/** By the newest file, which the requests were judged by: the checkout is older than a member's own commit. */
export async function settleDevices(appId: string, context: Enrolling): Promise<Settled> {
  const { path, text, testers: listed } = await readFileAtHead(context)
  const newest = { path, text: text ?? '', testers: listed }
  const lists = { newest, isCheckedOut: false, proposed: null }
  const testers = await reconcileTesters({ appId, scope: WHOLE, lists }, context)
  const [channels, overrides] = await Promise.all([
    context.capgo.listChannels(appId),
    context.capgo.listOverrides(appId),
  ])
  return { appId, testers, overrides: byDevice(overrides, channels) }
}

export async function endFulfilled(
  { thread, action, device }: Fulfilled,
  { appId, testers, overrides }: Settled,
  context: Enrolling,
): Promise<Answered> {
  const failure = testers.failures.find(({ devices }) => devices.includes(device))
  if (failure !== undefined)
    return answer(
      thread,
      { says: stuck(failure.message, device, context), proposal: thread.proposal },
      context,
    )
  const says: EnrolmentComment =
    action === 'leave'
      ? { state: 'left', device }
      : {
          state: 'joined',
          device,
          channel: overrides.get(device)?.channel ?? null,
          seen: await readKnownDevice(appId, device, context),
        }
  return close(thread, { says, state: 'done' }, context)
}

/** A request that the testers file does not fulfil, and will not. */
export function endUnfulfilled(
  thread: Thread,
  says: Extract<EnrolmentComment, { state: 'declined' | 'withdrawn' }>,
  context: Enrolling,
): Promise<Answered> {
  return close(thread, { says, state: says.state }, context)
}

/** The branch is last: a run that ends before it is done again, as `closeAgain` where the comment says the end. */
async function close(
  thread: Thread,
  { says, state }: { readonly says: EnrolmentComment; readonly state: Proposal['state'] },
  context: Enrolling,
): Promise<Answered> {
  const head = await closeProposal(thread, context)
  const proposal = thread.proposal === null ? null : { ...thread.proposal, state }
  const answered = await answer(thread, { says, proposal }, context)
  await closeIssue(thread.issue, state, context)
  if (head !== null) await removeBranch(thread.issue, head, context)
  return answered
}

/** A branch is left of a request that is over. */
export async function closeAgain(
  { number, isOpen }: Issue,
  thread: Thread,
  context: Enrolling,
): Promise<void> {
  const head = await closeProposal(thread, context)
  if (head === null || thread.proposal === null) return
  if (isOpen) await closeIssue(number, thread.proposal.state, context)
  await removeBranch(number, head, context)
}

function closeIssue(number: number, state: Proposal['state'], { github }: Enrolling): Promise<void> {
  return github.closeIssue(number, state === 'done' ? 'completed' : 'not_planned')
}

/** Nobody is left without a word, and no answer is taken back. The run fails, and its log has the rest. */
export async function confess({ issue, comment }: Thread, error: unknown, context: Enrolling): Promise<void> {
  if (context.inputs.dryRun) return
  const why = error instanceof ActionError ? error.message : 'This action has a fault.'
  try {
    const now = await readThread(issue, context)
    if (now.comment?.body === comment?.body)
      await answer(now, { says: stuck(why, null, context), proposal: now.proposal }, context)
  } catch {
    // The error that comes first is the one to tell.
  }
}

/** Something failed, and a lead must look at the run. */
function stuck(why: string, device: string | null, { trigger }: Enrolling): EnrolmentComment {
  return { state: 'stuck', device, why, runUrl: trigger.runUrl }
}
