/** Which device belongs on which channel. */
import { InputError } from '../errors.ts'
import { byDevice, isPast, type Tester } from './tester-list.ts'

/** The receivers of a pull request's preview, as `assign-testers` says. */
export type AssignRule =
  | { readonly kind: 'author' | 'reviewers' | 'all' }
  | { readonly kind: 'group'; readonly name: string }

/** Which overrides may be taken away: of ids that were removed from the file, of all others too, or none. */
export type Prune = 'removed' | 'exclusive' | 'never'

/** A channel that this action made for a pull request. */
export interface PreviewChannel {
  readonly channel: string
  readonly pull: number
  /** The pull request when its preview is on; null when it is closed, or its preview is being removed. */
  readonly open: { readonly author: string; readonly reviewers: readonly string[] } | null
  /** Testers of another file than the default branch's: the pull request's own. */
  readonly testers: readonly Tester[] | null
}

export interface Override {
  /** Name of the channel. */
  readonly channel: string
  readonly channelId: number
  /** When it was written last, ISO. */
  readonly updatedAt: string
}

export interface TesterFacts {
  /** The file on the default branch. */
  readonly testers: readonly Tester[]
  /** Former testers within the life of an override, the newest last; null where they were not read. */
  readonly earlier: readonly Tester[] | null
  readonly previews: readonly PreviewChannel[]
  /** By device id. */
  readonly overrides: ReadonlyMap<string, Override>
  /** Null = by the file: `author` where it has logins, else `all`. */
  readonly assign: readonly AssignRule[] | null
  readonly prune: Prune
  /** `2026-11-23`. */
  readonly today: string
  /** Overrides written before this moment (ISO) are renewed. */
  readonly renewBefore: string
}

/** The override that one device should have. `from` and `to` are channels by name; null = no override. */
export interface Assignment {
  readonly device: string
  readonly tester: Tester | null
  readonly from: string | null
  readonly to: string | null
  /** The pull request that wins the device. */
  readonly pull: number | null
  /** Other open pull requests that want it. */
  readonly others: readonly number[]
  /** Open pull requests that would want it, were its last day not over. */
  readonly expiredFor: readonly number[]
  readonly state: 'set' | 'there' | 'release' | 'by_hand' | 'expired' | 'none'
}

export interface TestersPlan {
  readonly assignments: readonly Assignment[]
  /** Device ids by the channel's id. */
  readonly renewals: ReadonlyMap<number, readonly string[]>
}

/**
 * Where every tester's device belongs: on the channel of the newest open pull request that wants it, else on its
 * standing channel, else nowhere. Where the file never had a device, somebody put it there, and there it stays.
 */
export function planTesters(facts: TesterFacts): TestersPlan {
  const look = lookAt(facts)
  const assignments: Assignment[] = []
  const renewals = new Map<number, string[]>()
  for (const [device, tester] of look.known) {
    const wish = wishOf(device, tester, look)
    assignments.push(assign(wish, tester, look))
    const current = facts.overrides.get(device)
    if (wish.from === wish.to && current !== undefined && current.updatedAt < facts.renewBefore)
      renewals.set(current.channelId, [...(renewals.get(current.channelId) ?? []), device])
  }
  return { assignments: [...assignments, ...releases(look)], renewals }
}

/** The facts by device. */
function lookAt(facts: TesterFacts) {
  const now = byDevice(facts.testers)
  const newestFirst = [...facts.previews].sort((one, other) => other.pull - one.pull)
  const requests = newestFirst.map(preview => ({ preview, devices: wantedBy(preview, facts) }))
  return {
    facts,
    now,
    earlier: byDevice(facts.earlier ?? []),
    /** The newest pull request first. */
    requests,
    /** The testers that the file, or the file of a pull request, lists. */
    known: new Map([...requests.flatMap(({ devices }) => [...devices]), ...now]),
    previewChannels: new Set(facts.previews.map(({ channel }) => channel)),
    /** Devices and the channels that the file ever put them on. */
    placed: new Set((facts.earlier ?? []).map(({ device, channel }) => placeOf(device, channel))),
  }
}

type Look = ReturnType<typeof lookAt>

function placeOf(device: string, channel: string | null): string {
  return `${device} ${channel}`
}

/** Where a device belongs, and where it is. */
function wishOf(device: string, tester: Tester, { facts, now, requests }: Look): Omit<Assignment, 'state'> {
  const { today } = facts
  const asking = requests.flatMap(({ preview, devices }) => {
    const asked = devices.get(device)
    return asked === undefined ? [] : [{ preview, isPast: isPast(asked, today) }]
  })
  const [winner, ...others] = asking.filter(({ isPast }) => !isPast).map(({ preview }) => preview)
  const standing = now.get(device)
  const standingChannel = standing === undefined || isPast(standing, today) ? null : standing.channel
  return {
    device,
    tester,
    from: facts.overrides.get(device)?.channel ?? null,
    to: winner?.channel ?? standingChannel,
    pull: winner?.pull ?? null,
    others: others.map(({ pull }) => pull),
    expiredFor: asking.filter(({ isPast }) => isPast).map(({ preview }) => preview.pull),
  }
}

/** The decision on a device that a file lists. */
function assign(wish: Omit<Assignment, 'state'>, tester: Tester, look: Look): Assignment {
  const { device, from, to } = wish
  const isExpired = isPast(tester, look.facts.today)
  if (from === to) return { ...wish, state: from !== null ? 'there' : isExpired ? 'expired' : 'none' }
  const isOurs =
    from === null ||
    look.previewChannels.has(from) ||
    from === look.now.get(device)?.channel ||
    look.placed.has(placeOf(device, from))
  if (!isOurs) return { ...wish, state: 'by_hand' }
  if (to !== null) return { ...wish, state: 'set' }
  return look.facts.prune === 'never'
    ? { ...wish, to: from, state: 'there' }
    : { ...wish, state: isExpired ? 'expired' : 'release' }
}

/** Devices that no file lists any more, and with `exclusive` those that none ever did. */
function releases({ facts, known, now, earlier, previewChannels, placed }: Look): Assignment[] {
  const { overrides, prune } = facts
  if (prune === 'never') return []
  const gone = { to: null, pull: null, others: [], expiredFor: [], state: 'release' } as const
  const left = [...earlier].flatMap(([device, tester]): Assignment[] => {
    const from = overrides.get(device)?.channel
    if (known.has(device) || from === undefined) return []
    return previewChannels.has(from) || placed.has(placeOf(device, from))
      ? [{ ...gone, device, tester, from }]
      : []
  })
  if (prune !== 'exclusive') return left
  const standing = [...now.values(), ...(facts.earlier ?? [])].flatMap(({ channel }) => channel ?? [])
  const managed = new Set([...previewChannels, ...standing])
  const strangers = [...overrides]
    .filter(([device, { channel }]) => managed.has(channel) && !known.has(device) && !earlier.has(device))
    .map(([device, { channel }]): Assignment => ({ ...gone, device, tester: null, from: channel }))
  return [...left, ...strangers]
}

/**
 * Whether who was in the file earlier could change the plan. `isWhole`: devices that are not in the file are this
 * run's matter too.
 */
export function asksForHistory(
  { assignments }: TestersPlan,
  facts: TesterFacts,
  { isWhole }: { readonly isWhole: boolean },
): boolean {
  const planned = new Set(assignments.map(({ device }) => device))
  const isUnknown = (device: string) => !planned.has(device)
  return (
    assignments.some(({ state }) => state === 'by_hand') ||
    (isWhole && facts.prune !== 'never' && [...facts.overrides.keys()].some(isUnknown))
  )
}

/** The devices that a pull request asks for, by id; those whose last day is over too. A closed one asks for none. */
function wantedBy(preview: PreviewChannel, facts: TesterFacts): Map<string, Tester> {
  const { open } = preview
  const testers = preview.testers ?? facts.testers
  if (open === null) return new Map()
  const rules = facts.assign ?? defaultRules(testers)
  const isLogin = (login: string | null, wanted: string) => login?.toLowerCase() === wanted.toLowerCase()
  const wants = ({ github, groups }: Tester) =>
    rules.some(rule =>
      rule.kind === 'group'
        ? groups.includes(rule.name)
        : rule.kind === 'all' ||
          (rule.kind === 'author' ? [open.author] : open.reviewers).some(login => isLogin(github, login)),
    )
  return byDevice(testers.filter(wants))
}

/** Where the file has logins, a pull request goes to its author, else to everybody. */
export function defaultRules(testers: readonly Tester[]): readonly AssignRule[] {
  return testers.some(({ github }) => github !== null) ? [{ kind: 'author' }] : [{ kind: 'all' }]
}

/** Whether somebody's login decides, so that reviewers must be read. */
export function asksForReviewers(rules: readonly AssignRule[] | null): boolean {
  return rules?.some(({ kind }) => kind === 'reviewers') ?? false
}

/** Throws where `assign-testers` names groups that the file does not have. */
export function requireGroups(
  rules: readonly AssignRule[] | null,
  testers: readonly Tester[],
  path: string,
): void {
  const groups = new Set(testers.flatMap(tester => tester.groups))
  const missing = (rules ?? []).flatMap(rule =>
    rule.kind === 'group' && !groups.has(rule.name) ? [`"${rule.name}"`] : [],
  )
  if (missing.length > 0)
    throw new InputError(
      'assign-testers',
      `${path} has no group ${missing.join(' or ')}.`,
      groups.size === 0 ? 'The file has no groups.' : `Groups in the file: ${[...groups].sort().join(', ')}.`,
    )
}
