/** An issue with the form: what it asks for is refused, proposed, or done. */
import type { TesterForm } from '../../inputs/tester-form.ts'
import { shortDevice } from '../../plan/device-id.ts'
import {
  type EnrolmentPlan,
  type EnrolmentRequest,
  type EnrolmentRules,
  isChange,
  isSameLogin,
  planRequest,
} from '../../plan/enrolment.ts'
import { describeEnrolment, type EnrolmentComment, titleOf } from '../../report/enrolment.ts'
import type { TestersReport } from '../../report/testers.ts'
import { readAppId } from './app-config.ts'
import { readProposed } from './enrolment-branch.ts'
import { endFulfilled, endUnfulfilled, settleDevices } from './enrolment-end.ts'
import { commitDirectly, type FileAtHead, readFileAtHead } from './enrolment-file.ts'
import { isAskedAgain, propose } from './enrolment-proposal.ts'
import { findPlace, type Place, type Queue } from './enrolment-queue.ts'
import { type Answered, answer, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'
import { today } from './testers-file.ts'

/** The issue of a form, and who wrote it. */
interface Asked {
  readonly author: string
  readonly thread: Thread
  readonly rules: EnrolmentRules
  /** Of a run that answers many. */
  readonly known?: { readonly queue: Queue; readonly file: FileAtHead }
}

/** Of the testers file, the newest: GitHub lists so many at once. */
const COMMITS = 100
/** Other runs may change the branch first. */
const ATTEMPTS = 5

export interface Decided {
  readonly answered: readonly Answered[]
  readonly testers: TestersReport | null
  /** The change that a dry run leaves out. */
  readonly planned: string | null
}

/** Answers an issue with the form, and does what it asks for, as far as its author may ask. */
export async function answerForm(asked: Asked, form: TesterForm, context: Enrolling): Promise<Decided> {
  const { author, thread } = asked
  const { state, pull = null } = thread.proposal ?? {}
  if (!isAskedAgain(author, context)) {
    if (state === 'withdrawn') return end(thread, { state }, context)
    if (state === 'declined') return end(thread, { state, pull }, context)
  }
  return decide(asked, form, context)
}

async function decide(asked: Asked, form: TesterForm, context: Enrolling): Promise<Decided> {
  const { author, thread, rules, known } = asked
  const request = 'request' in form ? form.request : null
  const turn = { rules, queue: known?.queue ?? null }
  const place = await findPlace({ number: thread.issue, author, request }, turn, context)
  if (place === 'silent') return skipped
  if ('problems' in form) return refuse(asked, form.problems, context)
  const file = known?.file ?? (await readFileAtHead(context))
  const { obstacle } = place
  const isRival = obstacle?.state === 'second' && obstacle.device !== null
  // The file says whose device it is, whoever asks first.
  if (obstacle !== null && !(isRival && isListed(form.request.device, file)))
    return reply(asked, obstacle, context)
  return fulfil(asked, form.request, { ...place, file }, context)
}

interface Chance extends Place {
  readonly file: FileAtHead
}

async function fulfil(
  asked: Asked,
  request: EnrolmentRequest,
  { file: read, findDailyLimit, limit }: Chance,
  context: Enrolling,
): Promise<Decided> {
  const { author, thread } = asked
  const isOver = isTakenBack(asked, request, read)
  // A lead may have merged since the file was read.
  const isMerged = isOver && (await readProposed(thread, context))?.merged === true
  if (isOver && !isMerged) return end(thread, { state: 'withdrawn' }, context)
  const file = isMerged ? await readFileAtHead(context) : read
  const { asked: wanted, plan } = planAt(file, asked, request, context)
  if (plan.do === 'refuse' && !(await isRemovedBefore(asked, request, file, context)))
    return refuse(asked, plan.problems, context)
  if (context.inputs.dryRun) {
    const what = isChange(plan) ? { add: 'add', update: 'change', remove: 'remove' }[plan.do] : 'leave alone'
    return { ...skipped, planned: `#${thread.issue} would ${what} device ${shortDevice(request.device)}.` }
  }
  const daily = await findDailyLimit()
  if (daily !== null) return reply(asked, daily, context)
  const appId = await readAppId(context)
  if (!isChange(plan) || (await isCommitted(asked, request, context)))
    return finish(asked, request, appId, context)
  if (limit !== null) return reply(asked, limit, context)
  return proposeInTurn(thread, { change: plan, asked: wanted, author, file, appId }, context)
}

function planAt(
  { testers }: FileAtHead,
  { author, rules }: Asked,
  request: EnrolmentRequest,
  context: Enrolling,
): ReturnType<typeof planRequest> {
  return planRequest(request, { author, testers, rules, today: today(context) })
}

/** Whether the file has it now without a review: its author may skip that. */
async function isCommitted(asked: Asked, request: EnrolmentRequest, context: Enrolling): Promise<boolean> {
  const { author, thread, rules } = asked
  if (!rules.membersSkipReview || !isWrittenBy(author, context)) return false
  if (!(await context.github.canPush(author))) return false
  // Another run for this issue may have removed it first.
  const plan = (file: FileAtHead): EnrolmentPlan =>
    request.action === 'leave' && !isListed(request.device, file)
      ? { do: 'nothing' }
      : planAt(file, asked, request, context).plan
  return commitDirectly(thread.issue, plan, context)
}

async function finish(
  { thread }: Asked,
  { action, device }: EnrolmentRequest,
  appId: string,
  context: Enrolling,
): Promise<Decided> {
  const settled = await settleDevices(appId, context)
  const answered = await endFulfilled({ thread, action, device }, settled, context)
  return { ...done(answered), testers: settled.testers }
}

/** Again where other runs changed the request meanwhile. */
async function proposeInTurn(
  thread: Thread,
  wish: Parameters<typeof propose>[1],
  context: Enrolling,
): Promise<Decided> {
  let answered = await propose(thread, wish, context)
  for (let attempts = 1; answered.isOvertaken && attempts < ATTEMPTS; attempts++) {
    await context.github.settle()
    answered = await propose(await readThread(thread.issue, context), wish, context)
  }
  if (answered.isOvertaken)
    context.deps.log.warning(`Other runs changed the request of #${thread.issue} meanwhile. Re-run this job.`)
  const { says } = answered
  return says.state === 'declined' ? end(answered.thread, says, context) : done(answered)
}

const skipped: Decided = { answered: [], testers: null, planned: null }
const done = (answered: Answered): Decided => ({ ...skipped, answered: [answered] })

const isListed = (device: string, { testers }: FileAtHead) => testers.some(each => each.device === device)

/** Whether the author asked to join before, and does not want to any more. */
function isTakenBack({ thread }: Asked, { action, device }: EnrolmentRequest, file: FileAtHead): boolean {
  const { proposal } = thread
  return (
    action === 'leave' &&
    proposal?.state === 'waits' &&
    proposal.asked.action === 'join' &&
    proposal.asked.device === device &&
    !isListed(device, file)
  )
}

/** Whether the event is that the author wrote the text. A label, or opening it again, may follow another's edit. */
function isWrittenBy(author: string, { trigger }: Enrolling): boolean {
  return ['opened', 'edited'].includes(trigger.action) && isSameLogin(author, trigger.issue?.sender ?? '')
}

/** Whether a run removed a member's device for this issue, and ended before it said so. */
async function isRemovedBefore(
  { thread, rules }: Asked,
  { action, device }: EnrolmentRequest,
  file: FileAtHead,
  { github }: Enrolling,
): Promise<boolean> {
  if (!rules.membersSkipReview || action === 'join' || isListed(device, file)) return false
  const title = titleOf({ do: 'remove' }, thread.issue)
  return (await github.listCommits(file.path, COMMITS)).some(each => each.title === title)
}

async function end(
  thread: Thread,
  says: Parameters<typeof endUnfulfilled>[1],
  context: Enrolling,
): Promise<Decided> {
  if (context.inputs.dryRun) return { ...skipped, planned: describeEnrolment(thread.issue, says) }
  return done(await endUnfulfilled(thread, says, context))
}

/** The pull request of what the issue said before stays, and is still answered. */
function refuse(asked: Asked, problems: readonly string[], context: Enrolling): Promise<Decided> {
  const { proposal } = asked.thread
  const openPull = proposal?.state === 'waits' ? proposal.pull : null
  return reply(asked, { state: 'refused', problems, openPull }, context)
}

/** A request that was over, and that a lead opened again, is not over any more. */
async function reply({ thread }: Asked, says: EnrolmentComment, context: Enrolling): Promise<Decided> {
  if (context.inputs.dryRun) return { ...skipped, planned: describeEnrolment(thread.issue, says) }
  const proposal = thread.proposal?.state === 'waits' ? thread.proposal : null
  return done(await answer(thread, { says, proposal }, context))
}
