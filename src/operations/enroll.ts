/** `operation: enroll`: issues of people who want to join or leave the testers are read, proposed, and answered. */
import type { RunContext } from '../context.ts'
import { ActionError, CancelledError } from '../errors.ts'
import type { EventIssue } from '../event.ts'
import { isForbidden } from '../github/errors.ts'
import { readTesterForm } from '../inputs/tester-form.ts'
import { LOGIN } from '../inputs/testers-schema.ts'
import type { EnrolmentRules } from '../plan/enrolment.ts'
import type { Operation } from '../plan/operation.ts'
import { hasLabel } from '../plan/preview.ts'
import type { EnrolmentResult } from '../report/list-results.ts'
import type { SkippedResult } from '../report/result.ts'
import { enrolmentResult, skippedResult } from '../report/results.ts'
import { answerForm } from './steps/enrolment-decision.ts'
import { confess } from './steps/enrolment-end.ts'
import { followRequest, followRequests } from './steps/enrolment-follow.ts'
import { type Enrolling, readThread } from './steps/enrolment-thread.ts'
import { requireGitHub } from './steps/pull-request.ts'

/** Activity types after which an issue may ask for something new. */
const ASKS: ReadonlySet<string> = new Set(['opened', 'edited', 'labeled', 'reopened'])

export async function enroll(
  { rules }: Extract<Operation, { kind: 'enroll' }>,
  given: RunContext,
): Promise<EnrolmentResult | SkippedResult> {
  const context = { ...given, github: requireGitHub(given, 'read the issues, and to answer them') }
  const { issue } = context.trigger
  try {
    return await (issue === null ? followRequests(rules, context) : readRequest(issue, rules, context))
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
  if (!ASKS.has(action) && action !== 'closed') return skip(`was ${action}, which asks for nothing`)
  const issue = await context.github.readIssue(number)
  if (issue === null) return skip('does not exist any more')
  if (rules.label !== null && !hasLabel(issue.labels, rules.label))
    return skip(`does not have the label "${rules.label}"`)
  if (!issue.isOpen) return followRequest(issue, rules, context)
  if (action === 'closed') return skip('is open again: the run of that reads it')
  if (issue.isLocked) return skip('is locked')
  // Else an edit of somebody else would count as the sender's own.
  if (issue.body !== body) return skip('was edited meanwhile: the run of that edit reads it')
  const form = readTesterForm(body)
  if (form === null) return skip("is not a tester's request: the headings of the form are missing")
  const { author } = issue
  if (author === null || !LOGIN.test(author)) return skip('is not of a person')
  const thread = await readThread(number, context)
  try {
    const { answered, testers, planned } = await answerForm({ author, thread, rules }, form, context)
    if (planned !== null) return { ...enrolmentResult([]), outcome: 'planned', reason: planned }
    if (answered.length === 0) return skip('has to wait for older requests of its author')
    return enrolmentResult(answered, testers)
  } catch (error) {
    if (!(error instanceof CancelledError)) await confess(thread, error, context)
    throw error
  }
}

/** GitHub's refusal names no permission. */
function explain(error: unknown): unknown {
  if (!isForbidden(error)) return error
  return new ActionError('permission_missing', `The job's token cannot answer requests: ${error.message}`, {
    hint: '"operation: enroll" needs contents: write, issues: write and pull-requests: write under "permissions:" of the job.',
    cause: error,
  })
}
