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
import { type Enrolling, readThread } from './enrolment-thread.ts'

/** Requests that wait for a lead at once; later ones wait until some of those are answered. */
const MAX_WAITING = 30
/** Requests of a person within a day, but for those who can push. */
const MAX_DAILY = 5
/** Open requests of a person that are answered at all. */
const MAX_ANSWERED = 3
const DAY = 86_400_000

/** An open issue that is the form, or that was when its request was proposed. */
interface OpenRequest {
  readonly number: number
  readonly author: string
  readonly issue: Issue
  /** Null where the form has mistakes. */
  readonly request: EnrolmentRequest | null
}

export interface Queue {
  readonly open: readonly OpenRequest[]
  /** Issues whose request has a branch, closed ones too: it waits for a lead, or for its end. */
  readonly waiting: Set<number>
}

/** All of it, for any number of requests. */
export async function readQueue({ label }: EnrolmentRules, { github }: Enrolling): Promise<Queue> {
  const [issues, branches] = await Promise.all([
    github.listIssues({ state: 'open', label }),
    github.listBranches(ENROLMENT_BRANCH),
  ])
  const numbers = [...branches.keys()].map(name => Number(name.slice(ENROLMENT_BRANCH.length)))
  const waiting = new Set(
    numbers.filter(each => Number.isSafeInteger(each) && each > 0 && branches.has(branchOf(each))),
  )
  return { open: issues.flatMap(each => toOpenRequest(each, waiting)), waiting }
}

/** The issue as a request. An author who edits the form away keeps the request that waits. */
function toOpenRequest(issue: Issue, waiting?: ReadonlySet<number>): OpenRequest[] {
  const { number, author, body, isOpen } = issue
  const form = readTesterForm(body)
  const isRequest = isOpen && (form !== null || waiting?.has(number) === true)
  if (!isRequest || author === null || !LOGIN.test(author)) return []
  return [{ number, author, issue, request: form !== null && 'request' in form ? form.request : null }]
}

/**
 * Requests that wait for a lead, then the oldest of each person: the others wait for those. Branches of closed issues,
 * which a lead or a rule may keep for ever, take no place of those.
 */
export function listTurns({ open, waiting }: Queue): number[] {
  const byAge = open.toSorted((one, other) => one.number - other.number)
  const known = new Set(open.map(({ number }) => number))
  const closed = [...waiting].filter(each => !known.has(each)).sort((one, other) => other - one)
  const numbersOf = (requests: readonly OpenRequest[]) => requests.map(({ number }) => number)
  return [
    ...numbersOf(byAge.filter(each => waiting.has(each.number))),
    ...closed.slice(0, MAX_WAITING),
    ...numbersOf(byAge.filter(each => !waiting.has(each.number) && findAhead(each, open, waiting) === null)),
  ]
}

type Asking = Omit<OpenRequest, 'issue'>

export interface Place {
  /** The answer to a request that has to wait for others; null where it is its turn. */
  readonly obstacle: EnrolmentComment | null
  /** The answer where one more pull request would be too many; else null. */
  readonly limit: EnrolmentComment | null
  /** The answer where its author has asked for too much within a day; else null. */
  findDailyLimit(): Promise<EnrolmentComment | null>
}

/** `queue`: where it was read before. `silent`: its author has got enough answers. */
export async function findPlace(
  asking: Asking,
  { rules, queue }: { readonly rules: EnrolmentRules; readonly queue: Queue | null },
  context: Enrolling,
): Promise<Place | 'silent'> {
  const { number, author, request } = asking
  const listOwn = () => context.github.listIssues({ creator: author, state: 'all', label: rules.label })
  // Asked first: whoever opens a thousand issues costs little.
  const own = queue === null ? await listOwn() : null
  const known = own ?? queue?.open.map(({ issue }) => issue) ?? []
  const place = (obstacle: Place['obstacle']): Place => ({
    obstacle,
    limit: null,
    findDailyLimit: async () => null,
  })
  const older = known.flatMap(each => toOpenRequest(each)).filter(each => each.number < number)
  if (older.filter(each => isSameLogin(each.author, author)).length >= MAX_ANSWERED) return 'silent'
  if (request === null) return place(null)
  const { open, waiting } = queue ?? (await readQueue(rules, context))
  const openOwn = known.flatMap(each => toOpenRequest(each, waiting))
  const all = [...new Map([...openOwn, ...open].map(each => [each.number, each])).values()]
  const first = findAhead(asking, all, waiting)
  if (first !== null) return place({ state: 'second', first, device: null })
  const { device } = request
  const rival = await findRival(asking, all, waiting, context)
  const count = open.filter(each => waiting.has(each.number)).length
  return {
    obstacle: rival === null ? null : { state: 'second', first: rival, device },
    limit: waiting.has(number) || count < MAX_WAITING ? null : { state: 'busy', open: count, isOwn: false },
    async findDailyLimit() {
      if (waiting.has(number)) return null
      const others = (own ?? (await listOwn())).filter(each => each.number !== number)
      const daily = others.length < MAX_DAILY ? 0 : await countDaily(others, context)
      return daily < MAX_DAILY || (await context.github.canPush(author))
        ? null
        : { state: 'busy', open: daily + 1, isOwn: true }
    },
  }
}

/** Requests of a day. An issue that had a pull request is one, whatever it says now, and however old it is. */
async function countDaily(issues: readonly Issue[], { capgo, github }: Enrolling): Promise<number> {
  const yesterday = new Date(capgo.now().getTime() - DAY)
  const proposed = await github.listProposedBranches(yesterday)
  const isNew = ({ body, createdAt }: Issue) => createdAt > yesterday && readTesterForm(body) !== null
  return issues.filter(each => isNew(each) || proposed.has(branchOf(each.number))).length
}

/** Another person's request for the same device whose turn is before this one's. */
async function findRival(
  { number, author, request }: Asking,
  all: readonly OpenRequest[],
  waiting: ReadonlySet<number>,
  context: Enrolling,
): Promise<number | null> {
  const rivals = all
    .filter(each => each.request?.device === request?.device && !isSameLogin(each.author, author))
    .filter(each => findAhead(each, all, waiting) === null)
    .map(each => each.number)
  if (rivals.length === 0) return null
  // An edit to another person's device does not take its place along.
  const holding = new Set<number>()
  for (const each of [number, ...rivals].filter(one => waiting.has(one)))
    if ((await readThread(each, context)).proposal?.asked.device === request?.device) holding.add(each)
  const ahead = rivals.filter(each => isAhead(each, number, holding))
  return ahead.length === 0 ? null : Math.min(...ahead)
}

/** The same person's open request whose turn is before this one's. */
function findAhead(
  { number, author }: Asking,
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
