/** The headline of a run, for summary and log: the operation and its outcome. */
import { formatShare } from '../plan/rollout.ts'
import { plural } from './format.ts'
import type { EnrolmentResult, StatusResult } from './list-results.ts'
import {
  type ChannelChangeResult,
  type ChannelResult,
  type FailedResult,
  type OldBundlesResult,
  ownRollout,
  type PreviewsClosedResult,
  type Result,
  type SkippedResult,
} from './result.ts'
import { countTesters } from './testers.ts'

interface Headline {
  readonly icon: string
  readonly text: string
}

/** Shows a name: as code in the summary, as plain text in the log. */
export type Show = (name: string) => string

type DoneResult = Exclude<Result, FailedResult>

/** So many pull requests are named in a headline. */
const PULLS_NAMED = 5

/** Never begins with a tick where devices of testers could not be changed: the run is red then. */
export function headlineOf(result: DoneResult, show: Show): Headline {
  const headline = describe(result, show)
  const failed = result.testers?.failures.flatMap(({ devices }) => devices).length ?? 0
  if (failed === 0) return headline
  const isCounted = result.testers !== null && headline.text === countTesters(result.testers)
  const more = isCounted ? '' : `, but ${plural(failed, 'test device')} could not be changed`
  return { icon: '❌', text: `${headline.text}${more}` }
}

function describe(result: DoneResult, show: Show): Headline {
  switch (result.kind) {
    case 'skipped':
      return describeSkipped(result)
    case 'previews-closed':
      return describePreviews(result)
    case 'old-bundles':
      return describeOldBundles(result)
    case 'status':
      return describeStatus(result, show)
    case 'devices':
      return { icon: '📱', text: `Devices of ${show(result.appId)}` }
    case 'enrolment':
      return describeEnrolment(result)
    case 'publish':
    case 'channel-change':
    case 'preview-kept':
      return describeChannel(result, show)
  }
}

function describeSkipped({ testers }: SkippedResult): Headline {
  return testers === null
    ? { icon: '⏭️', text: 'Nothing to publish' }
    : { icon: '👥', text: countTesters(testers) }
}

const ENROLMENTS: Readonly<Record<EnrolmentResult['outcome'], Headline>> = {
  proposed: { icon: '⏳', text: 'A tester waits for a review' },
  enrolled: { icon: '✅', text: "A tester's request is done" },
  refused: { icon: '✋', text: "A tester's request is not accepted" },
  unchanged: { icon: '☑️', text: "No tester's request waits" },
  planned: { icon: '🧪', text: "Dry run: testers' requests" },
}

function describeEnrolment({ outcome }: EnrolmentResult): Headline {
  return ENROLMENTS[outcome]
}

function describePreviews({ outcome, previews, testers }: PreviewsClosedResult): Headline {
  const isPlanned = outcome === 'planned'
  const pulls = [...new Set(deletedPreviews(previews).map(({ pull }) => pull))].sort(
    (one, other) => one - other,
  )
  if (pulls.length === 0 && testers !== null)
    return { icon: isPlanned ? '🧪' : '👥', text: `${isPlanned ? 'Dry run: ' : ''}${countTesters(testers)}` }
  if (pulls.length === 0) return nothing(isPlanned, 'no preview to delete')
  const numbers = pulls.map(pull => `#${pull}`).join(', ')
  const which =
    pulls.length === 1
      ? `the preview of ${numbers}`
      : pulls.length <= PULLS_NAMED
        ? `the previews of ${numbers}`
        : plural(pulls.length, 'preview')
  return isPlanned
    ? { icon: '🧪', text: `Dry run: would delete ${which}` }
    : { icon: '🧹', text: `Deleted ${which}` }
}

/** Those of which something was there. */
export function deletedPreviews(
  previews: PreviewsClosedResult['previews'],
): PreviewsClosedResult['previews'] {
  return previews.filter(({ channels, bundles }) => channels.length + bundles.length > 0)
}

function describeOldBundles({ outcome, removed }: OldBundlesResult): Headline {
  const isPlanned = outcome === 'planned'
  if (removed.length === 0) return nothing(isPlanned, 'no old bundle to delete')
  const which = plural(removed.length, 'old bundle')
  return isPlanned
    ? { icon: '🧪', text: `Dry run: would delete ${which}` }
    : { icon: '🧹', text: `Deleted ${which}` }
}

function nothing(isPlanned: boolean, what: string): Headline {
  return isPlanned
    ? { icon: '🧪', text: `Dry run: ${what}` }
    : { icon: '☑️', text: `${what.charAt(0).toUpperCase()}${what.slice(1)}` }
}

function describeStatus({ channels, appId }: StatusResult, show: Show): Headline {
  const count = channels.length === 0 ? 'No channel' : plural(channels.length, 'channel')
  return { icon: '📡', text: `${count} of ${show(appId)}` }
}

function describeChannel(result: ChannelResult, show: Show): Headline {
  const channel = show(result.channel.name)
  const bundle = result.bundle.name === '' ? 'no bundle' : show(result.bundle.name)
  if (result.outcome === 'stale')
    return { icon: '⏭️', text: `Not published: ${channel} serves the newer ${bundle}` }
  const isPlanned = result.outcome === 'planned'
  if (isPlanned ? isKept(result) : result.outcome === 'unchanged') {
    const rollout = ownRollout(result)
    const serves = rollout === null ? `serves ${bundle}` : `has ${bundle} at ${formatShare(rollout.bps)}`
    return isPlanned
      ? { icon: '🧪', text: `Dry run: no change, ${channel} ${serves}` }
      : { icon: '☑️', text: `No change: ${channel} ${serves}` }
  }
  const { icon, done, would, what } = describeDeed(result, { bundle, channel }, show)
  return isPlanned
    ? { icon: '🧪', text: `Dry run: would ${would} ${what}` }
    : { icon, text: `${done} ${what}` }
}

/** Whether a dry run would leave the channel as it is. */
function isKept(result: ChannelResult): boolean {
  if (result.outcome !== 'planned') return false
  return result.kind === 'publish' ? result.method === null : result.isDone
}

interface Deed {
  readonly icon: string
  readonly done: string
  readonly would: string
  readonly what: string
}

/** `bundle` and `channel` as they are shown. */
function describeDeed(
  result: ChannelResult,
  { bundle, channel }: { readonly bundle: string; readonly channel: string },
  show: Show,
): Deed {
  const rollout = ownRollout(result)
  const target = rollout === null ? channel : `${formatShare(rollout.bps)} of ${channel}`
  if (result.kind !== 'channel-change')
    return { icon: '✅', done: 'Published', would: 'publish', what: `${bundle} to ${target}` }
  const { move } = result
  switch (move.kind) {
    case 'promotion':
      return {
        icon: '⬆️',
        done: 'Promoted',
        would: 'promote',
        what: `${bundle} from ${show(move.from)} to ${target}`,
      }
    case 'rollback':
      return { icon: '⏪', done: 'Rolled back', would: 'roll back', what: `${channel} to ${bundle}` }
    case 'rollout':
      return describeRollout(move, { bundle, channel, target })
  }
}

function describeRollout(
  { change }: Extract<ChannelChangeResult['move'], { kind: 'rollout' }>,
  { bundle, channel, target }: { readonly bundle: string; readonly channel: string; readonly target: string },
): Deed {
  const all = `the rollout on ${channel}: all devices get ${bundle}`
  const one = `the rollout of ${bundle} to ${target}`
  switch (change) {
    case 'share':
      return { icon: '📶', done: 'Rolled out', would: 'roll out', what: `${bundle} to ${target}` }
    case 'pause':
      return { icon: '⏸️', done: 'Paused', would: 'pause', what: one }
    case 'resume':
      return { icon: '▶️', done: 'Resumed', would: 'resume', what: one }
    case 'finish':
      return { icon: '✅', done: 'Finished', would: 'finish', what: all }
    case 'cancel':
      return { icon: '↩️', done: 'Cancelled', would: 'cancel', what: all }
  }
}
