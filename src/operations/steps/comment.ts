/** The one comment of a pull request and app: found, written, replaced. */
import type { RunContext } from '../../context.ts'
import type { GitHub } from '../../github/client.ts'
import type { OwnComment } from '../../github/comments.ts'
import { renderComment, replaceTesters, stateOfComment } from '../../report/comment.ts'
import type { PreviewComment } from '../../report/preview-comment.ts'
import type { TesterRow } from '../../report/testers.ts'
import { anyMark, markOf, type RunNumber, readHead } from './comment-marker.ts'

/** The job's permission. */
export const PULL_REQUESTS = 'pull-requests: write'

/**
 * Writes the one comment of a pull request and app: changes it where it is, else makes it; a closed preview makes
 * none. How a run ended without a preview is written also when the run was stopped. A comment of a newer run is left
 * alone, so that runs may overtake one another. Returns its page, null when there is none or it could not be written
 * (that is a warning).
 */
export async function writeComment(comment: PreviewComment, context: RunContext): Promise<string | null> {
  const { inputs, trigger } = context
  const isEnd = comment.state === 'failed' || comment.state === 'kept'
  const bestEffort = isEnd ? context.finalUpdate : context.bestEffort
  if (!inputs.comment || inputs.dryRun) return null
  const mark = markOf(comment.appId, inputs.capgoToken)
  const run = { id: trigger.commit.runId, attempt: trigger.commit.runAttempt }
  const text = textOf(comment)
  return bestEffort('write the comment', PULL_REQUESTS, async github => {
    const write = async (known: OwnComment): Promise<OwnComment | null> => {
      const body = mark.head(run, known.id) + text
      return known.body === body || stays(known.body, comment, run)
        ? known
        : github.updateComment(known.id, body)
    }
    const known = await github.findComment(comment.pull, mark)
    const written = known === null ? null : await write(known)
    if (written !== null || comment.state === 'closed' || comment.state === 'kept')
      return written?.url ?? null
    // Another run may have made one at the same moment: then it is that one. Where it is this one, it is sealed now.
    const made = await github.createComment(comment.pull, mark, mark.head(run, null) + text)
    return (await write(made))?.url ?? null
  })
}

/** Apps that have a comment of ours on a pull request: they are known from it where no config can be read. */
export async function findCommentedApps(pull: number, context: RunContext): Promise<string[]> {
  const found = await context.bestEffort('read the comments', PULL_REQUESTS, github =>
    github.findComments(pull, anyMark(context.inputs.capgoToken)),
  )
  return [...new Set((found ?? []).flatMap(({ body }) => readHead(body)?.appId ?? []))]
}

/** Says anew in another pull request's comment which testers have its preview; the rest of it stays. */
export async function updateTesterSection(
  {
    appId,
    pull,
    rows,
  }: { readonly appId: string; readonly pull: number; readonly rows: readonly TesterRow[] },
  github: GitHub,
  capgoToken: string,
): Promise<void> {
  const known = await github.findComment(pull, markOf(appId, capgoToken))
  if (known === null) return
  const body = replaceTesters(known.body, rows)
  if (body !== known.body) await github.updateComment(known.id, body)
}

/** Our comment on a pull request; null where there is none. Nothing is written. */
export async function readComment(
  appId: string,
  pull: number,
  { inputs, bestEffort }: RunContext,
): Promise<OwnComment | null> {
  const found = await bestEffort('read the comment', PULL_REQUESTS, github =>
    github.findComments(pull, markOf(appId, inputs.capgoToken)),
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
  { inputs, trigger, bestEffort }: RunContext,
): Promise<void> {
  if (!inputs.comment || inputs.dryRun) return
  const run = readHead(known.body)?.run ?? { id: trigger.commit.runId, attempt: trigger.commit.runAttempt }
  const body = markOf(comment.appId, inputs.capgoToken).head(run, known.id) + textOf(comment)
  if (body.trimEnd() === known.body.trimEnd()) return
  await bestEffort('write the comment', PULL_REQUESTS, github => github.updateComment(known.id, body))
}

/** How far back comments are looked through: the schedule runs each day, and may fail for some. */
const COMMENT_DAYS = 8

/** Pull requests whose comment says "building" or "missing": a run that was ended suddenly, or came late, has not said more. */
export async function findUnfinished(
  appId: string,
  { inputs, capgo, bestEffort }: RunContext,
): Promise<number[]> {
  if (!inputs.comment) return []
  const since = new Date(capgo.now().getTime() - COMMENT_DAYS * 86_400_000)
  const recent = await bestEffort('look through the comments', PULL_REQUESTS, github =>
    github.listRecentComments(since, markOf(appId, inputs.capgoToken)),
  )
  return (recent ?? []).flatMap(({ issue, body }) =>
    ['building', 'missing'].includes(stateOfComment(body) ?? '') ? [issue] : [],
  )
}

/** Whether the comment says how to get the preview of this commit; true where no comment is wanted. */
export async function isAnnounced(
  appId: string,
  pull: number,
  sha: string,
  context: RunContext,
): Promise<boolean> {
  if (!context.inputs.comment) return true
  const known = await readComment(appId, pull, context)
  // Not further down, where the output of a build may say anything.
  const [hidden = ''] = /^(?:<!--.*-->\s*)+/.exec(known?.body ?? '') ?? []
  return hidden.includes(shownMarker(sha))
}

function textOf(comment: PreviewComment): string {
  const shown = comment.state === 'ready' ? `${shownMarker(comment.commit.sha)}\n` : ''
  return shown + renderComment(comment)
}

/** Behind the head of a comment that says how to get the preview of a commit. */
function shownMarker(sha: string): string {
  return `<!-- ready ${sha} -->`
}

/** Whether what stands there is to stay: a newer run's word, and whatever is not the "building" that a run ends. */
function stays(body: string, { state }: PreviewComment, run: RunNumber): boolean {
  const writer = readHead(body)?.run
  if (writer === undefined) return false
  if (state === 'kept' && !(stateOfComment(body) === 'building' && compare(writer, run) === 0)) return true
  return compare(writer, run) > 0
}

function compare(one: RunNumber, other: RunNumber): number {
  return one.id - other.id || one.attempt - other.attempt
}
