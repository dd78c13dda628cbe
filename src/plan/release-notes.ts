/** Release notes: the titles of changes between two commits. Titles are untrusted text of one line. */

/** A commit as GitHub lists it. */
export interface ChangedCommit {
  readonly sha: string
  readonly parents: readonly string[]
  readonly message: string
}

/** The commits that a comparison lists, the oldest first. */
export interface Changes {
  readonly commits: readonly ChangedCommit[]
  /** Of all commits; more than `commits` where GitHub has further pages. */
  readonly total: number
}

export interface ReleaseNotes {
  /** The newest first, with the pull request's number where it is known: "Add a wallet (#12)". */
  readonly titles: readonly string[]
  /** How many further changes the titles leave out. */
  readonly more: number
}

export const NO_RELEASE_NOTES: ReleaseNotes = { titles: [], more: 0 }

const MAX_TITLES = 5
const MAX_TITLE = 120

const PULL_MERGE = /^Merge pull request #(?<pull>\d+) from \S+/
const PULL_SUFFIX = /\(#\d+\)$/
/** Commits that are merged into another one before anybody reads them. */
const INTERIM = /^(?:fixup|squash|amend)! /
/** How git begins the body of a revert; a squashed pull request may quote it further down. */
const REVERTS = /^This reverts commit [0-9a-f]{7,}/

/**
 * A merged pull request counts once, by its title. Merges of branches into one another say nothing and are left out;
 * what they bring is listed.
 */
export function planReleaseNotes({ commits, total }: Changes): ReleaseNotes {
  const hidden = commitsOfPulls(commits)
  const titles = commits
    .toReversed()
    .filter(({ sha }) => !hidden.has(sha))
    .flatMap(commit => titleOf(commit) ?? [])
  const distinct = [...new Set(titles)]
  const shown = distinct.slice(0, MAX_TITLES)
  return { titles: shown, more: distinct.length - shown.length + Math.max(0, total - commits.length) }
}

/** As one line of at most `max` by the measure: the titles that fit, the rest counted; empty where none fits. */
export function summariseReleaseNotes(
  { titles, more }: ReleaseNotes,
  max: number,
  measure: (text: string) => number = text => text.length,
): string {
  for (let shown = titles.length; shown > 0; shown--) {
    const left = titles.length - shown + more
    const line = `${titles.slice(0, shown).join(', ')}${left === 0 ? '' : ` and ${left} more`}`
    if (measure(line) <= max) return line
  }
  return ''
}

/** Null where a commit has nothing to say by itself. */
function titleOf(commit: ChangedCommit): string | null {
  const [subject, body] = split(commit.message)
  const pull = PULL_MERGE.exec(subject)?.groups?.pull
  const title = firstLine(body)
  if (pull !== undefined && title !== '') return clip(`${title} (#${pull})`)
  const isMerge = commit.parents.length > 1 && /^Merge /.test(subject)
  if (subject === '' || isMerge || INTERIM.test(subject)) return null
  const isRevert = REVERTS.test(body) && !/^(?:revert|reapply)\b/i.test(subject)
  return clip(isRevert ? `Revert: ${subject}` : subject)
}

/** The commits that a merged pull request brought: its title stands for them. */
function commitsOfPulls(commits: readonly ChangedCommit[]): ReadonlySet<string> {
  const known = new Map(commits.map(commit => [commit.sha, commit]))
  const reach = (from: string | undefined): Set<string> => {
    const reached = new Set<string>()
    const open = [from]
    for (let sha = open.pop(); sha !== undefined; sha = open.pop()) {
      const commit = known.get(sha)
      if (commit === undefined || reached.has(sha)) continue
      reached.add(sha)
      open.push(...commit.parents)
    }
    return reached
  }
  const merges = commits.filter(
    commit => commit.parents.length === 2 && (titleOf(commit)?.match(PULL_SUFFIX) ?? null) !== null,
  )
  return new Set(
    merges.flatMap(({ parents: [onto, from] }) => {
      const before = reach(onto)
      return [...reach(from)].filter(sha => !before.has(sha))
    }),
  )
}

function split(message: string): [string, string] {
  const [subject = '', ...body] = message.trim().split('\n')
  return [oneLine(subject), body.join('\n').trim()]
}

const firstLine = (text: string) => oneLine(text.split('\n')[0] ?? '')
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()

/** The number of a pull request stays at the end. */
function clip(title: string): string {
  const [number = ''] = / \(#\d+\)$/.exec(title) ?? []
  const text = title.slice(0, title.length - number.length)
  if (text.length + number.length <= MAX_TITLE) return title
  const cut = text.slice(0, MAX_TITLE - number.length - 1)
  return `${cut.replace(/[\ud800-\udbff]$/, '').trimEnd()}…${number}`
}
