/** `operation: enroll`: issues of people who want to join or leave the testers are read, proposed, and answered. */
import type { RunContext } from '../context.ts'
import { ActionError, CancelledError } from '../errors.ts'
import type { EventIssue } from '../event.ts'
import { isForbidden } from '../github/errors.ts'
import type { Issue } from '../github/issues.ts'
import { readTesterForm } from '../inputs/tester-form.ts'
import { LOGIN } from '../inputs/testers-schema.ts'
import { shortDevice } from '../plan/device-id.ts'
import {
  type EnrolmentPlan,
  type EnrolmentRequest,
  type EnrolmentRules,
  planEnrolment,
  skipsReview,
} from '../plan/enrolment.ts'
import type { Operation } from '../plan/operation.ts'
import type { EnrolmentComment } from '../report/enrolment.ts'
import type { EnrolmentResult } from '../report/list-results.ts'
import type { SkippedResult } from '../report/result.ts'
import { enrolmentResult, skippedResult } from '../report/results.ts'
import { readAppId } from './steps/app-config.ts'
import { endRequests, type SettledRequest } from './steps/enrolment-end.ts'
import { commitDirectly, type FileAtHead, readFileAtHead } from './steps/enrolment-file.ts'
import { followRequests } from './steps/enrolment-follow.ts'
import { propose } from './steps/enrolment-proposal.ts'
import { answer, type Enrolling, readThread, type Thread } from './steps/enrolment-thread.ts'
import { requireGitHub } from './steps/pull-request.ts'
import { connectForDevices, readKnownDevices } from './steps/tester-facts.ts'
import { today } from './steps/testers-file.ts'

/** Activity types after which an issue may ask for something new. */
const ASKS: ReadonlySet<string> = new Set(['opened', 'edited', 'labeled', 'reopened'])
/** Requests that wait for a lead at once; later ones have to wait for those. */
const MAX_WAITING = 30

export async function enroll(
  { rules }: Extract<Operation, { kind: 'enroll' }>,
  given: RunContext,
): Promise<EnrolmentResult | SkippedResult> {
  const context = { ...given, github: requireGitHub(given, 'read the issues, and to answer them') }
  const { issue } = context.trigger
  try {
    return await (issue === null ? followRequests(context) : readRequest(issue, rules, context))
  } catch (error) {
    throw explain(error)
  }
}

async function readRequest(
  { number, body }: EventIssue,
  rules: EnrolmentRules,
  context: Enrolling,
): Promise<EnrolmentResult | SkippedResult> {
  const { action } = context.trigger
  const skip = (why: string) => skippedResult({ reason: `#${number} ${why}.` })
  if (!ASKS.has(action)) return skip(`was ${action}, which asks for nothing`)
  const issue = await context.github.readIssue(number)
  if (issue === null || !issue.isOpen) return skip('is not open any more')
  // Else an edit of somebody else would count as the sender's own.
  if (issue.body !== body) return skip('was edited meanwhile: the run of that edit reads it')
  const form = readTesterForm(body)
  if (form === null) return skip('is not a request of a tester: the headings of the form are missing')
  const { author } = issue
  if (author === null || !LOGIN.test(author)) return skip('is not of a person')
  const thread = await readThread(number, context)
  const asked = { ...issue, author, thread, rules }
  try {
    return 'problems' in form
      ? await refuse(asked, form.problems, context)
      : await decide(asked, form.request, context)
  } catch (error) {
    if (error instanceof ActionError) await confess(number, error, context)
    throw error
  }
}

/** An issue that is the form, and who wrote it. */
interface Asked extends Issue {
  readonly author: string
  readonly thread: Thread
  readonly rules: EnrolmentRules
}

async function decide(asked: Asked, request: EnrolmentRequest, context: Enrolling): Promise<EnrolmentResult> {
  const { number, author, thread, rules } = asked
  const { inputs, trigger } = context
  const plan = ({ testers }: FileAtHead) =>
    planEnrolment(request, { author, testers, rules, today: today(context) })
  const others = await findOthers(asked, request, context)
  const file = await readFileAtHead(context)
  const change = plan(file)
  if (others.ofPerson !== null)
    return reply(asked, { state: 'second', first: others.ofPerson, device: null }, context)
  if (others.ofDevice !== null && change.do === 'add')
    return reply(asked, { state: 'second', first: others.ofDevice, device: request.device }, context)
  if (change.do === 'refuse') return refuse(asked, change.problems, context)
  const appId = await readAppId(context)
  if (inputs.dryRun) return planned(asked, change)
  if (change.do === 'nothing') {
    const isGone = request.action === 'leave'
    return end(asked, { do: isGone ? 'remove' : 'update', entry: change.entry }, appId, context)
  }
  if (skipsReview(asked, trigger.issue?.sender ?? '', rules)) {
    const done = await commitDirectly(number, plan, context)
    if (done !== null) return end(asked, done, appId, context)
  }
  if (others.waiting >= MAX_WAITING && thread.proposal === null)
    return reply(asked, { state: 'busy', open: others.waiting }, context)
  const known = await readKnownDevices(appId, [request.device], connectForDevices(context), context)
  const seen = known === null ? undefined : (known.get(request.device) ?? null)
  const answered = await propose(thread, { change: { ...change, seen }, file }, context)
  if (answered.says.state === 'declined') await context.github.closeIssue(number, 'not_planned')
  return enrolmentResult([answered])
}

/** Earlier open issues with the form: of the same person, about the same device, and how many wait at all. */
async function findOthers(
  { number, author }: Asked,
  { device }: EnrolmentRequest,
  { github }: Enrolling,
): Promise<{ readonly ofPerson: number | null; readonly ofDevice: number | null; readonly waiting: number }> {
  const earlier = async (creator: string | null) =>
    (await github.listOpenIssues(creator)).flatMap(issue => {
      const form = issue.number < number ? readTesterForm(issue.body) : null
      return form === null ? [] : [{ number: issue.number, form }]
    })
  const [own, all] = [await earlier(author), await earlier(null)]
  const firstOf = (issues: readonly { readonly number: number }[]) =>
    issues.length === 0 ? null : Math.min(...issues.map(each => each.number))
  return {
    ofPerson: firstOf(own),
    ofDevice: firstOf(all.filter(({ form }) => 'request' in form && form.request.device === device)),
    waiting: all.length,
  }
}

/** The pull request of what the issue said before stays, and is still answered. */
function refuse(asked: Asked, problems: readonly string[], context: Enrolling): Promise<EnrolmentResult> {
  const { proposal } = asked.thread
  const openPull = proposal?.waits ? proposal.pull : null
  return reply(asked, { state: 'refused', problems, openPull }, context)
}

async function reply(
  { thread }: Asked,
  says: EnrolmentComment,
  context: Enrolling,
): Promise<EnrolmentResult> {
  const { dryRun } = context.inputs
  if (dryRun) return { ...enrolmentResult([{ thread, says }]), outcome: 'planned' }
  return enrolmentResult([await answer(thread, { says, proposal: thread.proposal }, context)])
}

async function end(
  { thread }: Asked,
  change: SettledRequest['change'],
  appId: string,
  context: Enrolling,
): Promise<EnrolmentResult> {
  const { answered, testers } = await endRequests([{ thread, change }], appId, context)
  return enrolmentResult(answered, testers)
}

function planned({ number }: Asked, change: Exclude<EnrolmentPlan, { do: 'refuse' }>): EnrolmentResult {
  const what = { add: 'add', update: 'change', remove: 'remove', nothing: 'leave alone' }[change.do]
  return {
    ...enrolmentResult([]),
    outcome: 'planned',
    reason: `#${number} would ${what} device ${shortDevice(change.entry.device)}.`,
  }
}

/** Nobody is left without a word. The run fails, and its log has the rest. */
async function confess(issue: number, error: ActionError, context: Enrolling): Promise<void> {
  if (context.inputs.dryRun || error instanceof CancelledError) return
  const says = { state: 'stuck', device: null, why: error.message } as const
  // The proposal that the run recorded before it failed is kept.
  await readThread(issue, context)
    .then(thread => answer(thread, { says, proposal: thread.proposal }, context))
    .catch(() => {})
}

/** GitHub's refusal names no permission. */
function explain(error: unknown): unknown {
  if (!isForbidden(error)) return error
  return new ActionError('permission_missing', `The job's token cannot answer requests: ${error.message}`, {
    hint: '"operation: enroll" needs contents: write, issues: write and pull-requests: write under "permissions:" of the job.',
    cause: error,
  })
}
