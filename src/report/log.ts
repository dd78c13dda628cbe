/** Lines of the log: the plan, and the result of the run with its links. */
import type { Decision } from '../plan/types.ts'
import { shortSha } from './format.ts'
import { headlineOf } from './headline.ts'
import { makeVisible } from './markdown.ts'
import type { ChannelResult, FailedResult, Result } from './result.ts'
import { describeDownload } from './sizes.ts'
import { countTesters } from './testers.ts'

/** The outcome of a run, as one line. */
export function describeOutcome(result: Exclude<Result, FailedResult>): string {
  const asIs = (name: string) => name
  const { text } = headlineOf(result, asIs)
  const counted = result.testers === null ? '' : countTesters(result.testers)
  const testers = counted === '' || text.includes(counted) ? '' : `${counted}.`
  return makeVisible([`${text}.`, explain(result), testers].filter(part => part !== '').join(' '))
}

/** More than the headline says. */
function explain(result: Exclude<Result, FailedResult>): string {
  if (result.outcome === 'planned') return 'Nothing was written.'
  switch (result.kind) {
    case 'publish':
      return result.outcome === 'published' ? describePublished(result) : result.reason
    case 'channel-change':
      return result.outcome === 'published' ? result.consequence : result.reason
    case 'preview-kept':
    case 'skipped':
    case 'devices':
    case 'enrolment':
      return result.reason
    case 'previews-closed':
    case 'old-bundles':
    case 'status':
      return ''
  }
}

function describePublished(result: ChannelResult): string {
  const { commit } = result
  const from = commit === null ? '' : `Commit ${shortSha(commit.sha)} on ${commit.refName}`
  const parts = [from, describeDownload(result, name => name)].filter(part => part !== '')
  return parts.length === 0 ? '' : `${parts.join(', ')}.`
}

/** The decisions of a plan under a title, as aligned lines: what, value, why. */
export function renderLogPlan(decisions: readonly Decision[]): string[] {
  if (decisions.length === 0) return []
  const rows = decisions.map(decision => ({
    what: makeVisible(decision.what),
    value: makeVisible(decision.value),
    why: makeVisible(decision.why),
  }))
  const width = (column: 'what' | 'value') => Math.max(...rows.map(row => row[column].length))
  return [
    'Plan:',
    ...rows.map(({ what, value, why }) =>
      `  ${what.padEnd(width('what'))}  ${value.padEnd(width('value'))}  ${why}`.trimEnd(),
    ),
  ]
}

/** Where to look next: the bundle in the console, the pull request's comment; empty where neither is known. */
export function renderLinks(result: ChannelResult | null): string {
  const comment = result !== null && 'preview' in result ? (result.preview?.commentUrl ?? null) : null
  const bundle = result?.bundle.url ?? null
  return [
    ...(bundle === null ? [] : [`Bundle: ${bundle}`]),
    ...(comment === null ? [] : [`Comment: ${comment}`]),
  ]
    .map(makeVisible)
    .join(' · ')
}
