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
  /** Whether people with access to the repository need no review. */
  readonly membersSkipReview: boolean
}

/** An entry of the testers file, wherever it stands. */
export type TesterEntry = Omit<Tester, 'line' | 'column'>

export type EnrolmentPlan =
  /** An entry is new, or changed. */
  | { readonly do: 'add' | 'update'; readonly entry: TesterEntry }
  | { readonly do: 'remove'; readonly entry: TesterEntry }
  /** The file is as the request wants it. */
  | { readonly do: 'nothing'; readonly entry: TesterEntry }
  | { readonly do: 'refuse'; readonly problems: readonly string[] }

interface EnrolmentFacts {
  readonly author: string
  readonly testers: readonly Tester[]
  readonly rules: EnrolmentRules
  /** `2026-11-26`. */
  readonly today: string
}

/** Changes only an entry that is the author's own, or one that does not exist yet. */
export function planEnrolment(request: EnrolmentRequest, facts: EnrolmentFacts): EnrolmentPlan {
  const { author, testers } = facts
  const known = testers.find(({ device }) => device === request.device)
  if (known !== undefined && !isSameLogin(known.github, author))
    return {
      do: 'refuse',
      problems: [
        `Device ${shortDevice(request.device)} is in the testers file already, and not as yours. Ask a lead to change it.`,
      ],
    }
  if (request.action === 'leave') return planLeaving(request, author, known)
  const problems = refuseChoices(request, facts)
  if (problems.length > 0) return { do: 'refuse', problems }
  if (known === undefined) return { do: 'add', entry: newEntry(request, facts) }
  const entry = changedEntry(request, known)
  return { do: isSameEntry(entry, known) ? 'nothing' : 'update', entry }
}

function planLeaving(request: EnrolmentRequest, author: string, known: Tester | undefined): EnrolmentPlan {
  if (known !== undefined) return { do: 'remove', entry: entryOf(known) }
  return {
    do: 'nothing',
    entry: { device: request.device, name: null, github: author, groups: [], channel: null, until: null },
  }
}

function newEntry({ device, name, group, channel, until }: EnrolmentRequest, facts: EnrolmentFacts) {
  const groups = group === null ? [] : [group]
  return { device, name, github: facts.author, groups, channel, until: until ?? lastDay(facts) }
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
  { rules, today, ...facts }: EnrolmentFacts,
): string[] {
  const latest = lastDay({ ...facts, rules, today })
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

function lastDay({ rules, today }: EnrolmentFacts): string | null {
  if (rules.days === null) return null
  return new Date(Date.parse(today) + rules.days * 86_400_000).toISOString().slice(0, 10)
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

/** People with access: a commit of theirs would need no form. */
const MEMBERS: ReadonlySet<string> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR'])

/** Whether the request needs no review. Whoever edits or labels another person's issue does not speak for that person. */
export function skipsReview(
  { author, association }: { readonly author: string; readonly association: string },
  sender: string,
  rules: EnrolmentRules,
): boolean {
  return rules.membersSkipReview && MEMBERS.has(association) && author === sender
}
