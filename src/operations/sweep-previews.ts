/** The scheduled run: testers' devices are where the file says, and no preview is left whose pull request has ended. */
import type { BundleRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { type PullRequest, toPullRequest } from '../event.ts'
import { type NotedRepository, numberOfPull, readPulls } from '../plan/bundle-comment.ts'
import { wantsPreview, whyNoPreview } from '../plan/preview.ts'
import type { PreviewsClosedResult } from '../report/result.ts'
import { readAppId } from './steps/app-config.ts'
import { findUnfinished, PULL_REQUESTS } from './steps/comment.ts'
import { findMissing } from './steps/missing-previews.ts'
import { findNoted, removeAbandoned } from './steps/preview-leftovers.ts'
import { removePreview } from './steps/remove-preview.ts'
import { readRepository } from './steps/repository.ts'
import { reconcileOnSchedule } from './steps/testers.ts'
import { pathOf } from './steps/testers-file.ts'

/**
 * Removes the previews of every pull request that is no longer open (or has lost the label), and what runs began to
 * upload that were never finished. Says which open ones have lost theirs.
 */
export async function sweepPreviews(context: RunContext): Promise<PreviewsClosedResult> {
  const { inputs, capgo } = context
  const appId = await readAppId(context)
  // The proof that the key is good: the database answers a wrong key with empty lists.
  const app = await capgo.readApp(appId)
  // First the testers: nobody is on a channel that goes.
  const testers = await reconcileOnSchedule(appId, context)
  const noted = await findNoted(appId, null, capgo)
  const repository = await readRepository(noted, context)
  // Of one whose first run died early Capgo has nothing, and its comment would say "building" for ever.
  const unfinished = await findUnfinished(appId, context)
  const pulls = [...new Set([...pullsOf(noted, repository), ...unfinished])]
  const closed = await removeEnded(appId, pulls, repository, context)
  if (!inputs.dryRun) await sweepAbandoned(appId, context)
  const missing = await findMissing(
    { app, open: await listOpen(context), noted, repository, unfinished },
    context,
  )
  return {
    kind: 'previews-closed',
    outcome: inputs.dryRun ? 'planned' : 'cleaned',
    reason: [
      sayRemoved(numbersOf(closed.previews)),
      sayMissing(numbersOf(missing)),
      testers === null ? saySkipped(context) : '',
    ]
      .filter(part => part !== '')
      .join(' '),
    appId,
    previews: closed.previews,
    testers,
    warnings: [...closed.warnings, ...missing.map(({ warning }) => warning)],
  }
}

/** One pull request after another, each looked at right before its preview goes; those of which something went. */
async function removeEnded(
  appId: string,
  pulls: readonly number[],
  repository: NotedRepository,
  context: RunContext,
): Promise<Pick<PreviewsClosedResult, 'previews' | 'warnings'>> {
  const results: PreviewsClosedResult[] = []
  for (const number of pulls) {
    const ended = await findEnded(number, context)
    if (ended === null) continue
    const closing = { ...ended, channelName: null, movesTesters: false, repository }
    results.push(await removePreview(appId, closing, context))
  }
  return {
    previews: results
      .flatMap(({ previews }) => previews)
      .filter(({ channels, bundles }) => channels.length + bundles.length > 0),
    warnings: results.flatMap(({ warnings }) => warnings),
  }
}

/** The pull request, and why its preview goes; null where it stays. */
async function findEnded(
  number: number,
  { inputs, github, deps }: RunContext,
): Promise<{ readonly pull: PullRequest; readonly why: string } | null> {
  const answer = github === null ? null : await github.readPull(number)
  if (answer === null) {
    deps.log.info(`#${number}: GitHub does not show this pull request. Its preview stays.`)
    return null
  }
  const pull = toPullRequest(answer)
  const why = whyNoPreview(pull, inputs)
  if (why === null) deps.log.info(`#${number} is open, so its preview is kept.`)
  return why === null ? null : { pull, why }
}

async function sweepAbandoned(appId: string, { capgo, deps }: RunContext): Promise<void> {
  for (const name of await removeAbandoned(appId, capgo))
    deps.log.info(`Deleted bundle ${name}: its upload began more than a day ago and never finished.`)
}

/** The open pull requests that want a preview. */
async function listOpen(context: RunContext): Promise<PullRequest[]> {
  const answers = await context.bestEffort('list the open pull requests', PULL_REQUESTS, github =>
    github.listOpenPulls(),
  )
  return (answers ?? []).map(each => toPullRequest(each)).filter(pull => wantsPreview(pull, context.inputs))
}

/** Pull requests of the repository that still have something on Capgo. */
function pullsOf(noted: readonly BundleRow[], repository: NotedRepository): number[] {
  const numbers = noted.flatMap(readPulls).flatMap(note => numberOfPull(note, repository) ?? [])
  return [...new Set(numbers)].sort((one, other) => one - other)
}

function numbersOf(pulls: readonly { readonly pull: number }[]): string[] {
  return pulls.map(({ pull }) => `#${pull}`)
}

function sayRemoved(pulls: readonly string[]): string {
  return pulls.length === 0 ? 'No leftover preview was found.' : `Previews of ${pulls.join(', ')}.`
}

/** Without a testers file there are no testers; whoever asks for them hears it. */
function saySkipped({ inputs, deps }: RunContext): string {
  if (inputs.operation === null) return ''
  const said = `${pathOf(inputs)} was not found, so no device was looked at.`
  deps.log.info(said)
  return said
}

function sayMissing(pulls: readonly string[]): string {
  if (pulls.length === 0) return ''
  return pulls.length === 1
    ? `The preview of ${pulls[0]} is missing.`
    : `The previews of ${pulls.join(', ')} are missing.`
}
