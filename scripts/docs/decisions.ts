/** The tables of docs/development/decisions.md: the events, and the cases that the unit tests of the planners assert. */
import { EVENTS, type EventRule } from '../../src/plan/events.ts'
import { type Case, fails } from '../../test/unit/plan/cases/case.ts'
import { NEW_CHANNEL } from '../../test/unit/plan/cases/channel.ts'
import { OPERATION } from '../../test/unit/plan/cases/operation.ts'
import { PROMOTION } from '../../test/unit/plan/cases/promotion.ts'
import { PUBLISH } from '../../test/unit/plan/cases/publish.ts'
import { ROLLBACK } from '../../test/unit/plan/cases/rollback.ts'
import { ROLLOUT_CHANGE } from '../../test/unit/plan/cases/rollout-change.ts'
import { NAMES } from '../../test/unit/plan/cases/version.ts'
import { table } from './table.ts'

export function decisionTables(): Readonly<Record<string, string>> {
  return {
    events: table(['event', 'what the run does', 'why'], eventRows()),
    channel: table(['event', 'inputs', 'result', 'why'], rowsOf(OPERATION)),
    'new-channel': table(['for', 'public channels of the app', 'result', 'why'], rowsOf(NEW_CHANNEL)),
    version: table(['wanted', 'when', 'result', 'why'], rowsOf(NAMES)),
    outcome: table(['the channel', 'this run', 'result', 'why'], rowsOf(PUBLISH)),
    moves: table(
      ['operation', 'state', 'result', 'why'],
      [PROMOTION, ROLLBACK, ROLLOUT_CHANGE].flatMap(rowsOf),
    ),
  }
}

type Row = readonly string[]

/** The cases that have a place on the page. Throws where one has no reason to print. */
function rowsOf(groups: Readonly<Record<string, readonly Case<unknown>[]>>): Row[] {
  return Object.values(groups)
    .flat()
    .flatMap(({ name, page, result, why }) => {
      if (page === undefined) return []
      if (typeof why !== 'string')
        throw new Error(`The case "${name}" is on a page, so it needs its whole reason.`)
      return [[...page, result, why]]
    })
}

const WORK: Readonly<Record<EventRule['work'], string>> = {
  publish: 'publishes the ref to its channel',
  preview: 'makes, updates or removes the preview',
  follow: 'publishes the preview that was built',
  sweep: 'cleans up and looks after testers',
  nothing: 'nothing, and ends green',
  refuse: fails('event_unsupported'),
}

/** Events with the same rule are one row. */
function eventRows(): Row[] {
  const groups = Map.groupBy(Object.entries<EventRule>(EVENTS), ([, rule]) => JSON.stringify(rule))
  const rows = [...groups].map(([json, events]) => {
    const { work, why, types } = JSON.parse(json) as EventRule
    const names = events.map(([event]) => `\`${event}\``).join(', ')
    return [`${names}${types === undefined ? '' : ` (${types.join(', ')})`}`, WORK[work], why]
  })
  return [...rows, ['any other', WORK.refuse, 'this action does not know it']]
}
