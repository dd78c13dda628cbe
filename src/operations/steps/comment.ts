/** An app's section on a pull request: found, written, replaced. */
import type { RunContext } from '../../context.ts'
import type { GitHub } from '../../github/client.ts'
import { renderComment, replaceTesters, stateOfComment } from '../../report/comment.ts'
import { hiddenLines, hideFacts, parseSections, type Section } from '../../report/comment-sections.ts'
import type { CommentTesters, PreviewComment } from '../../report/preview-comment.ts'
import { compareRuns, markOf, type RunNumber, type Statement } from './comment-marker.ts'
import { editSection, newest } from './comment-section.ts'

/** The job's permission. */
export const PULL_REQUESTS = 'pull-requests: write'

/**
 * Writes an app's section: changes it where it is, else creates it; a closed preview creates none. A stopped run still
 * says how it ended. A newer run's section stays, so runs may overtake one another. Returns the comment's page; null
 * without one, or when GitHub refused (that is a warning).
 */
export async function writeComment(comment: PreviewComment, context: RunContext): Promise<string | null> {
  const { inputs, trigger } = context
  const { appId, state } = comment
  const isEnd = state === 'failed' || state === 'kept'
  const bestEffort = isEnd ? context.finalUpdate : context.bestEffort
  const layout = inputs.comment
  if (layout === null || inputs.dryRun) return null
  const run = { id: trigger.commit.runId, attempt: trigger.commit.runAttempt }
  const isLast = state !== 'building'
  const statement: Statement = { run, revision: isLast ? 1 : 0, text: textOf(comment) }
  const makesNone = state === 'closed' || state === 'kept'
  let isWritten = false
  const change = (current: Statement | null) => {
    if (current === null) return makesNone ? null : statement
    // Two jobs of a run may publish one app: the later one wins, and neither writes again.
    const isOfSibling =
      isWritten && compareRuns(current.run, run) === 0 && stateOfComment(current.text) !== 'building'
    isWritten = true
    if (isOfSibling && current.text !== statement.text) return null
    return stays(current, comment, run) ? null : statement
  }
  // An app in a folder is rarely the only one.
  const expectsOthers = inputs.workingDirectory !== '.'
  return bestEffort('write the comment', PULL_REQUESTS, github =>
    editSection(
      { appId, layout, mark: markOf(inputs.capgoToken), change, seen: context.seenSections },
      { pull: comment.pull, last: isLast, expectsOthers },
      github,
    ),
  )
}

/** Apps that have something of ours on a pull request, this key's first: known from it where no config can be read. */
export async function findCommentedApps(pull: number, context: RunContext): Promise<string[]> {
  const mark = markOf(context.inputs.capgoToken)
  const found = await context.bestEffort('read the comments', PULL_REQUESTS, github =>
    github.findComments(pull, mark),
  )
  const all = (found ?? []).flatMap(({ id, body }) =>
    parseSections(body).map(section => ({ ...section, isOwn: mark.owns(section, id) })),
  )
  const sorted = [...all.filter(({ isOwn }) => isOwn), ...all.filter(({ isOwn }) => !isOwn)]
  return [...new Set(sorted.map(({ appId }) => appId))]
}

/** Says anew on another pull request which testers have its preview; the rest of what is said there stays. */
export async function updateTesterSection(
  {
    appId,
    pull,
    testers,
  }: { readonly appId: string; readonly pull: number; readonly testers: CommentTesters },
  github: GitHub,
  context: Pick<RunContext, 'inputs' | 'seenSections'>,
): Promise<void> {
  const change = (current: Statement | null) =>
    current === null ? null : { ...current, text: replaceTesters(current.text, testers) }
  await changeText({ appId, pull, change }, github, context)
}

/** The section about an app on a pull request; null without one. Nothing is written. */
export async function readComment(
  appId: string,
  pull: number,
  { inputs, bestEffort }: RunContext,
): Promise<string | null> {
  const found = await bestEffort('read the comment', PULL_REQUESTS, github =>
    github.findComments(pull, markOf(inputs.capgoToken)),
  )
  return newest((found ?? []).flatMap(({ body }) => sectionsOf(appId, body)))?.text ?? null
}

/**
 * Says instead what a run found out that is not about this pull request. It stays the word of the run that wrote it, so
 * that a run on its way is not taken for an older one.
 */
export async function replaceComment(comment: PreviewComment, context: RunContext): Promise<void> {
  const { appId, pull } = comment
  const change = (current: Statement | null) =>
    current === null ? null : { ...current, text: textOf(comment) }
  if (context.inputs.dryRun) return
  await context.bestEffort('write the comment', PULL_REQUESTS, github =>
    changeText({ appId, pull, change }, github, context),
  )
}

/** Changes what is said already, once. */
async function changeText(
  {
    appId,
    pull,
    change,
  }: {
    readonly appId: string
    readonly pull: number
    readonly change: (current: Statement | null) => Statement | null
  },
  github: GitHub,
  { inputs, seenSections: seen }: Pick<RunContext, 'inputs' | 'seenSections'>,
): Promise<void> {
  const { comment: layout, capgoToken } = inputs
  if (layout === null) return
  await editSection(
    { appId, layout, mark: markOf(capgoToken), change, seen },
    { pull, last: false, expectsOthers: false },
    github,
  )
}

/** How far back comments are looked through: the schedule runs each day, and may fail for some. */
const COMMENT_DAYS = 8

/** Pull requests where we say "building" or "missing": a run that was ended suddenly, or came late, has not said more. */
export async function findUnfinished(
  appId: string,
  { inputs, capgo, bestEffort }: RunContext,
): Promise<number[]> {
  if (inputs.comment === null) return []
  const since = new Date(capgo.now().getTime() - COMMENT_DAYS * 86_400_000)
  const recent = await bestEffort('look through the comments', PULL_REQUESTS, github =>
    github.listRecentComments(since, markOf(inputs.capgoToken)),
  )
  const isUnfinished = ({ text }: Section) => ['building', 'missing'].includes(stateOfComment(text) ?? '')
  return (recent ?? []).flatMap(({ issue, body }) =>
    sectionsOf(appId, body).some(isUnfinished) ? [issue] : [],
  )
}

/** Whether it is said how to get the preview of this commit; true where no comment is wanted. */
export async function isAnnounced(
  appId: string,
  pull: number,
  sha: string,
  context: RunContext,
): Promise<boolean> {
  if (context.inputs.comment === null) return true
  const text = await readComment(appId, pull, context)
  return hiddenLines(text ?? '').includes(shownMarker(sha))
}

function sectionsOf(appId: string, body: string): Section[] {
  return parseSections(body).filter(section => section.appId === appId)
}

function textOf(comment: PreviewComment): string {
  const shown = comment.state === 'ready' ? `${shownMarker(comment.commit.sha)}\n` : ''
  return `${shown}${hideFacts(comment)}\n${renderComment(comment)}`
}

/** Below the head where it is said how to get the preview of a commit. */
function shownMarker(sha: string): string {
  return `<!-- ready ${sha} -->`
}

/** Whether what stands there is to stay: a newer run's word, and whatever is not the "building" that a run ends. */
function stays(current: Statement, { state }: PreviewComment, run: RunNumber): boolean {
  const order = compareRuns(current.run, run)
  if (state === 'kept' && !(stateOfComment(current.text) === 'building' && order === 0)) return true
  return order > 0
}
