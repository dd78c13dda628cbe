import type { GitHub } from '../github/client.ts'
import type { OwnComment } from '../github/comment.ts'
import { renderComment, replaceTesters } from '../report/comment.ts'
import type { PreviewComment } from '../report/preview.ts'
import type { TesterRow } from '../report/testers.ts'
import type { RunContext } from './context.ts'

/** The job's permission. */
export const PULL_REQUESTS = 'pull-requests: write'

/**
 * Writes the one comment of a pull request and app: changes it where it is, else makes it; a closed preview
 * makes none; that of a failure is written also when the run was stopped. A comment of a newer run is left alone, so that runs may overtake one another. Returns its
 * page, null when there is none or it could not be written (that is a warning).
 */
export async function writeComment(comment: PreviewComment, context: RunContext): Promise<string | null> {
  const { inputs, trigger } = context
  const courtesy = comment.state === 'failed' ? context.lastWord : context.courtesy
  if (!inputs.comment || inputs.dryRun) return null
  const marker = markerOf(comment.appId)
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

/** Says anew in another pull request's comment which testers have its preview; the rest of it stays. */
export async function updateTesterSection(
  appId: string,
  pull: number,
  rows: readonly TesterRow[],
  github: GitHub,
): Promise<void> {
  const known = await github.findComment(pull, markerOf(appId))
  if (known === null) return
  const body = replaceTesters(known.body, rows)
  if (body !== known.body) await github.updateComment(known.id, body)
}

/** Comments of ours begin with it; the app's id follows. */
export const COMMENT_MARKER = '<!-- capgo-publish-action '

function markerOf(appId: string): string {
  return `${COMMENT_MARKER}${appId} -->`
}

/** What our comment on a pull request is about: null where there is none. Nothing is written. */
export async function readComment(
  appId: string,
  pull: number,
  { courtesy }: RunContext,
): Promise<OwnComment | null> {
  const found = await courtesy('read the comment', PULL_REQUESTS, github =>
    github.findComments(pull, markerOf(appId)),
  )
  return found?.[0] ?? null
}

/**
 * Says in a comment of ours what a run found out that is not about this pull request. It stays the comment of the run
 * that wrote it, so that a run on its way is not taken for an older one.
 */
export async function replaceComment(
  known: OwnComment,
  comment: PreviewComment,
  { inputs, courtesy }: RunContext,
): Promise<void> {
  if (!inputs.comment || inputs.dryRun) return
  const [marker, run] = known.body.split('\n')
  const body = `${marker}\n${run}\n${renderComment(comment)}`
  if (body.trimEnd() === known.body.trimEnd()) return
  await courtesy('write the comment', PULL_REQUESTS, github => github.updateComment(known.id, body))
}

function isNewer(body: string, run: { readonly id: number; readonly attempt: number }): boolean {
  const [, id, attempt] = /^<!-- run (\d+)\.(\d+) -->$/m.exec(body) ?? []
  return Number(id) > run.id || (Number(id) === run.id && Number(attempt) > run.attempt)
}
