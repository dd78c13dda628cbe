import type { Tester } from '../inputs/testers-file.ts'

/** Whom a pull request's preview goes to, as `assign-testers` says. */
export type AssignRule =
  | { readonly kind: 'author' | 'reviewers' | 'all' }
  | { readonly kind: 'group'; readonly name: string }

/** Which overrides may be taken away: of ids that left the file, of all strangers too, or none. */
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
  /** Who was ever in it within the life of an override, the newest last; null where that was not looked for. */
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

/** What is to be with one device. `from` and `to` are channels by name; null = no override. */
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
  const { today, overrides, prune } = facts
  const now = byDevice(facts.testers)
  const earlier = byDevice(facts.earlier ?? [])
  const placed = new Set((facts.earlier ?? []).map(({ device, channel }) => `${device} ${channel}`))
  const open = facts.previews.filter(({ open }) => open !== null).sort((one, other) => other.pull - one.pull)
  const wanted = open.map(preview => ({ preview, devices: wantedBy(preview, facts) }))
  const previewChannels = new Set(facts.previews.map(({ channel }) => channel))

  const assignments: Assignment[] = []
  const renewals = new Map<number, string[]>()
  const known = new Map([...wanted.flatMap(({ devices }) => [...devices]), ...now])
  for (const [device, tester] of known) {
    const asking = wanted.flatMap(({ preview, devices }) => {
      const asked = devices.get(device)
      return asked === undefined ? [] : [{ preview, isPast: isPast(asked, today) }]
    })
    const wanting = asking.filter(({ isPast }) => !isPast).map(({ preview }) => preview)
    const [winner] = wanting
    const standing = now.get(device)
    const isExpired = isPast(tester, today)
    const to =
      winner?.channel ?? (standing === undefined || isPast(standing, today) ? null : standing.channel)
    const current = overrides.get(device)
    const from = current?.channel ?? null
    const base = {
      device,
      tester,
      from,
      to,
      pull: winner?.pull ?? null,
      others: wanting.slice(1).map(({ pull }) => pull),
      expiredFor: asking.filter(({ isPast }) => isPast).map(({ preview }) => preview.pull),
    }
    const isOurs =
      from === null ||
      previewChannels.has(from) ||
      from === standing?.channel ||
      placed.has(`${device} ${from}`)
    if (from === to) {
      assignments.push({ ...base, state: from === null ? (isExpired ? 'expired' : 'none') : 'there' })
      if (current !== undefined && current.updatedAt < facts.renewBefore)
        renewals.set(current.channelId, [...(renewals.get(current.channelId) ?? []), device])
    } else if (!isOurs) assignments.push({ ...base, state: 'by_hand' })
    else if (to !== null) assignments.push({ ...base, state: 'set' })
    else if (prune !== 'never') assignments.push({ ...base, state: isExpired ? 'expired' : 'release' })
    else assignments.push({ ...base, to: from, state: 'there' })
  }

  const gone = { tester: null, to: null, pull: null, others: [], expiredFor: [], state: 'release' } as const
  if (prune !== 'never')
    for (const [device, tester] of earlier) {
      const from = overrides.get(device)?.channel
      if (known.has(device) || from === undefined) continue
      if (previewChannels.has(from) || placed.has(`${device} ${from}`))
        assignments.push({ ...gone, device, tester, from })
    }
  if (prune === 'exclusive') {
    const standing = [...now.values(), ...(facts.earlier ?? [])].flatMap(({ channel }) => channel ?? [])
    const managed = new Set([...previewChannels, ...standing])
    for (const [device, { channel: from }] of overrides)
      if (managed.has(from) && !known.has(device) && !earlier.has(device))
        assignments.push({ ...gone, device, from })
  }
  return { assignments, renewals }
}

/** Days after its last write in which Capgo may still have an override: 30 on some servers, 90 on others. */
const LIFE_DAYS = 90
/** Versions of the file that are looked at: each is a request. */
const MOST_VERSIONS = 50

/** A change of the file. */
export interface FileVersion {
  readonly sha: string
  /** When it was committed, ISO; null where that is not known. */
  readonly at: string | null
}

/**
 * The versions of the file, given newest first, whose overrides may still be there: those of the last 90 days before
 * `until`, and the one that held when they began. Commits are dated by their committers' clocks, so `until` is a
 * commit's date too. `leftOut` counts what would count and is too much.
 */
export function versionsThatCount(
  versions: readonly FileVersion[],
  until: string | null,
): { readonly counted: readonly FileVersion[]; readonly leftOut: number } {
  const newest = Math.max(...[until, versions[0]?.at ?? null].map(at => Date.parse(at ?? '') || 0))
  const begin = newest - LIFE_DAYS * 24 * 60 * 60 * 1000
  const last = versions.findIndex(({ at }) => at !== null && Date.parse(at) < begin)
  const alive = last === -1 ? versions : versions.slice(0, last + 1)
  const counted = alive.slice(0, MOST_VERSIONS)
  return { counted, leftOut: alive.length - counted.length }
}

/**
 * Whether who was in the file earlier could change the plan. `isWhole`: devices that are not in the file are this
 * run's matter too.
 */
export function asksForHistory({ assignments }: TestersPlan, facts: TesterFacts, isWhole: boolean): boolean {
  const planned = new Set(assignments.map(({ device }) => device))
  const isUnknown = (device: string) => !planned.has(device)
  return (
    assignments.some(({ state }) => state === 'by_hand') ||
    (isWhole && facts.prune !== 'never' && [...facts.overrides.keys()].some(isUnknown))
  )
}

/** The devices that a pull request asks for, by id; those whose last day is over too. */
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

/** Where the file tells whose device it is, a pull request goes to its author, else to everybody. */
export function defaultRules(testers: readonly Tester[]): readonly AssignRule[] {
  return testers.some(({ github }) => github !== null) ? [{ kind: 'author' }] : [{ kind: 'all' }]
}

/** Whether somebody's login decides, so that reviewers must be read. */
export function asksForReviewers(rules: readonly AssignRule[] | null): boolean {
  return rules?.some(({ kind }) => kind === 'reviewers') ?? false
}

export function isPast({ until }: Tester, today: string): boolean {
  return until !== null && until < today
}

/** How two states of the file differ: what merging a pull request would do. */
export interface TestersFileChange {
  readonly added: readonly Tester[]
  readonly removed: readonly Tester[]
  /** Another standing channel than before. */
  readonly moved: readonly { readonly tester: Tester; readonly from: string | null }[]
}

export function compareTesters(before: readonly Tester[], now: readonly Tester[]): TestersFileChange {
  const old = byDevice(before)
  const current = byDevice(now)
  return {
    added: now.filter(({ device }) => !old.has(device)),
    removed: before.filter(({ device }) => !current.has(device)),
    moved: now.flatMap(tester => {
      const was = old.get(tester.device)
      return was === undefined || was.channel === tester.channel ? [] : [{ tester, from: was.channel }]
    }),
  }
}

/**
 * What the file will say once a pull request is merged: the default branch's `current`, with what the branch's `own`
 * changed since `old`, where it began; entries it leaves alone are those of `current`. A branch that is behind removes nobody, and brings nobody back.
 */
export function mergeTesters(
  old: readonly Tester[],
  current: readonly Tester[],
  own: readonly Tester[],
): readonly Tester[] {
  const began = byDevice(old)
  const proposed = byDevice(own)
  const isChanged = (tester: Tester) => {
    const was = began.get(tester.device)
    return was === undefined || saysOf(was) !== saysOf(tester)
  }
  const merged = current.flatMap(tester => {
    const mine = proposed.get(tester.device)
    if (mine === undefined) return began.has(tester.device) ? [] : [tester]
    return [isChanged(mine) && saysOf(mine) !== saysOf(tester) ? mine : tester]
  })
  const listed = byDevice(current)
  return [...merged, ...own.filter(tester => !listed.has(tester.device) && isChanged(tester))]
}

/** What the file says of a tester, wherever it stands. */
function saysOf({ line, column, ...said }: Tester): string {
  return JSON.stringify(said)
}

function byDevice(testers: readonly Tester[]): Map<string, Tester> {
  return new Map(testers.map(tester => [tester.device, tester]))
}

/** The first part of a device id: enough to tell devices apart, and not the id itself. */
export function shortDevice(device: string): string {
  return `${device.slice(0, 8)}…`
}
