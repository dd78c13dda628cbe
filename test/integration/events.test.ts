/** Every event that GitHub documents, with and without a checkout, a key and a mapping: who publishes what. */
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import { createRepository, type Repository } from '../../local/repository.ts'
import type { WorkflowEvent } from '../../local/runner/event.ts'
import { EVENTS, ruleOf } from '../../src/plan/events.ts'
import { APP_ID, builtApp, REPOSITORY } from '../scenarios/scenario.ts'
import { runHere, type ShortRun } from './in-process.ts'

type Payload = Record<string, unknown> & { action?: string }

/** GitHub's list of webhook events, each with payloads as GitHub sent them. */
const webhooks = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  name: string
  examples: Payload[]
}[]
/** What starts workflows and is no webhook, or is not in that list. */
const OTHERS = [
  'schedule',
  'pull_request_target',
  'image_version',
  'registry_package',
  'dynamic',
  'constructor',
]

/** One payload for each activity type. */
const events: [name: string, action: string, payload: Payload][] = [
  ['push', '', {}],
  ...webhooks.flatMap(({ name, examples }) => {
    const byAction = new Map(examples.map(payload => [payload.action ?? '', payload]))
    return [...byAction].map(([action, payload]): [string, string, Payload] => [name, action, payload])
  }),
  ...OTHERS.map((name): [string, string, Payload] => [
    name,
    '',
    name === 'pull_request_target' ? examplePull() : {},
  ]),
]

function examplePull(): Payload {
  return webhooks
    .find(({ name }) => name === 'pull_request')!
    .examples.find(each => each.action === 'opened')!
}

let capgo: LocalCapgo
let repo: Repository
let empty: Repository
let key: string

beforeAll(async () => {
  repo = createRepository({ files: builtApp() })
  empty = createRepository({ files: { 'README.md': 'no app' } })
})
afterAll(async () => {
  await capgo?.stop()
  repo.remove()
  empty.remove()
})

interface Circumstances {
  readonly hasCheckout?: boolean
  readonly hasKey?: boolean
  readonly isMapped?: boolean
  readonly inputs?: Readonly<Record<string, string>>
}

/** A run of the event against a Capgo where nothing is published yet; `bundles` is what it put there. */
async function runEvent(
  name: string,
  payload: Payload,
  { hasCheckout = true, hasKey = true, isMapped = true, inputs = {} }: Circumstances = {},
): Promise<ShortRun & { bundles: number; requests: number }> {
  await capgo?.stop()
  capgo = await startCapgo()
  capgo.seedApp({ appId: APP_ID })
  key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
  const sha = repo.head
  const event: WorkflowEvent = {
    name,
    payload: { ...payload, repository: { ...(payload.repository ?? {}), default_branch: 'main' } },
    ref: name === 'release' ? 'refs/tags/v1.2.0' : 'refs/heads/main',
    sha,
    repository: REPOSITORY,
    actor: 'ada',
    headRef: '',
    baseRef: '',
  }
  const run = await runHere({
    repo: hasCheckout ? repo.path : empty.path,
    sha,
    event,
    inputs: {
      'capgo-token': hasKey ? key : '',
      'api-url': capgo.url,
      build: 'false',
      'app-id': APP_ID,
      'web-dir': 'www',
      channels: isMapped ? 'main: production\nv*: production' : 'elsewhere: beta',
      ...inputs,
    },
  })
  const bundles = capgo.store.list('app_versions', { app_id: APP_ID }).filter(({ name }) => /^\d/.test(name))
  return { ...run, bundles: bundles.length, requests: capgo.requests.length }
}

describe('an event', () => {
  it.each(events)('%s %s does what the table says', async (name, action, payload) => {
    const { work } = ruleOf(name, action)
    const run = await runEvent(name, payload)
    const isOpen = (payload.pull_request as { state?: string } | undefined)?.state === 'open'
    const publishes = {
      publish: payload.deleted !== true,
      preview: isOpen,
      follow: false,
      sweep: false,
      nothing: false,
      refuse: false,
    }[work]
    expect(run.bundles, run.errors.join('\n')).toBe(publishes ? 1 : 0)
    if (work === 'refuse') {
      expect(run.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'event_unsupported' })
      expect(run.errors.join()).toContain(`"${name}"`)
      expect(run.requests).toBe(0)
    } else if (work === 'nothing') expect(run.outputs.outcome).toBe('skipped')
    else if (publishes) expect(run.outputs.outcome).toBe('published')
    if (!publishes || action !== events.find(each => each[0] === name)?.[1]) return
    const without = async (what: Circumstances) => (await runEvent(name, payload, what)).bundles
    expect(await without({ hasCheckout: false }), 'without a checkout').toBe(0)
    expect(await without({ hasKey: false }), 'without a key').toBe(0)
    expect(await without({ isMapped: false }), 'without a mapping').toBe(work === 'preview' ? 1 : 0)
  })

  it.each(['issue_comment', 'fork', 'watch', 'delete', 'merge_group'])(
    '%s publishes nothing where a channel is named or everything is mapped',
    async name => {
      const payload = webhooks.find(each => each.name === name)!.examples[0]!
      expect((await runEvent(name, payload, { inputs: { channel: 'production' } })).bundles).toBe(0)
      expect((await runEvent(name, payload, { inputs: { channels: '**: production' } })).bundles).toBe(0)
    },
  )

  it('that is refused may still start an operation that builds nothing', async () => {
    const payload = webhooks.find(each => each.name === 'issue_comment')!.examples[0]!
    const run = await runEvent('issue_comment', payload, { inputs: { operation: 'status' } })
    expect(run.outputs.outcome).toBe('read')
  })

  it('that is a draft of a release publishes nothing', async () => {
    const run = await runEvent('release', { action: 'created', release: { draft: true } })
    expect(run).toMatchObject({ bundles: 0, outputs: { outcome: 'skipped' } })
  })

  it('of the schedule publishes where a channel is named', async () => {
    expect((await runEvent('schedule', {}, { inputs: { channel: 'nightly' } })).bundles).toBe(1)
  })
})

it("each event of the table that is a webhook is in GitHub's list", () => {
  const known = new Set([...webhooks.map(({ name }) => name), ...OTHERS])
  expect(Object.keys(EVENTS).filter(name => !known.has(name))).toEqual([])
})
