/** The one comment of this action on a tester's issue, with what it proves of earlier runs. */
import type { RunContext } from '../../context.ts'
import type { GitHub } from '../../github/client.ts'
import { isProven, type OwnComment } from '../../github/comments.ts'
import { isLocked } from '../../github/errors.ts'
import { type EnrolmentComment, renderEnrolment } from '../../report/enrolment.ts'
import { type EnrolmentMark, markOfIssue, type Proposal } from './enrolment-marker.ts'

/** The context of a run that answers requests. */
export type Enrolling = RunContext & { readonly github: GitHub }

export interface Thread {
  readonly issue: number
  readonly mark: EnrolmentMark
  readonly comment: OwnComment | null
  /** The proposal that our comment records; null without one. */
  readonly proposal: Proposal | null
}

export async function readThread(issue: number, context: Enrolling): Promise<Thread> {
  const mark = markOfIssue(issue, context)
  const comment = await findOwn(issue, mark, context)
  return { issue, mark, comment, proposal: comment === null ? null : mark.read(comment) }
}

/** A comment as it stands now. */
export interface Answered {
  readonly thread: Thread
  readonly says: EnrolmentComment
}

/** Writes the comment, or changes it; a text that is there already is not written again, and none where it is locked. */
export async function answer(
  thread: Thread,
  { says, proposal }: { readonly says: EnrolmentComment; readonly proposal: Proposal | null },
  context: Enrolling,
): Promise<Answered> {
  const { mark } = thread
  const text = renderEnrolment(says, context.deps.documents('on-your-phone', 'join-the-list'))
  const change = async (known: OwnComment): Promise<OwnComment | null> => {
    const body = mark.head(proposal, known.id) + text
    return known.body.trimEnd() === body.trimEnd() ? known : context.github.updateComment(known.id, body)
  }
  const write = async (): Promise<OwnComment | null> => {
    const known = thread.comment === null ? null : await change(thread.comment)
    return known ?? change(await create(thread, mark.head(proposal, null) + text, context))
  }
  try {
    return { thread: { ...thread, comment: await write(), proposal }, says }
  } catch (error) {
    if (!isLocked(error)) throw error
    context.deps.log.info(`#${thread.issue} is locked, so nothing is written there.`)
    return { thread: { ...thread, proposal }, says }
  }
}

/** The one that counts: the oldest that this key's holder wrote. The others of this key go. */
async function findOwn(
  issue: number,
  mark: EnrolmentMark,
  { github, inputs }: Enrolling,
): Promise<OwnComment | null> {
  const ours = await github.findComments(issue, mark)
  const [first, ...others] = ours.filter(each => isProven(mark.prove(each)))
  if (!inputs.dryRun) for (const { id } of others) await github.deleteComment(id)
  return first ?? ours[0] ?? null
}

/** Another run may create one at the same moment: then the older one counts. */
async function create({ issue, mark }: Thread, body: string, context: Enrolling): Promise<OwnComment> {
  const made = await context.github.createComment(issue, body)
  return (await findOwn(issue, mark, context)) ?? made
}
