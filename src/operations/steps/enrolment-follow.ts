/** Requests that are open: those that are done, declined or withdrawn are answered, and the others kept mergeable. */
import { CancelledError } from '../../errors.ts'
import { GitHubError } from '../../github/errors.ts'
import type { Issue } from '../../github/issues.ts'
import { readTesterForm } from '../../inputs/tester-form.ts'
import { LOGIN } from '../../inputs/testers-schema.ts'
import {
  type EnrolmentRules,
  isChange,
  isSameLogin,
  isSameRequest,
  planEnrolment,
} from '../../plan/enrolment.ts'
import { judgeProgress } from '../../plan/enrolment-progress.ts'
import { hasLabel } from '../../plan/preview.ts'
import { describeEnrolment } from '../../report/enrolment.ts'
import type { EnrolmentResult } from '../../report/list-results.ts'
import { enrolmentResult } from '../../report/results.ts'
import type { TestersReport } from '../../report/testers.ts'
import { readAppId } from './app-config.ts'
import { readProposed } from './enrolment-branch.ts'
import { answerForm, type Decided } from './enrolment-decision.ts'
import { closeAgain, confess, endFulfilled, endUnfulfilled, settleDevices } from './enrolment-end.ts'
import { type FileAtHead, readFileAtHead } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { propose } from './enrolment-proposal.ts'
import { listTurns, type Queue, readQueue } from './enrolment-queue.ts'
import { type Answered, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'

/** A team has some; each takes requests. */
const MAX_FOLLOWED = 100

/** A request that waits for a lead, or that no run has answered for good. */
interface Followed {
  readonly issue: Issue
  readonly thread: Thread
  /** `unanswered`: a run missed it or its newest text, or it had to wait for others. `over`: its end was said, and a branch is left. */
  readonly progress: ReturnType<typeof judgeProgress> | 'unanswered' | 'over'
  readonly pull: number | null
}

interface Facts {
  readonly rules: EnrolmentRules
  readonly queue: Queue
  readonly file: FileAtHead
}

/** Follows all of them: our own comments and GitHub are the only memory. */
export async function followRequests(rules: EnrolmentRules, context: Enrolling): Promise<EnrolmentResult> {
  const queue = await readQueue(rules, context)
  return follow(listTurns(queue).slice(0, MAX_FOLLOWED), { rules, queue }, context)
}

/** Follows the request of one issue, which somebody closed. */
export function followRequest(
  { number }: Issue,
  rules: EnrolmentRules,
  context: Enrolling,
): Promise<EnrolmentResult> {
  return follow([number], { rules, queue: { open: [], waiting: new Set() } }, context)
}

async function follow(
  numbers: readonly number[],
  { rules, queue }: { readonly rules: EnrolmentRules; readonly queue: Queue },
  context: Enrolling,
): Promise<EnrolmentResult> {
  const facts = { rules, queue, file: await readFileAtHead(context) }
  const listed = new Map(queue.open.map(({ number, issue }) => [number, issue]))
  const answered: Answered[] = []
  const failures: unknown[] = []
  const followed: Followed[] = []
  for (const number of numbers)
    await attempt(null, failures, context, async () => {
      const issue = listed.get(number) ?? (await context.github.readIssue(number))
      const judged = issue === null ? null : await judge(issue, facts, context)
      if (judged !== null) followed.push(judged)
    })
  const done = followed.filter(({ progress }) => progress === 'done')
  if (context.inputs.dryRun) {
    failOnce(failures, context)
    return {
      ...enrolmentResult([]),
      outcome: 'planned',
      reason: `${done.length} of ${followed.length} waiting requests would be answered.`,
    }
  }
  let testers: TestersReport | null = null
  let settling: ReturnType<typeof settleDevices> | null = null
  for (const { thread } of done)
    await attempt(thread, failures, context, async () => {
      const { proposal } = thread
      if (proposal === null) return
      const { action, device } = proposal.asked
      settling ??= readAppId(context).then(appId => settleDevices(appId, context))
      const settled = await settling
      testers = settled.testers
      answered.push(await endFulfilled({ thread, action, device }, settled, context))
    })
  for (const { issue, thread, progress } of followed.filter(each => each.progress !== 'done'))
    await attempt(progress === 'over' ? null : thread, failures, context, async () => {
      // Anew: the others took their time, and what its author wrote meanwhile is answered already.
      const now = await context.github.readIssue(issue.number)
      const judged = now === null ? null : await judge(now, facts, context)
      if (judged === null || judged.progress !== progress) return
      const decided = await act(judged, facts, context)
      if (decided.answered.some(({ says }) => says.state === 'waiting')) queue.waiting.add(issue.number)
      answered.push(...decided.answered)
      testers ??= decided.testers
    })
  if (failures.length > 0)
    for (const { thread, says } of answered) context.deps.log.info(describeEnrolment(thread.issue, says))
  failOnce(failures, context)
  return enrolmentResult(answered, testers)
}

/** One request that fails keeps nobody else waiting. `thread` is null where there is nothing to confess. */
async function attempt(
  thread: Thread | null,
  failures: unknown[],
  context: Enrolling,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof CancelledError || (error instanceof GitHubError && error.retryAfter !== null))
      throw error
    failures.push(error)
    if (thread !== null) await confess(thread, error, context)
  }
}

/** Throws the first; the log has the others. */
function failOnce(failures: readonly unknown[], { deps }: Enrolling): void {
  if (failures.length === 0) return
  const [first, ...others] = new Set(failures)
  for (const other of others) deps.log.warning(other instanceof Error ? other.message : String(other))
  throw first
}

/** Null where nothing is to be done. */
async function judge(
  issue: Issue,
  { rules, queue, file }: Facts,
  context: Enrolling,
): Promise<Followed | null> {
  if (rules.label !== null && !hasLabel(issue.labels, rules.label)) return null
  const thread = await readThread(issue.number, context)
  const { proposal } = thread
  if (proposal !== null && proposal.state !== 'waits' && queue.waiting.has(issue.number))
    return { issue, thread, progress: 'over', pull: proposal.pull }
  const form = readTesterForm(issue.body)
  const isForm = form !== null && issue.author !== null && LOGIN.test(issue.author)
  const isAsking = issue.isOpen && !issue.isLocked && isForm
  if (proposal?.state !== 'waits')
    return isAsking ? { issue, thread, progress: 'unanswered', pull: null } : null
  const pull = await readProposed(thread, context)
  // It may be merged since the file was read.
  const { testers } = pull?.merged ? await readFileAtHead(context) : file
  const progress = judgeProgress(proposal, { issueOpen: issue.isOpen, pull, testers })
  if (progress === 'open' && issue.isLocked) return null
  const isEdited = isAsking && 'request' in form && !isSameRequest(form.request, proposal.asked)
  const isUnanswered = isEdited && (progress === 'open' || (progress === 'declined' && pull?.merged))
  return { issue, thread, progress: isUnanswered ? 'unanswered' : progress, pull: pull?.number ?? null }
}

/** All but what is done. */
async function act(
  { issue, thread, progress, pull }: Followed,
  { rules, ...known }: Facts,
  context: Enrolling,
): Promise<Pick<Decided, 'answered' | 'testers'>> {
  const end = async (says: Parameters<typeof endUnfulfilled>[1]) => ({
    answered: [await endUnfulfilled(thread, says, context)],
    testers: null,
  })
  if (progress === 'declined' || progress === 'withdrawn') {
    const isAuthors = !issue.isOpen && isSameLogin(issue.closedBy, issue.author ?? '')
    return end(isAuthors ? { state: 'withdrawn' } : { state: 'declined', pull })
  }
  if (progress === 'open') return { answered: await renew(thread, known.file, context), testers: null }
  const form = readTesterForm(issue.body)
  if (progress === 'unanswered' && form !== null && issue.author !== null)
    return answerForm({ author: issue.author, thread, rules, known }, form, context)
  await closeAgain(issue, thread, context)
  return { answered: [], testers: null }
}

/** The pull request builds on the newest file; what a run did not finish is finished. */
async function renew(thread: Thread, file: FileAtHead, context: Enrolling): Promise<Answered[]> {
  if (thread.proposal === null) return []
  const { asked, author }: Proposal = thread.proposal
  const change = planEnrolment(asked, { author, testers: file.testers })
  if (!isChange(change)) return []
  const wish = { change, asked, author, file, appId: await readAppId(context) }
  return [await propose(thread, wish, context)]
}
