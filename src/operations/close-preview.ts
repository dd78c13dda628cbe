/** A pull request was closed, or wants no preview any more: its preview goes. */
import type { RunContext } from '../context.ts'
import type { Operation } from '../plan/operation.ts'
import { wantsPreview } from '../plan/preview.ts'
import type { PreviewsClosedResult, SkippedResult } from '../report/result.ts'
import { failure, skippedResult } from '../report/results.ts'
import { findAppIds } from './steps/app-ids.ts'
import { readPull } from './steps/pull-request.ts'
import { removePreview } from './steps/remove-preview.ts'

type Close = Extract<Operation, { kind: 'close-preview' }>

/** Removes the preview of a pull request whose event says that it ends, or that wants none. */
export function closePreview(
  operation: Close,
  context: RunContext,
): Promise<PreviewsClosedResult | SkippedResult> {
  return operation.isEnding ? closeEnded(operation, context) : closeUnwanted(operation, context)
}

/** Not where the job is run again after the pull request was reopened. */
async function closeEnded(
  operation: Close,
  context: RunContext,
): Promise<PreviewsClosedResult | SkippedResult> {
  const { number } = operation.pull
  const now = await readPull(number, context)
  if (now !== null && wantsPreview(now, context.inputs))
    return skippedResult({ reason: `#${number} is open again, so its preview is kept.` })
  const [appId, ...others] = await findAppIds(number, context)
  const closing = { ...operation, movesTesters: true }
  const first = await removePreview(appId, closing, context)
  const results = [first]
  for (const other of others) results.push(await removePreview(other, closing, context))
  return {
    ...first,
    reason: [...new Set(results.map(({ reason }) => reason))].join(' '),
    previews: results.flatMap(({ previews }) => previews),
    warnings: results.flatMap(({ warnings }) => warnings),
  }
}

/**
 * A pull request that wants no preview and whose event does not say that one ends: the run of the event that said so
 * may have been replaced by this one. A failed look-up is only a warning here.
 */
async function closeUnwanted(
  operation: Close,
  context: RunContext,
): Promise<PreviewsClosedResult | SkippedResult> {
  const { number } = operation.pull
  const reason = `${operation.why}, so it gets no preview.`
  try {
    const result = await closeEnded(operation, context)
    const isEmpty =
      result.kind === 'previews-closed' &&
      result.previews.every(({ channels, bundles }) => channels.length + bundles.length === 0)
    return isEmpty ? skippedResult({ reason }) : result
  } catch (error) {
    context.deps.cancellation.signal.throwIfAborted()
    const { reason: why } = failure(error)
    const warnings = [`Could not check whether #${number} still has a preview: ${why}`]
    return skippedResult({ reason, warnings })
  }
}
