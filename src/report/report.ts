import type { Deps } from '../deps.ts'
import { describeOutcome, renderSummary } from './render.ts'
import type { Result } from './result.ts'

/** Says what came of the run, on every path: outputs, job summary, annotations, one line in the log. */
export async function report(result: Result, { log, sink }: Pick<Deps, 'log' | 'sink'>): Promise<void> {
  for (const [name, value] of Object.entries(outputs(result))) sink.setOutput(name, value)
  for (const warning of result.warnings) log.warning(warning)
  if (result.kind === 'failed') {
    const message = [result.reason, result.hint].filter(part => part !== null).join('\n')
    log.error(message, result.at ?? undefined)
  } else log.info(describeOutcome(result))
  await sink.writeSummary(renderSummary(result))
}

/** Every output, empty where it does not apply. Names as in action.yml. */
export function outputs(result: Result): Record<string, string> {
  const publish = result.kind === 'publish' ? result : null
  const preview = publish?.preview ?? null
  return {
    outcome: result.outcome,
    'bundle-id': publish?.bundle.id?.toString() ?? '',
    'bundle-version': publish?.bundle.name ?? '',
    channel: publish?.channel.name ?? '',
    'channel-id': publish?.channel.id?.toString() ?? '',
    checksum: publish?.bundle.checksum ?? '',
    size: publish?.bundle.size?.toString() ?? '',
    'bundle-url': publish?.bundle.url ?? '',
    'deep-link': preview?.deepLink ?? '',
    'web-preview-url': preview?.webUrl ?? '',
    'comment-url': preview?.commentUrl ?? '',
    'error-code': result.kind === 'failed' ? result.code : '',
    reason: result.reason,
  }
}
