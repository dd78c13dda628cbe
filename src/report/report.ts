import type { Deps } from '../context.ts'
import { explainSystemError } from '../runtime/system-error.ts'
import { describeOutcome, renderSummary, rolledOut } from './render.ts'
import type { Result } from './result.ts'
import { nameDevices, type TesterFailure } from './testers.ts'

/** Says what came of the run, on every path: outputs, job summary, annotations, one line in the log. */
export function report(result: Result, { log, sink }: Pick<Deps, 'log' | 'sink'>): void {
  const refusal = sink.setOutputs(outputs(result))
  for (const warning of result.warnings) log.warning(warning)
  if (refusal !== null)
    log.warning(
      unwritten(refusal, 'The outputs were set by workflow commands, which GitHub calls deprecated'),
    )
  if (result.kind === 'failed') {
    const message = [result.reason, result.hint].filter(part => part !== null).join('\n')
    if (result.problems.length === 0) log.error(message, result.at ?? undefined)
    else {
      for (const problem of result.problems) log.error(problem.message, problem.at ?? undefined)
      log.error(message)
    }
  } else log.info(describeOutcome(result))
  for (const { message, hint, devices, at } of failuresOf(result))
    log.error(
      [`${nameDevices(devices)}: ${message}`, hint].filter(part => part !== null).join('\n'),
      at ?? undefined,
    )
  const lost = sink.writeSummary(renderSummary(result))
  if (lost !== null) log.warning(unwritten(lost, 'The job summary is missing'))
}

/** The warning for a file of the runner that cannot be written: the run goes on. */
function unwritten(error: Error, so: string): string {
  const hint = explainSystemError(error)?.hint
  return [`${so}: ${error.message}.`, hint].filter(part => part !== undefined).join(' ')
}

/** Devices of testers that could not be put where they belong: the run is red for them, whatever else it did. */
export function failuresOf(result: Result): readonly TesterFailure[] {
  return result.kind === 'failed' ? [] : (result.testers?.failures ?? [])
}

/** Every output, empty where it does not apply. Names as in action.yml. */
export function outputs(result: Result): Record<string, string> {
  const publish = result.kind === 'publish' ? result : result.kind === 'failed' ? result.published : null
  const preview = publish?.preview ?? null
  const share = publish === null ? null : rolledOut(publish)
  return {
    outcome: result.outcome,
    'bundle-id': publish?.bundle.id?.toString() ?? '',
    'bundle-version': publish?.bundle.name ?? '',
    channel: publish?.channel.name ?? '',
    'channel-id': publish?.channel.id?.toString() ?? '',
    checksum: publish?.bundle.checksum ?? '',
    sha256: publish?.bundle.sha256 ?? '',
    size: publish?.bundle.size?.toString() ?? '',
    'bundle-url': publish?.bundle.url ?? '',
    'deep-link': preview?.deepLink ?? '',
    'web-preview-url': preview?.webUrl ?? '',
    'comment-url': preview?.commentUrl ?? '',
    'source-maps-artifact-url': publish?.sourceMaps?.url ?? '',
    rollout: share === null ? '' : String(share.bps / 100),
    status: result.kind === 'status' ? JSON.stringify(result.channels) : '',
    testers: testersOutput(result),
    'error-code': result.kind === 'failed' ? result.code : (failuresOf(result)[0]?.code ?? ''),
    reason: result.reason,
  }
}

function testersOutput(result: Result): string {
  if (result.kind === 'failed' || result.testers === null) return ''
  const { assigned, released, renewed, failed } = result.testers.counts
  return JSON.stringify({ assigned, released, renewed, failed })
}
