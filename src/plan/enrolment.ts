/** A person's request to become a tester, or to stop being one: what it asks of the testers file. Pure. */
import { shortDevice } from './device-id.ts'
import type { Tester } from './tester-list.ts'

/** Beginning of the branches that hold a request. */
export const ENROLMENT_BRANCH = 'capgo/tester-'

/** The answers of the form. All of it is other people's text in the right form. */
export interface EnrolmentRequest {
  readonly action: 'join' | 'leave'
  /** In lower case. */
  readonly device: string
  readonly name: string | null
  readonly group: string | null
  readonly channel: string | null
  /** `2027-03-31`. */
  readonly until: string | null
}

/** The choices that the form allows: nothing that is not listed. */
export interface EnrolmentRules {
  readonly channels: readonly string[]
  readonly groups: readonly string[]
  /** The longest time from today; null = the form chooses no last day. */
  readonly days: number | null
  /** Whether people who can push need no review. */
  readonly membersSkipReview: boolean
  /** Only issues with this label are requests; null = all. */
  readonly label: string | null
}

/** An entry of the testers file, wherever it stands. */
export type TesterEntry = Omit<Tester, 'line' | 'column'>

/** `nothing`: the file is as the request wants it. */
export type EnrolmentPlan =
  | EnrolmentChange
  | { readonly do: 'nothing' }
  | { readonly do: 'refuse'; readonly problems: readonly string[] }

/** A change of the testers file: an entry is new, changed, or goes. */
export interface EnrolmentChange {
  readonly do: 'add' | 'update' | 'remove'
  readonly entry: TesterEntry
}

export function isChange(plan: EnrolmentPlan): plan is EnrolmentChange {
  return plan.do !== 'refuse' && plan.do !== 'nothing'
}

/** The author of the request, and the file as it is now. */
interface Listed {
  readonly author: string
  readonly testers: readonly Tester[]
}

interface EnrolmentFacts extends Listed {
  readonly rules: EnrolmentRules
  /** `2026-11-26`. */
  readonly today: string
}

/** A request as the form's rules allow it: its last day is set, and everything that they do not allow is refused. */
export function planRequest(
  request: EnrolmentRequest,
  { author, testers, rules, today }: EnrolmentFacts,
): { readonly asked: EnrolmentRequest; readonly plan: EnrolmentPlan } {
  if (request.action === 'leave') return { asked: request, plan: planEnrolment(request, { author, testers }) }
  const latest = latestDay(rules, today)
  const known = testers.find(({ device }) => device === request.device)
  const lastDay = known?.until ?? null
  const isOver = lastDay !== null && lastDay < today
  const asked = { ...request, until: request.until ?? (known === undefined || isOver ? latest : null) }
  const plan = planEnrolment(asked, { author, testers })
  const problems = [
    ...(plan.do === 'refuse' ? plan.problems : []),
    ...(plan.do !== 'refuse' && asked.until === null && isOver
      ? [`The last day was ${lastDay}. Ask a lead for another one.`]
      : []),
    ...refuseChoices(request, { rules, today, latest }),
  ]
  return { asked, plan: problems.length === 0 ? plan : { do: 'refuse', problems } }
}

/** Changes only an entry that is the author's own, or one that does not exist yet. */
export function planEnrolment(request: EnrolmentRequest, { author, testers }: Listed): EnrolmentPlan {
  const known = testers.find(({ device }) => device === request.device)
  const device = shortDevice(request.device)
  if (known !== undefined && !isSameLogin(known.github, author))
    return refuse(
      `Device ${device} is in the testers file already, and not as yours. Ask a lead to change it.`,
    )
  if (request.action === 'leave')
    return known === undefined
      ? refuse(`Device ${device} is not in the testers file. Check the id.`)
      : { do: 'remove', entry: entryOf(known) }
  if (known === undefined) return { do: 'add', entry: newEntry(request, author) }
  const entry = changedEntry(request, known)
  return isSameEntry(entry, known) ? { do: 'nothing' } : { do: 'update', entry }
}

function refuse(problem: string): EnrolmentPlan {
  return { do: 'refuse', problems: [problem] }
}

function newEntry({ device, name, group, channel, until }: EnrolmentRequest, author: string): TesterEntry {
  return { device, name, github: author, groups: group === null ? [] : [group], channel, until }
}

/** Values that the form leaves open are kept; a lead may have set them. */
function changedEntry({ name, group, channel, until }: EnrolmentRequest, known: Tester): TesterEntry {
  return {
    ...entryOf(known),
    name: name ?? known.name,
    groups: group === null || known.groups.includes(group) ? known.groups : [...known.groups, group],
    channel: channel ?? known.channel,
    until: until ?? known.until,
  }
}

function refuseChoices(
  { group, channel, until }: EnrolmentRequest,
  { rules, today, latest }: Pick<EnrolmentFacts, 'rules' | 'today'> & { readonly latest: string | null },
): string[] {
  return [
    ...refuseChoice('channel', channel, rules.channels),
    ...refuseChoice('group', group, rules.groups),
    ...(until === null
      ? []
      : latest === null
        ? ['This form cannot choose a last day.']
        : until < today || until > latest
          ? [`The last day must be from ${today} to ${latest}, not ${until}.`]
          : []),
  ]
}

function refuseChoice(what: string, value: string | null, allowed: readonly string[]): string[] {
  if (value === null || allowed.includes(value)) return []
  return [
    allowed.length === 0
      ? `This form cannot choose a ${what}.`
      : `The ${what} must be ${allowed.join(' or ')}, not "${value}".`,
  ]
}

function latestDay({ days }: EnrolmentRules, today: string): string | null {
  if (days === null) return null
  return new Date(Date.parse(today) + days * 86_400_000).toISOString().slice(0, 10)
}

/** Whether the form still says what was asked for; the last day may come from the rules. */
export function isSameRequest(form: EnrolmentRequest, asked: EnrolmentRequest): boolean {
  const say = ({ action, device, name, group, channel, until }: EnrolmentRequest) =>
    JSON.stringify([action, device, name, group, channel, until])
  return say({ ...form, until: form.until ?? asked.until }) === say(asked)
}

export function isSameLogin(one: string | null, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase()
}

export function entryOf({ line, column, ...entry }: Tester): TesterEntry {
  return entry
}

export function isSameEntry(one: TesterEntry, other: TesterEntry): boolean {
  const say = ({ device, name, github, groups, channel, until }: TesterEntry) =>
    JSON.stringify([device, name, github, groups, channel, until])
  return say(one) === say(other)
}
