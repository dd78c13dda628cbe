import { expect } from 'vitest'
import { isStale, staleByOrder } from '../../../src/plan/staleness.ts'
import { commitOf, ORDER, OURS, PUBLISHED, STALE, STALENESS, staleQuestion } from './cases/staleness.ts'
import { decided, eachCase } from './decided.ts'

eachCase(STALENESS, ({ given, ...expected }) => {
  decided(
    expected,
    () => isStale(staleQuestion(given)),
    why => [why === null ? PUBLISHED : STALE, why ?? ''],
  )
})

eachCase(ORDER, ({ given: { runId, relation, isSame, isRollback }, result }) => {
  const served = {
    ...commitOf(isSame ? 'a' : 'b', runId),
    run: `${runId}.1`,
    rolledBackFrom: isRollback ? { name: '1.2.1', sha: null } : null,
  }
  expect(staleByOrder(OURS, served, relation) === null ? PUBLISHED : STALE).toBe(result)
})
