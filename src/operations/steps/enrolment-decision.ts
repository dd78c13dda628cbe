/** An issue with the form: what it asks for is refused, proposed, or done. */
import type { Issue } from '../../github/issues.ts'
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
import { endFulfilled, endUnfulfilled, settleDevices } from './enrolment-end.ts'
import { commitDirectly, type FileAtHead, readFileAtHead } from './enrolment-file.ts'
import { isAskedAgain, propose } from './enrolment-proposal.ts'
import { findPlace, type Place, type Queue } from './enrolment-queue.ts'
import { type Answered, answer, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'
import { today } from './testers-file.ts'

/** An issue that is the form, and who wrote it. */
export interface Asked extends Issue {
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
    if (state === 'withdrawn') return end(asked, { state }, context)
    if (state === 'declined') return end(asked, { state, pull }, context)
  }
  return decide(asked, form, context)
}

async function decide(asked: Asked, form: TesterForm, context: Enrolling): Promise<Decided> {
  const { number, author, rules, known } = asked
  const request = 'request' in form ? form.request : null
  const readFile = once(async () => known?.file ?? (await readFileAtHead(context)))
  const canPush = once(() => context.github.canPush(author))
  const isNew = async () => !(await readFile()).testers.some(({ device }) => device === request?.device)
  const turn = { rules, queue: known?.queue ?? null, canPush, isNew }
  const place = await findPlace({ number, author, request }, turn, context)
  const { obstacle } = place
  if (obstacle === 'silent') return skipped
  if (obstacle !== null) return reply(asked, obstacle, context)
  if ('problems' in form) return refuse(asked, form.problems, context)
  return fulfil(asked, form.request, { ...place, file: await readFile(), canPush }, context)
}

interface Chance extends Place {
  readonly file: FileAtHead
  readonly canPush: () => Promise<boolean>
}

async function fulfil(
  asked: Asked,
  request: EnrolmentRequest,
  { file, canPush, findDailyLimit, findLimit }: Chance,
  context: Enrolling,
): Promise<Decided> {
  const { number, author, thread, rules } = asked
  const { device, action } = request
  const read = ({ testers }: FileAtHead) =>
    planRequest(request, { author, testers, rules, today: today(context) })
  if (isTakenBack(asked, request, file)) return end(asked, { state: 'withdrawn' }, context)
  const { asked: settled, plan: planned } = read(file)
  const plan =
    planned.do === 'refuse' && (await isRemovedBefore(asked, request, file, context))
      ? ({ do: 'nothing' } as const)
      : planned
  if (plan.do === 'refuse') return refuse(asked, plan.problems, context)
  if (context.inputs.dryRun) {
    const what = { add: 'add', update: 'change', remove: 'remove', nothing: 'leave alone' }[plan.do]
    return { ...skipped, planned: `#${number} would ${what} device ${shortDevice(device)}.` }
  }
  const daily = await findDailyLimit()
  if (daily !== null) return reply(asked, daily, context)
  const appId = await readAppId(context)
  const finish = async () => {
    const settled = await settleDevices(appId, context)
    return {
      ...done(await endFulfilled({ thread, action, device }, settled, context)),
      testers: settled.testers,
    }
  }
  if (!isChange(plan)) return finish()
  // Another run for this issue may have removed it first.
  const planAgain = (now: FileAtHead): EnrolmentPlan =>
    action === 'leave' && !isListed(device, now) ? { do: 'nothing' } : read(now).plan
  if (rules.membersSkipReview && isWrittenBy(author, context) && (await canPush()))
    if (await commitDirectly(number, planAgain, context)) return finish()
  const limit = findLimit()
  if (limit !== null) return reply(asked, limit, context)
  const wish = { change: plan, asked: settled, author, file, appId }
  let answered = await propose(thread, wish, context)
  for (let attempts = 1; answered.isOvertaken && attempts < ATTEMPTS; attempts++) {
    await context.github.settle()
    answered = await propose(await readThread(number, context), wish, context)
  }
  if (answered.isOvertaken)
    context.deps.log.warning(`Other runs changed the request of #${number} meanwhile. Re-run this job.`)
  const { says } = answered
  return says.state === 'declined' ? end({ number, thread: answered.thread }, says, context) : done(answered)
}

export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => {
    made ??= work()
    return made
  }
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
  { number, rules }: Asked,
  { action, device }: EnrolmentRequest,
  file: FileAtHead,
  { github }: Enrolling,
): Promise<boolean> {
  if (!rules.membersSkipReview || action === 'join' || isListed(device, file)) return false
  const title = titleOf({ do: 'remove' }, number)
  return (await github.listCommits(file.path, COMMITS)).some(each => each.title === title)
}

async function end(
  { number, thread }: Pick<Asked, 'number' | 'thread'>,
  says: Parameters<typeof endUnfulfilled>[1],
  context: Enrolling,
): Promise<Decided> {
  if (context.inputs.dryRun) return { ...skipped, planned: describeEnrolment(number, says) }
  return done(await endUnfulfilled(thread, says, context))
}

/** The pull request of what the issue said before stays, and is still answered. */
function refuse(asked: Asked, problems: readonly string[], context: Enrolling): Promise<Decided> {
  const { proposal } = asked.thread
  const openPull = proposal?.state === 'waits' ? proposal.pull : null
  return reply(asked, { state: 'refused', problems, openPull }, context)
}

/** A request that was over, and that a lead opened again, is not over any more. */
async function reply(
  { number, thread }: Asked,
  says: EnrolmentComment,
  context: Enrolling,
): Promise<Decided> {
  if (context.inputs.dryRun) return { ...skipped, planned: describeEnrolment(number, says) }
  const proposal = thread.proposal?.state === 'waits' ? thread.proposal : null
  return done(await answer(thread, { says, proposal }, context))
}
