/** The testers file as data: its entries, its versions, and how two states of it differ. */

/** A device of the testers file. */
export interface Tester {
  /** In lower case. */
  readonly device: string
  readonly name: string | null
  readonly github: string | null
  readonly groups: readonly string[]
  /** Where the device is while no pull request wants it. */
  readonly channel: string | null
  /** Last day, `2027-03-31`. */
  readonly until: string | null
  /** Where it stands in the file, from 1. */
  readonly line: number
  readonly column: number
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
 * The file as it will be once a pull request is merged: the default branch's `current`, with what the branch's `own`
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

/** The file's entry of a tester, wherever it stands. */
function saysOf({ line, column, ...said }: Tester): string {
  return JSON.stringify(said)
}

export function byDevice(testers: readonly Tester[]): Map<string, Tester> {
  return new Map(testers.map(tester => [tester.device, tester]))
}

/** Days after its last write in which Capgo may still have an override: 30 on some servers, 90 on others. */
const LIFE_DAYS = 90
/** Versions of the file that are looked at: each is a request. */
const MAX_VERSIONS = 50

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
  const counted = alive.slice(0, MAX_VERSIONS)
  return { counted, leftOut: alive.length - counted.length }
}
