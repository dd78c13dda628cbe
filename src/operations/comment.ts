import type { OwnComment } from '../github/comment.ts'
import { renderComment } from '../report/comment.ts'
import type { PreviewComment } from '../report/preview.ts'
import type { RunContext } from './context.ts'

/** The job's permission. */
export const PULL_REQUESTS = 'pull-requests: write'

/**
 * Writes the one comment of a pull request and app: changes it where it is, else makes it; a closed preview
 * makes none. A comment of a newer run is left alone, so that runs may overtake one another. Returns its
 * page, null when there is none or it could not be written (that is a warning).
 */
export async function writeComment(comment: PreviewComment, context: RunContext): Promise<string | null> {
  const { inputs, trigger, courtesy } = context
  if (!inputs.comment || inputs.dryRun) return null
  const marker = `<!-- capgo-publish-action ${comment.appId} -->`
  const run = { id: trigger.commit.runId, attempt: trigger.commit.runAttempt }
  const body = `${marker}\n<!-- run ${run.id}.${run.attempt} -->\n${renderComment(comment)}`
  return courtesy('write the comment', PULL_REQUESTS, async github => {
    const write = async (known: OwnComment): Promise<OwnComment | null> =>
      known.body === body || isNewer(known.body, run) ? known : github.updateComment(known.id, body)
    const known = await github.findComment(comment.pull, marker)
    const written = known === null ? null : await write(known)
    if (written !== null || comment.state === 'closed') return written?.url ?? null
    // Another run may have made one at the same moment: then it is that one.
    const made = await github.createComment(comment.pull, marker, body)
    return (await write(made))?.url ?? null
  })
}

function isNewer(body: string, run: { readonly id: number; readonly attempt: number }): boolean {
  const [, id, attempt] = /^<!-- run (\d+)\.(\d+) -->$/m.exec(body) ?? []
  return Number(id) > run.id || (Number(id) === run.id && Number(attempt) > run.attempt)
}
