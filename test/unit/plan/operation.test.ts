import { describe, expect, it } from 'vitest'
import { EVENTS, ruleOf } from '../../../src/plan/events.ts'
import { decideOperation, hasNoSecrets, isPrivileged, type Operation } from '../../../src/plan/operation.ts'
import { commitOfPull } from '../../../src/plan/preview.ts'
import {
  FOLLOWS,
  inputs,
  LEFT_BEHIND,
  OPERATION,
  pull,
  REMOVES,
  RULES,
  SKIPPED,
  SWEEPS,
  triggerOf,
} from './cases/operation.ts'
import { run } from './cases/rows.ts'
import { decided, eachCase } from './decided.ts'

/** The operation as people read it, and its reason. */
function describeOperation(operation: Operation): readonly [result: string, why: string] {
  switch (operation.kind) {
    case 'publish':
      return [`publish to \`${operation.channelName}\``, operation.why]
    case 'preview':
      return [`preview on \`${operation.channelName}\``, operation.why]
    case 'close-preview':
      return [operation.isEnding ? REMOVES : LEFT_BEHIND, operation.why]
    case 'skip':
      return [SKIPPED, operation.reason]
    case 'sweep-previews':
      return [SWEEPS, 'a schedule without the input `channel`']
    case 'follow-run':
      return [FOLLOWS, '']
    default:
      return [operation.kind, 'input `operation`']
  }
}

describe('the rule of an event', () => {
  it.each(RULES)('%s %s: %s', (event, action, work) => expect(ruleOf(event, action).work).toBe(work))

  it('only these publish or touch previews', () => {
    const by = (work: string) =>
      Object.entries(EVENTS).flatMap(([name, rule]) => (rule.work === work ? [name] : []))
    expect(by('publish')).toEqual(['push', 'workflow_dispatch', 'repository_dispatch', 'release'])
    expect(by('preview')).toEqual(['pull_request', 'pull_request_target'])
    expect([by('follow'), by('sweep')]).toEqual([['workflow_run'], ['schedule']])
    expect(by('nothing')).toEqual(['create', 'delete', 'merge_group'])
  })
})

eachCase(OPERATION, ({ given, ...expected }) => {
  const trigger = triggerOf(given)
  const now = given.now === undefined ? null : { ...pull, ...given.pull, ...given.now }
  decided(expected, () => decideOperation(trigger, { ...inputs, ...given.inputs }, now), describeOperation)
})

it('a preview is of the commit of its event, and of the pull request as it is now', () => {
  const now = { ...pull, headSha: 'c'.repeat(40), labels: ['x'] }
  const of = triggerOf({ event: 'pull_request', action: 'synchronize', pull: {} })
  expect(decideOperation(of, inputs, now)).toEqual({
    kind: 'preview',
    pull: now,
    sha: pull.headSha,
    channelName: 'pr-12',
    why: 'pull request #12',
  })
  expect(decideOperation(of, inputs)).toMatchObject({ pull })
})

it('what ends a preview is of the pull request as it is now', () => {
  const of = triggerOf({ event: 'pull_request', action: 'closed', pull: {} })
  const now = { ...pull, open: false, merged: true }
  expect(decideOperation(of, inputs, now)).toMatchObject({ pull: now, channelName: 'pr-12' })
})

it.each([
  ['pull_request', false],
  ['pull_request_target', true],
  ['workflow_run', true],
  ['push', false],
])('%s is privileged: %s', (event, expected) => expect(isPrivileged({ event })).toBe(expected))

it('a run of no pull request has its secrets', () => {
  const of = triggerOf({ event: 'push', trigger: { actor: 'dependabot[bot]' } })
  expect(hasNoSecrets(of, { ...inputs, capgoToken: '' })).toBe(false)
})

it("the commit of a pull request is its head, with the repository's id where it is known", () => {
  const of = commitOfPull(pull, triggerOf({ event: 'pull_request' }))
  expect(of).toEqual({
    ...run,
    sha: pull.headSha,
    refName: 'feature/login',
    url: `https://github.com/octo-org/daybreak/commit/${pull.headSha}`,
    pull: 'octo-org/daybreak#12',
    repository: 7,
  })
  const unknown = triggerOf({ event: 'pull_request', trigger: { repositoryId: null } })
  expect(commitOfPull(pull, unknown)).not.toHaveProperty('repository')
})
