/** The release notes of a commit: what it has that a channel does not serve yet, in the words of its authors. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { readServedCommit } from '../../plan/bundle-comment.ts'
import { NO_RELEASE_NOTES, planReleaseNotes, type ReleaseNotes } from '../../plan/release-notes.ts'

/** Milliseconds. A publish does not wait longer for a text. */
const PATIENCE = 5_000

/** Reads what a commit changes for the devices of a channel. */
export type NotesSince = (base: ChannelRow | null) => Promise<ReleaseNotes>

/** The notes are empty without a token, without a commit to compare with, and when GitHub does not answer. Never rejects. */
export function releaseNotesReader(
  sha: string,
  { github, deps }: Pick<RunContext, 'github' | 'deps'>,
): NotesSince {
  return async base => {
    const served = base?.version == null ? null : readServedCommit(base.version, base.name)
    if (github === null || served === null || served.sha === sha) return NO_RELEASE_NOTES
    try {
      const late = sleep(PATIENCE, null, { ref: false })
      const changes = await Promise.race([github.listChanges(served.sha, sha), late])
      if (changes === null) deps.log.info('No release notes: GitHub took too long.')
      return changes === null ? NO_RELEASE_NOTES : planReleaseNotes(changes)
    } catch (error) {
      deps.log.info(`No release notes: ${(error as Error).message}`)
      return NO_RELEASE_NOTES
    }
  }
}
