/** The workflow that publishes for forks is also started by what may end a preview: nothing of the pull request is there. */
import { expect, it } from 'vitest'
import { type PullRequestAction, pullRequestEvent } from '../../../local/runner/event.ts'
import { readActionMetadata } from '../../../scripts/docs/main.ts'
import { readTrigger } from '../../../src/event.ts'
import { readInputs } from '../../../src/inputs/inputs.ts'
import { decideOperation } from '../../../src/plan/operation.ts'

const defaults = Object.fromEntries(
  Object.entries(readActionMetadata().inputs).map(([name, { default: value }]) => [name, value ?? '']),
)
/** As preview-publish.yml has it. */
const needed = {
  'capgo-token': 'key',
  'github-token': 'ghs_token',
  'app-id': 'com.example.app',
  build: 'false',
}
const sha = 'a'.repeat(40)

function decide(
  action: PullRequestAction,
  labels: readonly string[],
  given: Readonly<Record<string, string>>,
) {
  const event = pullRequestEvent(action, {
    number: 12,
    headSha: sha,
    headRef: 'x',
    labels,
    target: true,
    fork: 'mallory/daybreak',
  })
  const trigger = readTrigger({
    payload: event.payload,
    env: {
      GITHUB_REF: 'refs/heads/main',
      GITHUB_SHA: sha,
      GITHUB_REPOSITORY: 'octo-org/daybreak',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_EVENT_NAME: 'pull_request_target',
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_NUMBER: '1',
      GITHUB_RUN_ATTEMPT: '1',
    },
  })
  const inputs = readInputs(name => ({ ...defaults, ...needed, ...given })[name] ?? '')
  return decideOperation(trigger, inputs).kind
}

it.each([
  ['closed', [], {}, 'close-preview'],
  ['closed', ['preview'], { 'preview-label': 'preview' }, 'close-preview'],
  ['unlabeled', [], { 'preview-label': 'preview' }, 'close-preview'],
  // Another label: the pull request keeps its preview, and there is nothing here that could publish one.
  ['unlabeled', ['preview'], { 'preview-label': 'preview' }, 'skip'],
  ['unlabeled', [], {}, 'skip'],
] as const)('pull_request_target %s, with the labels %j and %j: %s', (action, labels, given, kind) => {
  expect(decide(action, labels, given)).toBe(kind)
})
