/** The pull request that changes the testers file for an issue: one branch, one pull request, and only commits of ours. */
import { GitHubError } from '../../github/errors.ts'
import { type EnrolmentChange, isSameEntry, isSameLogin } from '../../plan/enrolment.ts'
import { type EnrolmentComment, renderProposal, type SeenChange, titleOf } from '../../report/enrolment.ts'
import { branchOf, findPull, isOwn, type ProposedPull, readHead, readProposed } from './enrolment-branch.ts'
import { changeText, type FileAtHead } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { type Answered, answer, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'
import { readKnownDevice } from './tester-facts.ts'

/** Of a pull request, those that are asked about; with more of them it counts as reviewed. */
const MAX_REVIEWERS = 10

/** A change that somebody asked for, and the file that it changes. */
interface Wish {
  readonly change: EnrolmentChange
  readonly asked: Proposal['asked']
  readonly author: string
  readonly file: FileAtHead
  readonly appId: string
}

/** A wish whose issue is known, with what Capgo knows of the device. */
interface Proposed extends Omit<Wish, 'change'> {
  readonly issue: number
  readonly change: SeenChange
}

/** `isOvertaken`: another run of ours changed comment or branch first, or a lead ended the pull request. */
export type ProposedAnswer = Answered & { readonly isOvertaken?: true }

/**
 * Makes the pull request what the issue asks for, and says so in the comment. A branch that somebody else changed, a pull
 * request that people have reviewed, and one that was closed stay as they are.
 */
export async function propose(thread: Thread, wish: Wish, context: Enrolling): Promise<ProposedAnswer> {
  const { issue, proposal: former } = thread
  const { file } = wish
  const branch = branchOf(issue)
  const head = await readHead(issue, context)
  const pull = await readProposed(thread, context)
  const openPull = pull?.open ? pull.number : null
  const keep = (says: EnrolmentComment) => answer(thread, { says, proposal: former }, context)
  const isDeclined = pull !== null && !pull.open && !pull.merged
  if (isDeclined && !isAskedAgain(wish.author, context)) return keep({ state: 'declined', pull: pull.number })
  if (head !== null && !(await isOwn(thread, head, context)))
    return keep({ state: 'foreign', branch, pull: openPull })
  const change = {
    ...wish.change,
    seen: await readKnownDevice(wish.appId, wish.change.entry.device, context),
  }
  const compareUrl = `${context.trigger.repositoryUrl}/compare/${file.branch}...${branch}?expand=1`
  const waiting = (number: number | null) => ({ state: 'waiting', change, pull: number, compareUrl }) as const
  const overtaken = (now: Thread) =>
    ({ thread: now, says: waiting(now.proposal?.pull ?? null), isOvertaken: true }) as const
  const proposed = { ...wish, issue, change }
  const isSame = former !== null && former.do === change.do && isSameEntry(former.entry, change.entry)
  const isWritten = isSame && head === former.head
  const isFrozen = async (now: ProposedPull) => now.open && !isWritten && (await isReviewed(now, context))
  if (pull !== null && (await isFrozen(pull))) return keep({ state: 'reviewed', pull: pull.number })
  const isNewest = isWritten && !pull?.merged && (await buildsOn(file, former, context))
  const own = isNewest ? former : await commitProposal(thread, { ...proposed, head, pull: openPull }, context)
  if (!isNewest) {
    // Again, as late as it can be: Capgo and GitHub may have been slow.
    const pullNow = await readProposed(thread, context)
    if (pullNow !== null && (await isFrozen(pullNow)))
      return keep({ state: 'reviewed', pull: pullNow.number })
    const now = await readThread(issue, context)
    if (now.comment?.body !== thread.comment?.body || pullNow?.open !== pull?.open) return overtaken(now)
    if (openPull !== null && !isWritten) await context.github.describePull(openPull, describe(proposed))
    const isFirst = await (head === null
      ? context.github.createBranch(branch, own.head)
      : context.github.advanceBranch(branch, own.head))
    if (!isFirst) return overtaken(now)
  }
  const number = openPull ?? (await openPullRequest(proposed, context))
  const proposal = { ...own, state: 'waits', pull: number } as const
  return answer(thread, { says: waiting(number), proposal }, context)
}

/** Whether a lead has looked at it: from then on it stays as it was seen. Anybody can review in a public repository. */
async function isReviewed({ number, mergesItself }: ProposedPull, { github }: Enrolling): Promise<boolean> {
  if (mergesItself) return true
  const reviewers = await github.listReviewers(number)
  if (reviewers.length > MAX_REVIEWERS) return true
  return (await Promise.all(reviewers.map(github.canPush))).includes(true)
}

/** Whether somebody else than the author opened the issue again. */
export function isAskedAgain(author: string, { trigger }: Enrolling): boolean {
  return trigger.action === 'reopened' && !isSameLogin(author, trigger.issue?.sender ?? '')
}

/** Whether the file is still as it was when the proposal was made: else they would conflict. */
async function buildsOn(file: FileAtHead, { base }: Proposal, { github }: Enrolling): Promise<boolean> {
  return base === file.commit || (await github.readFile(file.path, base)) === file.text
}

/** A commit on the newest default branch that also follows the branch's own, so that nothing has to be forced. */
async function commitProposal(
  { mark }: Thread,
  wish: Proposed & { readonly head: string | null; readonly pull: number | null },
  context: Enrolling,
): Promise<Proposal> {
  const { issue, change, asked, author, file, head, pull } = wish
  const parents = head === null ? [file.commit] : [head, file.commit]
  const sha = await context.github.commitFile({
    message: tree => mark.writeMessage(titleOf(change, issue), { tree, parents }),
    path: file.path,
    text: changeText(file, change, context),
    base: file.commit,
    parents,
  })
  const { do: what, entry } = change
  return { state: 'waits', do: what, author, asked, entry, head: sha, base: file.commit, pull }
}

function describe({ issue, change, file }: Pick<Proposed, 'issue' | 'change' | 'file'>) {
  return { title: titleOf(change, issue), body: renderProposal(change, issue, file.path) }
}

async function openPullRequest(
  { issue, change, file }: Proposed,
  context: Enrolling,
): Promise<number | null> {
  try {
    const made = await context.github.createPull({
      ...describe({ issue, change, file }),
      head: branchOf(issue),
      base: file.branch,
    })
    return made === 'refused' ? null : made
  } catch (error) {
    // An earlier run made it, and its answer was lost.
    const known = error instanceof GitHubError && error.status === 422 ? await findPull(issue, context) : null
    if (known === null) throw error
    return known
  }
}
