/** Requests that are open: those that are done, declined or withdrawn are answered, and the others kept mergeable. */
import { CancelledError } from '../../errors.ts'
import { GitHubError } from '../../github/errors.ts'
import type { Issue } from '../../github/issues.ts'
import { readTesterForm } from '../../inputs/tester-form.ts'
import { LOGIN } from '../../inputs/testers-schema.ts'
import { type EnrolmentRules, isSameLogin, planEnrolment } from '../../plan/enrolment.ts'
import { judgeProgress } from '../../plan/enrolment-progress.ts'
import { describeEnrolment } from '../../report/enrolment.ts'
import type { EnrolmentResult } from '../../report/list-results.ts'
import { enrolmentResult } from '../../report/results.ts'
import type { TestersReport } from '../../report/testers.ts'
import { readAppId } from './app-config.ts'
import { readProposed } from './enrolment-branch.ts'
import { answerForm } from './enrolment-decision.ts'
import { confess, endRequests, endUnfulfilled } from './enrolment-end.ts'
import { type FileAtHead, isFileChange, readFileAtHead } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { propose } from './enrolment-proposal.ts'
import { listTurns, readQueue } from './enrolment-queue.ts'
import { type Answered, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'

/** A team has some; each takes requests. */
const MAX_FOLLOWED = 100

/** A request that waits for a lead, or that no run has answered for good. */
interface Followed {
  readonly issue: Issue
  readonly thread: Thread
  /** `unanswered`: a run missed it, or it had to wait for others. */
  readonly progress: ReturnType<typeof judgeProgress> | 'unanswered'
  readonly pull: number | null
}

/** Follows all of them: our own comments and GitHub are the only memory. */
export async function followRequests(rules: EnrolmentRules, context: Enrolling): Promise<EnrolmentResult> {
  const queue = await readQueue(rules, context)
  const known = new Map(queue.open.map(({ number, issue }) => [number, issue]))
  return follow(listTurns(queue).slice(0, MAX_FOLLOWED), { rules, known }, context)
}

/** Follows the request of one issue, which somebody closed. */
export function followRequest(
  issue: Issue,
  rules: EnrolmentRules,
  context: Enrolling,
): Promise<EnrolmentResult> {
  return follow([issue.number], { rules, known: new Map([[issue.number, issue]]) }, context)
}

async function follow(
  numbers: readonly number[],
  { rules, known }: { readonly rules: EnrolmentRules; readonly known: ReadonlyMap<number, Issue> },
  context: Enrolling,
): Promise<EnrolmentResult> {
  const file = await readFileAtHead(context)
  const answered: Answered[] = []
  const failures: unknown[] = []
  /** One request that fails keeps nobody else waiting. */
  const attempt = async (number: number, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (error instanceof CancelledError || (error instanceof GitHubError && error.retryAfter !== null))
        throw error
      failures.push(error)
      await confess(number, error, context)
    }
  }
  const followed: Followed[] = []
  for (const number of numbers)
    await attempt(number, async () => {
      const issue = known.get(number) ?? (await context.github.readIssue(number))
      if (issue !== null) followed.push(...(await judge(issue, file, context)))
    })
  const of = (wanted: Followed['progress']) => followed.filter(({ progress }) => progress === wanted)
  const done = of('done').flatMap(({ thread }) => fulfilled(thread))
  if (context.inputs.dryRun)
    return {
      ...enrolmentResult([]),
      outcome: 'planned',
      reason: `${done.length} of ${followed.length} waiting requests would be answered.`,
    }
  let testers: TestersReport | null = null
  if (done.length > 0) {
    const ended = await endRequests(done, await readAppId(context), context)
    answered.push(...ended.answered)
    testers = ended.testers
  }
  for (const { issue, thread, progress, pull } of followed)
    await attempt(issue.number, async () => {
      if (progress === 'declined')
        answered.push(await endUnfulfilled(thread, { state: 'declined', pull }, context))
      if (progress === 'withdrawn') {
        const isAuthors = isSameLogin(issue.closedBy, issue.author ?? '')
        const says = isAuthors ? ({ state: 'withdrawn' } as const) : ({ state: 'declined', pull } as const)
        answered.push(await endUnfulfilled(thread, says, context))
      }
      if (progress === 'open') answered.push(...(await renew(thread, file, context)))
      const form = progress === 'unanswered' ? readTesterForm(issue.body) : null
      if (form === null || issue.author === null) return
      const decided = await answerForm({ ...issue, author: issue.author, thread, rules }, form, context)
      answered.push(...decided.answered)
      testers ??= decided.testers
    })
  if (failures.length === 0) return enrolmentResult(answered, testers)
  for (const { thread, says } of answered) context.deps.log.info(describeEnrolment(thread.issue, says))
  throw failures[0]
}

async function judge(issue: Issue, file: FileAtHead, context: Enrolling): Promise<Followed[]> {
  const thread = await readThread(issue.number, context)
  const { proposal } = thread
  const isForm = readTesterForm(issue.body) !== null && issue.author !== null && LOGIN.test(issue.author)
  if (proposal?.state !== 'waits')
    return issue.isOpen && isForm ? [{ issue, thread, progress: 'unanswered', pull: null }] : []
  const pull = await readProposed(thread, context)
  const progress = judgeProgress(proposal, { issueOpen: issue.isOpen, pull, testers: file.testers })
  return [{ issue, thread, progress, pull: pull?.number ?? null }]
}

function fulfilled(thread: Thread) {
  const { proposal } = thread
  return proposal === null ? [] : [{ thread, action: proposal.asked.action, device: proposal.asked.device }]
}

/** The pull request builds on the newest file; what a run did not finish is finished. */
async function renew(thread: Thread, file: FileAtHead, context: Enrolling): Promise<Answered[]> {
  if (thread.proposal === null) return []
  const { asked, author }: Proposal = thread.proposal
  const change = planEnrolment(asked, { author, testers: file.testers })
  if (!isFileChange(change)) return []
  return [await propose(thread, { change, asked, author, file, appId: await readAppId(context) }, context)]
}
