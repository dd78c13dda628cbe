import type { BundleRow } from '../capgo/wire.ts'
import type { Commit, Relation } from './types.ts'

/** The commit from which a channel got what it serves, as far as the bundle tells. */
export interface ServedCommit {
  readonly sha: string
  readonly refName: string
  readonly runId: number
  readonly run: string
  /** `owner/name#12` when it was put there for a pull request. */
  readonly pull: string | null
}

/**
 * A bundle's comment says for each channel which commit put it there, one line a channel:
 * `production: main@<sha> run 57.1 (id 123)`. A person can read it, and the next run can.
 */
const LINE =
  /^(?<channel>\S+): (?<ref>\S+)@(?<sha>[0-9a-f]{40}) run (?<run>\d+\.\d+) \(id (?<id>\d+)\)(?: for (?<pull>\S+#\d+))?$/

/** The commit that put this bundle on this channel, or null when it was not this action. */
export function readServedCommit(
  bundle: Pick<BundleRow, 'comment'>,
  channelName: string,
): ServedCommit | null {
  for (const line of (bundle.comment ?? '').split('\n')) {
    const found = LINE.exec(line.trim())?.groups
    if (found?.channel === channelName)
      return {
        sha: found.sha!,
        refName: found.ref!,
        runId: Number(found.id),
        run: found.run!,
        pull: found.pull ?? null,
      }
  }
  return null
}

/** The pull requests (`owner/name#12`) that a bundle was put on a channel for. */
export function readPulls(bundle: Pick<BundleRow, 'comment'>): { pull: string; channel: string }[] {
  return (bundle.comment ?? '').split('\n').flatMap(line => {
    const found = LINE.exec(line.trim())?.groups
    return found?.pull === undefined ? [] : [{ pull: found.pull, channel: found.channel! }]
  })
}

/** The comment with this channel's line set to this commit; other lines stay. */
export function noteCommit(comment: string | null, channelName: string, commit: Commit): string {
  const others = (comment ?? '')
    .split('\n')
    .filter(line => line.trim() !== '' && LINE.exec(line.trim())?.groups?.channel !== channelName)
  return [
    `${channelName}: ${commit.refName}@${commit.sha} run ${commit.runNumber}.${commit.runAttempt} (id ${commit.runId})${commit.pull === undefined ? '' : ` for ${commit.pull}`}`,
    ...others,
  ].join('\n')
}

/**
 * Why this run must not touch the channel, or null. History decides; where it cannot (rewritten, or not
 * readable), the order in which the runs were started does: GitHub numbers them upwards and a re-run keeps
 * its number.
 */
export function isStale(ours: Commit, served: ServedCommit | null, relation: Relation): string | null {
  if (served === null || served.sha === ours.sha) return null
  const which = `the channel serves ${served.sha.slice(0, 7)} (${served.refName}, run ${served.run})`
  switch (relation) {
    case 'behind':
      return `${which}, and this run's commit ${ours.sha.slice(0, 7)} is older`
    case 'identical':
    case 'ahead':
      return null
    case 'diverged':
    case 'unknown':
      return ours.runId < served.runId
        ? `${which}, which was started after this run${relation === 'unknown' ? '; the history could not be compared' : ' (the history was rewritten or the branches differ)'}`
        : null
  }
}
