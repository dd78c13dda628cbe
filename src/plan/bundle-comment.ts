/** A bundle's comment: which commit and run put it on which channel, and which bundle was rolled back. */
import type { BundleRow } from '../capgo/schema.ts'
import { NO_RELEASE_NOTES, type ReleaseNotes, summariseReleaseNotes } from './release-notes.ts'
import type { Commit } from './types.ts'

/** How a bundle got onto a channel, as far as its comment tells. */
export interface ServedCommit {
  readonly sha: string
  readonly refName: string
  /** The run that put it there. */
  readonly runId: number
  readonly run: string
  /** `owner/name#12` when it was put there for a pull request. */
  readonly pull: string | null
  /** Id of that pull request's repository, which outlives its name; null on older notes. */
  readonly repository: number | null
  /**
   * A preview took the channel, which was there: name of the bundle that it served then (`#7` = its id, for a name with
   * spaces), `builtin` for none. Null when a preview made it.
   */
  readonly took: string | null
  /** Name of the bundle that the channel served before. In the comment: `after`. */
  readonly previous: string | null
  /** When, as ISO 8601. */
  readonly at: string | null
  /** It was put there on purpose instead of this newer one: a rollback. In the comment: `instead`. */
  readonly rolledBackFrom: { readonly name: string; readonly sha: string | null } | null
  /** Commits of the bundles that the rollbacks before that one took off the channel. In the comment: `off`. */
  readonly rolledBackEarlier: readonly string[]
  /** The run that rolled this bundle back, when it was. In the comment: `withdrawn`. */
  readonly rolledBackBy: { readonly runId: number; readonly run: string } | null
  /** The titles of its changes as one word: `Add_a_wallet_(#12)`; null where none are noted. */
  readonly changes: string | null
}

/** A line of a bundle's comment. */
export interface Note extends ServedCommit {
  readonly channel: string
}

/** The facts of a note besides the commit. */
export interface Circumstances {
  /** Name of the bundle that the channel serves until then; null or the bundle itself keeps what the note says. */
  readonly previous: string | null
  readonly rolledBackFrom?: { readonly name: string; readonly sha: string | null }
  readonly rolledBackEarlier?: readonly string[]
  /** See `ServedCommit`. */
  readonly took?: string | null
  readonly releaseNotes?: ReleaseNotes
}

/** Capgo's word for a channel that serves nothing. */
export const BUILTIN = 'builtin'

/** A repository, as notes tell of it. */
export interface NotedRepository {
  /** `owner/name`. */
  readonly name: string
  /** Null where nobody tells it. */
  readonly id: number | null
  /** Names that it had before. */
  readonly formerNames: readonly string[]
}

/** A note says so many of the commits that were rolled back before, the newest. */
const MAX_EARLIER_ROLLBACKS = 10
/** Characters for the titles of changes as an address spells them: a filter of a request holds the whole comment. */
const MAX_CHANGES = 400

/**
 * A bundle's comment says for each channel which commit put it there, one line a channel, with pairs of a word and
 * a value behind it: `production: main@<sha> run 57.1 (id 123) after 1.2.0 at 2026-10-22T10:15:00Z`. A person can
 * read it, and the next run can.
 */
const LINE =
  /^(?<channel>\S+): (?<ref>\S+)@(?<sha>[0-9a-f]{40}|[0-9a-f]{64}) run (?<run>\d+\.\d+) \(id (?<id>\d+)\)(?<more>(?: \S+ \S+)*)$/

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

function parseLine(line: string): Note | null {
  const found = LINE.exec(line.trim())?.groups
  if (found === undefined) return null
  const { channel = '', ref = '', sha: commit = '', run: putBy = '', id, more: pairs = '' } = found
  const words = pairs.trim().split(' ')
  const more = new Map(words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [])))
  const pull = more.get('for') ?? ''
  const [name = '', sha] = (more.get('instead') ?? '').split('@')
  const [run = '', runId] = (more.get('withdrawn') ?? '').split('/')
  return {
    channel,
    sha: commit,
    refName: ref,
    runId: Number(id),
    run: putBy,
    pull: /^\S+#\d+$/.test(pull) ? pull : null,
    repository: /^\d+$/.test(more.get('repo') ?? '') ? Number(more.get('repo')) : null,
    took: more.get('took') ?? null,
    previous: more.get('after') ?? null,
    at: more.get('at') ?? null,
    rolledBackFrom: name === '' ? null : { name, sha: sha ?? null },
    rolledBackEarlier: (more.get('off') ?? '').split(',').filter(each => SHA.test(each)),
    rolledBackBy: runId === undefined ? null : { run, runId: Number(runId) },
    changes: more.get('changes') ?? null,
  }
}

function writeLine(line: Note): string {
  const more = [
    line.pull === null ? '' : ` for ${line.pull}`,
    line.repository === null ? '' : ` repo ${line.repository}`,
    line.took === null ? '' : ` took ${line.took}`,
    line.previous === null ? '' : ` after ${line.previous}`,
    line.at === null ? '' : ` at ${line.at}`,
    line.rolledBackFrom === null
      ? ''
      : ` instead ${line.rolledBackFrom.name}${line.rolledBackFrom.sha === null ? '' : `@${line.rolledBackFrom.sha}`}`,
    line.rolledBackEarlier.length === 0
      ? ''
      : ` off ${line.rolledBackEarlier.slice(0, MAX_EARLIER_ROLLBACKS).join(',')}`,
    line.rolledBackBy === null ? '' : ` withdrawn ${line.rolledBackBy.run}/${line.rolledBackBy.runId}`,
    line.changes === null ? '' : ` changes ${line.changes}`,
  ]
  // Git takes every space of Unicode but the plain one in a name; here each would end the word.
  const refName = line.refName.replace(/\s/g, '_') || '_'
  return `${line.channel}: ${refName}@${line.sha} run ${line.run} (id ${line.runId})${more.join('')}`
}

/** A name as a value: one of others may hold a space, and is not noted. */
function word(name: string | null): string | null {
  return name === null || /^$|\s|@/.test(name) ? null : name
}

/** Titles are untrusted text: as one word they cannot begin another. */
function changesWord(notes: ReleaseNotes): string | null {
  const spell = (text: string) => text.toWellFormed().replace(/[\s\p{C}]+/gu, '_')
  const summary = summariseReleaseNotes(notes, MAX_CHANGES, text => encodeURIComponent(spell(text)).length)
  return summary === '' ? null : spell(summary)
}

export function linesOf(comment: string | null): string[] {
  return (comment ?? '').split('\n').filter(line => line.trim() !== '')
}

/** The commit that put this bundle on this channel, or null when it was not this action. */
export function readServedCommit(
  bundle: Pick<BundleRow, 'comment'>,
  channelName: string,
): ServedCommit | null {
  return readNotes(bundle).find(({ channel }) => channel === channelName) ?? null
}

/** All that a bundle's comment tells, the newest note first; empty when this action did not make it. */
export function readNotes(bundle: Pick<BundleRow, 'comment'>): Note[] {
  return linesOf(bundle.comment).flatMap(line => parseLine(line) ?? [])
}

/** The pull requests (`owner/name#12`) that a bundle was put on a channel for. */
export function readPulls(
  bundle: Pick<BundleRow, 'comment'>,
): { pull: string; repository: number | null; channel: string; sha: string; took: string | null }[] {
  return readNotes(bundle).flatMap(({ pull, repository, channel, sha, took }) =>
    pull === null ? [] : [{ pull, repository, channel, sha, took }],
  )
}

/**
 * Number of the pull request that a note is for, where it is one of this repository; else null. The id decides where
 * both tell one: a repository can be renamed, and another can take its name.
 */
export function numberOfPull(
  note: { readonly pull: string; readonly repository: number | null },
  { name, id, formerNames }: NotedRepository,
): number | null {
  const at = note.pull.lastIndexOf('#')
  const noted = note.pull.slice(0, at).toLowerCase()
  const isOurs =
    note.repository !== null && id !== null
      ? note.repository === id
      : [name, ...formerNames].some(each => each.toLowerCase() === noted)
  return isOurs ? Number(note.pull.slice(at + 1)) : null
}

/**
 * The pull requests of this repository that a channel is the preview of. What it serves tells; where a person put
 * something else there, the newest of the bundles that were on it (`noted`, by ascending id) does.
 */
export function previewedPulls(
  { name, version }: { readonly name: string; readonly version: Pick<BundleRow, 'comment'> | null },
  noted: readonly Pick<BundleRow, 'comment'>[],
  repository: NotedRepository,
): number[] {
  if (version === null) return []
  const pullsOf = (bundle: Pick<BundleRow, 'comment'>) =>
    readPulls(bundle)
      .filter(({ channel }) => channel === name)
      .flatMap(note => numberOfPull(note, repository) ?? [])
  return readServedCommit(version, name) === null ? noted.flatMap(pullsOf).slice(-1) : pullsOf(version)
}

/**
 * The part of a preview's note on a channel that existed before: the bundle that it served then, null where a
 * preview made it.
 */
export function tookOver({
  name,
  version,
}: {
  readonly name: string
  readonly version: Pick<BundleRow, 'id' | 'name' | 'comment'> | null
}): string | null {
  if (version === null) return BUILTIN
  const note = readServedCommit(version, name)
  return note?.pull == null ? (word(version.name) ?? `#${version.id}`) : note.took
}

/**
 * The comment with this channel's line set to this commit; other lines stay. What the channel served before is
 * kept when it served this very bundle.
 */
export function noteCommit(
  comment: string | null,
  channelName: string,
  commit: Commit,
  { previous, rolledBackFrom, rolledBackEarlier, took, releaseNotes = NO_RELEASE_NOTES }: Circumstances = {
    previous: null,
  },
): string {
  const lines = linesOf(comment)
  const old = readServedCommit({ comment }, channelName)
  const note = writeLine({
    channel: channelName,
    sha: commit.sha,
    refName: commit.refName,
    runId: commit.runId,
    run: `${commit.runNumber}.${commit.runAttempt}`,
    pull: commit.pull ?? null,
    repository: commit.pull === undefined ? null : (commit.repository ?? null),
    took: took === undefined ? (old?.took ?? null) : took,
    previous: word(previous) ?? old?.previous ?? null,
    at: commit.at ?? old?.at ?? null,
    rolledBackFrom:
      rolledBackFrom !== undefined && word(rolledBackFrom.name) !== null ? rolledBackFrom : null,
    rolledBackEarlier: rolledBackEarlier ?? [],
    rolledBackBy: null,
    changes: changesWord(releaseNotes) ?? old?.changes ?? null,
  })
  return [note, ...lines.filter(line => parseLine(line)?.channel !== channelName)].join('\n')
}

/** `comment` with this channel's line as `noted` has it: what others wrote on the bundle meanwhile stays. */
export function withNoteOf(comment: string | null, channelName: string, noted: string): string {
  const isOurs = (line: string) => parseLine(line)?.channel === channelName
  const [note] = linesOf(noted).filter(isOurs)
  const others = linesOf(comment).filter(line => !isOurs(line))
  return (note === undefined ? others : [note, ...others]).join('\n')
}

/** The comment with the word that this run took the bundle off the channel; null when it has no line for it. */
export function noteRollback(
  comment: string | null,
  channelName: string,
  run: Pick<Commit, 'runId' | 'runNumber' | 'runAttempt'>,
): string | null {
  const old = readServedCommit({ comment }, channelName)
  if (old === null) return null
  const rolledBackBy = { runId: run.runId, run: `${run.runNumber}.${run.runAttempt}` }
  return linesOf(comment)
    .map(line => {
      const parsed = parseLine(line)
      return parsed?.channel === channelName ? writeLine({ ...parsed, rolledBackBy }) : line
    })
    .join('\n')
}
