/** A schedule, or `operation: testers`: testers' devices are where they belong, and previews that were left behind go. */
import type { RunContext } from '../context.ts'
import { type PullRequest, toPullRequest } from '../event.ts'
import { type NotedRepository, numberOfPull, readPulls } from '../plan/bundle-comment.ts'
import { refusePreview, wantsPreview } from '../plan/preview.ts'
import type { CleanedResult, RemovedPreview } from '../report/result.ts'
import { removePreview } from './close-preview.ts'
import { readAppId } from './steps/app-config.ts'
import { PULL_REQUESTS } from './steps/comment.ts'
import { findMissing } from './steps/missing-previews.ts'
import { findNoted, removeAbandoned } from './steps/preview-leftovers.ts'
import { readRepository } from './steps/repository.ts'
import { convergeOnSchedule } from './testers.ts'

/**
 * Removes the previews of every pull request that is no longer open (or has lost the label), and what runs began to
 * upload that were never finished. Says which open ones have lost theirs.
 */
export async function sweepPreviews(context: RunContext): Promise<CleanedResult> {
  const { inputs, capgo, github, deps } = context
  const appId = await readAppId(context)
  // The proof that the key is good: the database answers a wrong key with empty lists.
  await capgo.readApp(appId)
  // First the testers: nobody is on a channel that goes.
  const testers = await convergeOnSchedule(appId, context)
  const noted = await findNoted(appId, null, capgo)
  const repository = await readRepository(noted, context)
  const previews: RemovedPreview[] = []
  const warnings: string[] = []
  for (const number of numbersOf(noted, repository)) {
    const answer = github === null ? null : await github.readPull(number)
    if (answer === null) {
      deps.log.info(`#${number}: GitHub does not show this pull request, so its preview stays.`)
      continue
    }
    const pull = toPullRequest(answer)
    const why = refusePreview(pull, inputs)
    if (why === null) {
      deps.log.info(`#${number} is open: its preview stays.`)
      continue
    }
    const closing = {
      pull,
      why,
      channelName: null,
      movesTesters: false,
      repository,
    }
    const closed = await removePreview(appId, closing, context)
    previews.push(...closed.previews)
    warnings.push(...closed.warnings)
  }
  if (!inputs.dryRun)
    for (const name of await removeAbandoned(appId, capgo))
      deps.log.info(`Bundle ${name} was begun more than a day ago and never finished: removed.`)
  const missing = await findMissing(appId, await listOpen(context), noted, repository, context)
  const removed = previews.filter(({ channels, bundles }) => channels.length + bundles.length > 0)
  const said =
    removed.length === 0
      ? 'No preview was left behind.'
      : `Previews of ${removed.map(({ pull }) => `#${pull}`).join(', ')}.`
  return {
    kind: 'cleaned',
    outcome: inputs.dryRun ? 'planned' : 'cleaned',
    reason: missing.length === 0 ? said : `${said} ${listMissing(missing.map(({ pull }) => pull))}`,
    appId,
    previews: removed,
    testers,
    warnings: [...warnings, ...missing.map(({ warning }) => warning)],
  }
}

/** The open pull requests that want a preview. */
async function listOpen(context: RunContext): Promise<PullRequest[]> {
  const answers = await context.courtesy('see which pull requests are open', PULL_REQUESTS, github =>
    github.listOpenPulls(),
  )
  return (answers ?? []).map(each => toPullRequest(each)).filter(pull => wantsPreview(pull, context.inputs))
}

function listMissing(numbers: readonly number[]): string {
  const all = numbers.map(number => `#${number}`).join(', ')
  return numbers.length === 1 ? `The preview of ${all} is missing.` : `The previews of ${all} are missing.`
}

/** Pull requests of the repository that still have something on Capgo. */
function numbersOf(
  noted: readonly { readonly comment: string | null }[],
  repository: NotedRepository,
): number[] {
  const numbers = noted.flatMap(readPulls).flatMap(note => numberOfPull(note, repository) ?? [])
  return [...new Set(numbers)].sort((one, other) => one - other)
}
