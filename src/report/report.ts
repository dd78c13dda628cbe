/** Says what came of a run: outputs, job summary, annotations, the log. */
import type { Deps } from '../context.ts'
import { type Documents, troubleshooting } from '../documents.ts'
import { explainSystemError } from '../runtime/system-error.ts'
import { fitOutput } from './devices.ts'
import { describeOutcome, renderLinks } from './log.ts'
import { describeReleaseNotes } from './release-notes.ts'
import { type ChannelResult, ownRollout, type Result } from './result.ts'
import { renderSummary } from './summary.ts'
import { nameDevices, type TesterFailure } from './testers.ts'

/** Says what came of the run, on every path: outputs, job summary, annotations; the last line of the log has the links. */
export function report(
  result: Result,
  { log, sink, documents }: Pick<Deps, 'log' | 'sink' | 'documents'>,
): void {
  const refusal = sink.setOutputs(outputs(result, documents))
  for (const warning of result.warnings) log.warning(warning)
  if (refusal !== null)
    log.warning(
      unwritten(refusal, 'The outputs were set by workflow commands, which GitHub calls deprecated'),
    )
  if (result.kind === 'failed') {
    const message = paragraphs(result.reason, result.hint, troubleshooting(documents, result.code))
    if (result.problems.length === 0) log.error(message, result.at ?? undefined)
    else {
      for (const problem of result.problems) log.error(problem.message, problem.at ?? undefined)
      log.error(message)
    }
  } else log.notice(describeOutcome(result))
  for (const { code, message, hint, devices, at } of failuresOf(result)) {
    const what = `${nameDevices(devices)}: ${message}`
    log.error(paragraphs(what, hint, troubleshooting(documents, code)), at ?? undefined)
  }
  const lost = sink.writeSummary(renderSummary(result, documents))
  if (lost !== null) log.warning(unwritten(lost, 'The job summary is missing'))
  const links = renderLinks(aboutOf(result))
  if (links !== '') log.info(links)
}

/** An annotation ends with the address of what its error's heading in the documents says. */
function paragraphs(what: string, hint: string | null, address: string): string {
  return [what, hint, address].filter(part => part !== null).join('\n')
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
export function outputs(result: Result, documents: Documents): Record<string, string> {
  const code = result.kind === 'failed' ? result.code : failuresOf(result)[0]?.code
  const about = aboutOf(result)
  const preview = about !== null && 'preview' in about ? about.preview : null
  const sourceMaps = about !== null && 'sourceMaps' in about ? about.sourceMaps : null
  const rollout = about === null ? null : ownRollout(about)
  return {
    outcome: result.outcome,
    'bundle-id': about?.bundle.id?.toString() ?? '',
    'bundle-version': about?.bundle.name ?? '',
    channel: about?.channel.name ?? '',
    'channel-id': about?.channel.id?.toString() ?? '',
    checksum: about?.bundle.checksum ?? '',
    sha256: about?.bundle.sha256 ?? '',
    size: about?.bundle.size?.toString() ?? '',
    'bundle-url': about?.bundle.url ?? '',
    'deep-link': preview?.deepLink ?? '',
    'web-preview-url': preview?.webUrl ?? '',
    'comment-url': (result.kind === 'enrolment' ? result.commentUrl : preview?.commentUrl) ?? '',
    'release-notes': about?.kind === 'publish' ? describeReleaseNotes(about.releaseNotes) : '',
    'source-maps-artifact-url': sourceMaps?.url ?? '',
    rollout: rollout === null ? '' : String(rollout.bps / 100),
    status: result.kind === 'status' ? JSON.stringify(result.channels) : '',
    devices: result.kind === 'devices' ? fitOutput(result).json : '',
    testers: testersOutput(result),
    'error-code': code ?? '',
    'error-url': code === undefined ? '' : troubleshooting(documents, code),
    reason: result.reason,
  }
}

/** The channel and bundle that a result is about; of a failure those that the run had changed before. */
function aboutOf(result: Result): ChannelResult | null {
  if (result.kind === 'failed') return result.published
  return 'bundle' in result ? result : null
}

function testersOutput(result: Result): string {
  if (result.kind === 'failed' || result.testers === null) return ''
  const { assigned, released, renewed, failed } = result.testers.counts
  return JSON.stringify({ assigned, released, renewed, failed })
}
