import { expect, test } from 'vitest'
import * as events from '../../../../local/runner/event.ts'

const sha = 'a'.repeat(40)
const headSha = 'b'.repeat(40)

test('a pull request runs on its merge ref, once merged on the branch it went into', () => {
  const options = { number: 7, headSha, headRef: 'evening', mergeSha: sha, labels: ['preview'] }
  const opened = events.pullRequestEvent('opened', options)
  expect(opened).toMatchObject({
    name: 'pull_request',
    ref: 'refs/pull/7/merge',
    sha,
    headRef: 'evening',
    baseRef: 'main',
    payload: {
      action: 'opened',
      number: 7,
      pull_request: {
        number: 7,
        state: 'open',
        labels: [{ name: 'preview' }],
        head: { ref: 'evening', sha: headSha, repo: { full_name: 'octo-org/daybreak', fork: false } },
      },
      repository: { full_name: 'octo-org/daybreak', default_branch: 'main' },
    },
  })
  const merged = events.pullRequestEvent('closed', { ...options, merged: true })
  expect(merged).toMatchObject({
    ref: 'refs/heads/main',
    payload: { pull_request: { merged: true, state: 'closed' } },
  })
  const fork = events.pullRequestEvent('synchronize', {
    ...options,
    fork: 'eve/daybreak',
    target: true,
    baseSha: sha,
  })
  expect(fork).toMatchObject({
    name: 'pull_request_target',
    ref: 'refs/heads/main',
    sha,
    payload: { pull_request: { head: { repo: { full_name: 'eve/daybreak', fork: true } } } },
  })
})

test.each([
  [events.pushEvent({ branch: 'main', sha }), 'refs/heads/main'],
  [events.tagPushEvent({ tag: 'v1.2.3', sha }), 'refs/tags/v1.2.3'],
  [events.dispatchEvent({ ref: 'refs/heads/main', sha, inputs: { task: 'promote' } }), 'refs/heads/main'],
  [events.scheduleEvent({ sha, defaultBranch: 'trunk' }), 'refs/heads/trunk'],
  [events.releaseEvent({ tag: 'v1.2.3', sha }), 'refs/tags/v1.2.3'],
  [events.workflowRunEvent({ sha, headSha, headBranch: 'evening', fork: 'eve/daybreak' }), 'refs/heads/main'],
])('$name is about this repository and ref', (event, ref) => {
  expect(event).toMatchObject({ ref, sha, payload: { repository: { full_name: 'octo-org/daybreak' } } })
  expect(JSON.parse(JSON.stringify(event.payload))).toEqual(event.payload)
})

test('examples are not changed by the events made of them', () => {
  const first = events.pushEvent({ branch: 'main', sha, repository: 'one/one' })
  const second = events.pushEvent({ branch: 'main', sha })
  expect(first.payload.repository).toMatchObject({ full_name: 'one/one' })
  expect(second.payload.repository).toMatchObject({ full_name: 'octo-org/daybreak' })
})
