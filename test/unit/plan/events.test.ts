/** Every webhook event, as GitHub sent it, from the payload to what the run does. */
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { readTrigger } from '../../../src/event.ts'
import { decideOperation, type OperationInputs } from '../../../src/plan/operation.ts'
import { inputs } from './cases/operation.ts'
import { refusalOf } from './decided.ts'

interface Payload {
  readonly action?: string
  readonly deleted?: boolean
  readonly pull_request?: { readonly state: string }
  readonly workflow_run?: { readonly event: string; readonly conclusion: string | null }
  readonly release?: { readonly draft?: boolean }
}

const webhooks = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  readonly name: string
  readonly examples: readonly Payload[]
}[]
const examplesOf = (name: string) => webhooks.find(each => each.name === name)?.examples ?? []

/** What starts workflows and is no webhook, or is not in GitHub's list. */
const OTHERS: readonly (readonly [name: string, payload: Payload])[] = [
  ['schedule', {}],
  ['pull_request_target', examplesOf('pull_request').find(({ action }) => action === 'opened') ?? {}],
  ['pull_request_target', examplesOf('pull_request').find(({ action }) => action === 'closed') ?? {}],
  ['image_version', {}],
  ['registry_package', {}],
  ['dynamic', {}],
  ['constructor', {}],
]

const events = [
  ...webhooks.flatMap(({ name, examples }) =>
    // One payload for each activity type.
    [...new Map(examples.map(payload => [payload.action ?? '', payload])).values()].map(
      payload => [name, payload] as const,
    ),
  ),
  ...OTHERS,
]

function decide(name: string, payload: Payload, change: Partial<OperationInputs> = {}): string {
  const trigger = readTrigger({
    payload: { ...payload, repository: { default_branch: 'main' } },
    env: {
      GITHUB_REF: name === 'release' ? 'refs/tags/v1.2.0' : 'refs/heads/main',
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_REPOSITORY: 'octo-org/daybreak',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_EVENT_NAME: name,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_NUMBER: '1',
      GITHUB_RUN_ATTEMPT: '1',
    },
  })
  const channels = ['main', 'v*'].map(pattern => ({ pattern, channel: 'production' }))
  return decideOperation(trigger, { ...inputs, channels, ...change }).kind
}

/** What is meant, told without the table of the action. */
function meant(name: string, { action = '', deleted, pull_request: pull, workflow_run: run }: Payload) {
  switch (name) {
    case 'push':
      return deleted === true ? 'skip' : 'publish'
    case 'workflow_dispatch':
    case 'repository_dispatch':
      return 'publish'
    case 'release':
      return ['published', 'released', 'prereleased', 'created'].includes(action) ? 'publish' : 'skip'
    case 'pull_request':
    case 'pull_request_target':
      return pull?.state === 'open' ? 'preview' : 'close-preview'
    case 'workflow_run':
      return run?.event === 'pull_request' && run.conclusion === 'success' ? 'follow-run' : 'skip'
    case 'schedule':
      return 'sweep-previews'
    case 'create':
    case 'delete':
    case 'merge_group':
      return 'skip'
    default:
      return 'refused'
  }
}

/** What the run does; refused with an error that names the event. */
function outcomeOf(name: string, payload: Payload, change: Partial<OperationInputs> = {}): string {
  const refusal = `event_unsupported: This action publishes nothing on "${name}": `
  let kind = 'refused'
  const said = refusalOf(() => {
    kind = decide(name, payload, change)
  })
  expect(said.startsWith(kind === 'refused' ? refusal : 'nothing was thrown')).toBe(true)
  return kind
}

describe('an event as GitHub sends it', () => {
  for (const [name, payload] of events) {
    const kind = meant(name, payload)
    it(`${name} ${payload.action ?? ''}: ${kind}`, () => {
      expect(outcomeOf(name, payload)).toBe(kind)
      // Without a mapping nothing is published but previews.
      expect(outcomeOf(name, payload, { channels: [] })).toBe(kind === 'publish' ? 'skip' : kind)
      // An operation that builds nothing works on each.
      expect(outcomeOf(name, payload, { operation: { kind: 'status' } })).toBe('status')
    })
  }

  it.each(['issue_comment', 'fork', 'watch', 'delete', 'merge_group'])(
    '%s publishes nothing where a channel is named or everything is mapped',
    name => {
      const [payload = {}] = examplesOf(name)
      const kind = meant(name, payload)
      expect(outcomeOf(name, payload, { channel: 'production' })).toBe(kind)
      const channels = [{ pattern: '**', channel: 'production' }]
      expect(outcomeOf(name, payload, { channels })).toBe(kind)
    },
  )

  it('of the schedule publishes where a channel is named', () => {
    expect(outcomeOf('schedule', {}, { channel: 'nightly' })).toBe('publish')
  })
  it('that is a draft of a release publishes nothing', () => {
    expect(outcomeOf('release', { action: 'created', release: { draft: true } })).toBe('skip')
  })
})
