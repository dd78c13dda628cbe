/** The branch of a request, and its pull request. */
import * as z from 'zod/mini'
import { type PullRequest, toPullRequest } from '../../event.ts'
import { ENROLMENT_BRANCH } from '../../plan/enrolment.ts'
import type { Enrolling, Thread } from './enrolment-thread.ts'

export const branchOf = (issue: number) => `${ENROLMENT_BRANCH}${issue}`

/** As GitHub answers it, and whether it is merged as soon as its checks allow. */
export type ProposedPull = PullRequest & { readonly mergesItself: boolean }
const AutoMerge = z.object({ auto_merge: z.optional(z.unknown()) })

/** The newest commit of the branch; null without one. */
export async function readHead(issue: number, { github }: Enrolling): Promise<string | null> {
  const branch = branchOf(issue)
  return (await github.listBranches(branch)).get(branch) ?? null
}

/** The pull request of the proposal; where the workflow could open none, the one that a person opened. */
export async function readProposed(
  { issue, proposal }: Thread,
  context: Enrolling,
): Promise<ProposedPull | null> {
  const number = proposal?.pull ?? (await findPull(issue, context))
  const answered = number === null ? null : await context.github.readPull(number)
  if (answered === null) return null
  const mergesItself = Boolean(AutoMerge.safeParse(answered).data?.auto_merge)
  return { ...toPullRequest(answered), mergesItself }
}

export async function findPull(issue: number, { github, trigger }: Enrolling): Promise<number | null> {
  const [owner = ''] = trigger.repository.split('/')
  const [first] = await github.listPullsOfBranch(owner, branchOf(issue))
  return first === undefined ? null : toPullRequest(first).number
}

/** Whether this action made the commit for this issue: nobody else can write such a message. */
export async function isOwn({ mark }: Thread, head: string, { github }: Enrolling): Promise<boolean> {
  const { message, ...commit } = await github.readCommit(head)
  const [title = ''] = message.split('\n')
  return message.trim() === mark.writeMessage(title, commit)
}

/** The request is over: its pull request is closed. Returns the commit of its branch; null where somebody else changed it. */
export async function closeProposal(thread: Thread, context: Enrolling): Promise<string | null> {
  const head = await readHead(thread.issue, context)
  if (head === null || !(await isOwn(thread, head, context))) return null
  const pull = await readProposed(thread, context)
  if (pull?.open) await context.github.closePull(pull.number)
  return head
}

export async function removeBranch(issue: number, head: string, { github, deps }: Enrolling): Promise<void> {
  const why = await github.deleteBranch(branchOf(issue), head)
  if (why !== null) deps.log.info(`Branch ${branchOf(issue)} stays: ${why}.`)
}
