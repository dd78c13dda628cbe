/** The requests that are open: whose turn it is, and who has to wait. */
import type { Issue } from '../../github/issues.ts'
import { readTesterForm } from '../../inputs/tester-form.ts'
import { LOGIN } from '../../inputs/testers-schema.ts'
import {
  ENROLMENT_BRANCH,
  type EnrolmentRequest,
  type EnrolmentRules,
  isSameLogin,
} from '../../plan/enrolment.ts'
import type { EnrolmentComment } from '../../report/enrolment.ts'
import { branchOf } from './enrolment-branch.ts'
import type { Enrolling } from './enrolment-thread.ts'

/** Requests that wait for a lead at once; later ones wait until some of those are answered. */
const MAX_WAITING = 30
/** Requests of a person within a day, but for those who can push. */
const MAX_DAILY = 5
/** Open requests of a person that are answered at all. */
const MAX_ANSWERED = 3
const DAY = 86_400_000

/** An open issue that is the form. */
interface OpenRequest {
  readonly number: number
  readonly author: string
  readonly issue: Issue
  /** Null where the form has mistakes. */
  readonly request: EnrolmentRequest | null
}

export interface Queue {
  readonly open: readonly OpenRequest[]
  /** Issues whose request has a branch: it waits for a lead. */
  readonly waiting: ReadonlySet<number>
}

/** All of it, for any number of requests. */
export async function readQueue({ label }: EnrolmentRules, { github }: Enrolling): Promise<Queue> {
  const [issues, branches] = await Promise.all([
    github.listIssues({ state: 'open', label }),
    github.listBranches(ENROLMENT_BRANCH),
  ])
  // A branch of an issue that is closed waits too: for its end.
  const waiting = [...branches.keys()].map(name => Number(name.slice(ENROLMENT_BRANCH.length)))
  return {
    open: issues.flatMap(toOpenRequest),
    waiting: new Set(
      waiting.filter(each => Number.isSafeInteger(each) && each > 0 && branches.has(branchOf(each))),
    ),
  }
}

/** The issue as a request; none where it is not the form, or not of a person. */
function toOpenRequest(issue: Issue): OpenRequest[] {
  const { number, author, body } = issue
  const form = readTesterForm(body)
  if (form === null || author === null || !LOGIN.test(author)) return []
  return [{ number, author, issue, request: 'request' in form ? form.request : null }]
}

/** The oldest of each person, and all that wait for a lead: the others wait for those. */
export function listTurns({ open, waiting }: Queue): number[] {
  const first = open.filter(each => findAhead(each, open, waiting) === null)
  return [...new Set([...waiting, ...first.map(({ number }) => number)])].sort((one, other) => one - other)
}

interface Turn {
  readonly rules: EnrolmentRules
  /** Whether the testers file does not have the device yet. */
  readonly isNew: () => Promise<boolean>
  /** Whether the author can push. */
  readonly canPush: () => Promise<boolean>
}

/** The answer to a request that has to wait for others; null where it is its turn. `silent`: enough was answered. */
export async function findObstacle(
  asked: { readonly number: number; readonly author: string; readonly request: EnrolmentRequest },
  { rules, isNew, canPush }: Turn,
  context: Enrolling,
): Promise<EnrolmentComment | 'silent' | null> {
  const { number, author, request } = asked
  // Asked first: whoever opens a thousand issues costs little.
  const own = await context.github.listIssues({ creator: author, state: 'all', label: rules.label })
  const openOwn = own.filter(({ isOpen }) => isOpen).flatMap(toOpenRequest)
  if (openOwn.filter(each => each.number < number).length >= MAX_ANSWERED) return 'silent'
  const { open, waiting } = await readQueue(rules, context)
  const all = [...new Map([...openOwn, ...open].map(each => [each.number, each])).values()]
  const first = findAhead(asked, all, waiting)
  if (first !== null) return { state: 'second', first, device: null }
  const others = all
    .filter(each => each.request?.device === request.device && !isSameLogin(each.author, author))
    .filter(each => findAhead(each, all, waiting) === null && isAhead(each.number, number, waiting))
    .map(each => each.number)
  if (others.length > 0 && (await isNew()))
    return { state: 'second', first: Math.min(...others), device: request.device }
  if (waiting.has(number)) return null
  const yesterday = context.capgo.now().getTime() - DAY
  const daily = own.filter(each => each.createdAt.getTime() > yesterday && toOpenRequest(each).length > 0)
  if (daily.length > MAX_DAILY && !(await canPush()))
    return { state: 'busy', open: daily.length, isOwn: true }
  return waiting.size >= MAX_WAITING ? { state: 'busy', open: waiting.size, isOwn: false } : null
}

/** The same person's open request whose turn is before this one's. */
function findAhead(
  { number, author }: { readonly number: number; readonly author: string },
  all: readonly OpenRequest[],
  waiting: ReadonlySet<number>,
): number | null {
  const ahead = all.filter(each => isSameLogin(each.author, author) && isAhead(each.number, number, waiting))
  return ahead.length === 0 ? null : Math.min(...ahead.map(each => each.number))
}

/** Requests that wait for a lead go first, and older issues before newer ones. */
function isAhead(one: number, other: number, waiting: ReadonlySet<number>): boolean {
  return waiting.has(one) === waiting.has(other) ? one < other : waiting.has(one)
}
