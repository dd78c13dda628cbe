/** The pull request that changes the testers file for an issue: one branch, one pull request, and only commits of ours. */
import * as z from 'zod/mini'
import { type PullRequest, toPullRequest } from '../../event.ts'
import { GitHubError } from '../../github/errors.ts'
import { ENROLMENT_BRANCH, isSameEntry, isSameLogin } from '../../plan/enrolment.ts'
import {
  type EnrolmentChange,
  type EnrolmentComment,
  renderProposal,
  titleOf,
} from '../../report/enrolment.ts'
import { changeText, type FileAtHead, type FileChange } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { type Answered, answer, type Enrolling, type Thread } from './enrolment-thread.ts'

/** A change, with what Capgo knows of the device. */
type SeenChange = FileChange & Pick<EnrolmentChange, 'seen'>

const branchOf = (issue: number) => `${ENROLMENT_BRANCH}${issue}`

/**
 * Makes the pull request what the issue asks for, and says so in the comment. A branch that somebody else changed, a pull
 * request that people have reviewed, and one that was closed stay as they are.
 */
export async function propose(
  begun: Thread,
  { change, file }: { readonly change: SeenChange; readonly file: FileAtHead },
  context: Enrolling,
): Promise<Answered> {
  const { issue, proposal: former } = begun
  const branch = branchOf(issue)
  const head = await context.github.readBranch(branch)
  const pull = await readProposed(begun, context)
  const openPull = pull?.open ? pull.number : null
  let thread = begun
  const say = async (says: EnrolmentComment, proposal = former): Promise<Answered> => {
    const answered = await answer(thread, { says, proposal }, context)
    thread = answered.thread
    return answered
  }
  if (head !== null && !former?.heads.includes(head)) return say({ state: 'foreign', branch, pull: openPull })
  if (pull !== null && isDeclined(pull) && !isAskedAgain(change, context))
    return say({ state: 'declined', pull: pull.number })
  const isSame = former !== null && former.do === change.do && isSameEntry(former.entry, change.entry)
  if (pull?.open && !isSame && (await isReviewed(pull, context)))
    return say({ state: 'reviewed', pull: pull.number })
  const compareUrl = `${context.trigger.repositoryUrl}/compare/${file.branch}...${branch}?expand=1`
  const waiting = (number: number | 'soon' | null) =>
    ({ state: 'waiting', change, pull: number, compareUrl }) as const
  const isNewest =
    isSame &&
    !pull?.merged &&
    head !== null &&
    head === former.heads[0] &&
    (await buildsOn(file, former, context))
  const own = isNewest ? former : await commitProposal({ issue, change, file, head, pull: openPull }, context)
  if (!isNewest) {
    // Before the branch has it: a run that ends here leaves a branch that the next one knows.
    await say(waiting(openPull ?? 'soon'), own)
    const [newest = ''] = own.heads
    const isOurs = await (head === null
      ? context.github.createBranch(branch, newest)
      : context.github.advanceBranch(branch, newest))
    if (!isOurs) return say({ state: 'foreign', branch, pull: openPull }, own)
  }
  const number = openPull ?? (await openPullRequest({ issue, change, file }, context))
  return say(waiting(number), { ...own, waits: true, pull: number })
}

/** As GitHub answers it, and whether it is merged as soon as its checks allow. */
type ProposedPull = PullRequest & { readonly mergesItself: boolean }
const AutoMerge = z.object({ auto_merge: z.optional(z.unknown()) })

/** The pull request of the proposal; where the workflow could open none, the one that a person opened. */
export async function readProposed(
  { issue, proposal }: Thread,
  context: Enrolling,
): Promise<ProposedPull | null> {
  const number = proposal?.pull ?? (await findPull(branchOf(issue), context))
  const answered = number === null ? null : await context.github.readPull(number)
  if (answered === null) return null
  const mergesItself = Boolean(AutoMerge.safeParse(answered).data?.auto_merge)
  return { ...toPullRequest(answered), mergesItself }
}

/** Whether people have looked at it: from then on it stays as they saw it. */
async function isReviewed({ number, mergesItself }: ProposedPull, { github }: Enrolling): Promise<boolean> {
  return mergesItself || (await github.listReviewers(number)).length > 0
}

/** Whether a lead said no. */
function isDeclined({ open, merged }: PullRequest): boolean {
  return !open && !merged
}

/** Whether somebody else than the author opened the issue again. */
function isAskedAgain({ entry }: SeenChange, { trigger }: Enrolling): boolean {
  return trigger.action === 'reopened' && !isSameLogin(entry.github, trigger.issue?.sender ?? '')
}

async function findPull(branch: string, { github, trigger }: Enrolling): Promise<number | null> {
  const [owner = ''] = trigger.repository.split('/')
  const [first] = await github.listPullsOfBranch(owner, branch)
  return first === undefined ? null : toPullRequest(first).number
}

/** Whether the file is still as it was when the proposal was made: else they would conflict. */
async function buildsOn(file: FileAtHead, { base }: Proposal, { github }: Enrolling): Promise<boolean> {
  if (base === null) return false
  return base === file.commit || (await github.readFile(file.path, base)) === file.text
}

interface Proposed {
  readonly issue: number
  readonly change: SeenChange
  readonly file: FileAtHead
}

/** A commit on the newest default branch that also follows the branch's own, so that nothing has to be forced. */
async function commitProposal(
  {
    issue,
    change,
    file,
    head,
    pull,
  }: Proposed & { readonly head: string | null; readonly pull: number | null },
  context: Enrolling,
): Promise<Proposal> {
  const sha = await context.github.commitFile({
    message: titleOf(change, issue),
    path: file.path,
    text: changeText(file, change, context),
    base: file.commit,
    parents: head === null ? [file.commit] : [head, file.commit],
  })
  const heads = head === null ? [sha] : [sha, head]
  return {
    waits: true,
    do: change.do,
    entry: { ...change.entry, groups: [...change.entry.groups] },
    heads,
    base: file.commit,
    pull,
  }
}

async function openPullRequest(
  { issue, change, file }: Proposed,
  context: Enrolling,
): Promise<number | null> {
  const branch = branchOf(issue)
  try {
    const made = await context.github.createPull({
      title: titleOf(change, issue),
      body: renderProposal(change, issue, file.path),
      head: branch,
      base: file.branch,
    })
    return made === 'refused' ? null : made
  } catch (error) {
    // An earlier run made it, and its answer was lost.
    const known =
      error instanceof GitHubError && error.status === 422 ? await findPull(branch, context) : null
    if (known === null) throw error
    return known
  }
}
