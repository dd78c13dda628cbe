/** Lines of the log: the plan, and the result of the run. */
import { formatShare } from '../plan/rollout.ts'
import type { Decision } from '../plan/types.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { shortSha } from './format.ts'
import { makeVisible } from './markdown.ts'
import { type ChannelResult, ownRollout, type Result } from './result.ts'
import { countTesters } from './testers.ts'

/** What came of the run, as one line. */
export function describeOutcome(result: Result): string {
  const testers =
    result.kind === 'failed' || result.testers === null ? '' : ` ${countTesters(result.testers)}.`
  return makeVisible(`${result.outcome}: ${describe(result)}${testers}`)
}

/** The decisions of a plan as aligned lines: what, value, why. */
export function renderLogPlan(decisions: readonly Decision[]): string[] {
  const rows = decisions.map(decision => ({
    what: makeVisible(decision.what),
    value: makeVisible(decision.value),
    why: makeVisible(decision.why),
  }))
  const width = (column: 'what' | 'value') => Math.max(...rows.map(row => row[column].length))
  return rows.map(({ what, value, why }) =>
    `${what.padEnd(width('what'))}  ${value.padEnd(width('value'))}  ${why}`.trimEnd(),
  )
}

function describe(result: Result): string {
  switch (result.kind) {
    case 'publish':
    case 'channel-change':
    case 'preview-kept':
      return describeChannel(result)
    default:
      return result.reason
  }
}

function describeChannel(result: ChannelResult): string {
  const { outcome, reason, channel, bundle, before, commit } = result
  if (outcome === 'planned') return reason
  if (outcome !== 'published') return `channel ${channel.name} keeps ${bundle.name || 'no bundle'}. ${reason}`
  const rollout = ownRollout(result)
  if (rollout !== null)
    return `channel ${channel.name} gives ${bundle.name} to ${formatShare(rollout.bps)} of its devices${rollout.paused ? ' (paused)' : ''}; the others have ${rollout.stableBundle ?? 'nothing'}.`
  const size = bundle.size === null ? '' : ` (${formatBytes(bundle.size)})`
  const from = commit === null ? '' : ` from ${shortSha(commit.sha)}`
  const instead = before === null || before.id === bundle.id ? '' : `, instead of ${before.name}`
  return `channel ${channel.name} serves ${bundle.name}${size}${from}${instead}.`
}
