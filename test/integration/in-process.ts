/** Whole runs in this process: everything is as in a job but the pauses, which a test need not wait for. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, type Dispatcher, fetch } from 'undici'
import { parse } from 'yaml'
import { pushEvent, type WorkflowEvent } from '../../local/runner/event.ts'
import { LeakSearch } from '../../local/runner/secrets.ts'
import { worker, zlib } from '../../local/zlib.ts'
import { createCapgo } from '../../src/capgo/client.ts'
import type { HttpOptions } from '../../src/capgo/http.ts'
import type { Deps } from '../../src/context.ts'
import { documentsOf } from '../../src/documents.ts'
import { connectGitHub } from '../../src/github/client.ts'
import { run } from '../../src/run.ts'
import { type Cancellation, createCancellation } from '../../src/runtime/cancellation.ts'

const ROOT = join(import.meta.dirname, '../..')
const manifest = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: unknown }>>
}

/** Production waits for seconds, and half a minute at most. */
const QUICK = { firstPause: 1, outage: 2_000, uploadStallTimeout: 150 } as const
const MAX_SLEEP = 5

export interface ShortRun {
  readonly isGreen: boolean
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  readonly log: readonly string[]
  /** As annotations. */
  readonly errors: readonly string[]
}

export interface ShortRunOptions {
  /** The checkout. */
  readonly repo: string
  readonly sha: string
  readonly inputs: Readonly<Record<string, string>>
  /** Default: a push of the commit to main. */
  readonly event?: WorkflowEvent
  /** Also the run's number, counted from 9,000,000,000. */
  readonly runId?: number
  readonly attempt?: number
  /** GitHub's API; without it there is no token for GitHub. */
  readonly github?: { readonly url: string; readonly token: string }
  /** By which it can be ended. */
  readonly stop?: Cancellation
  /** Passes so many milliseconds; by default a few real ones. */
  readonly sleep?: (ms: number) => Promise<void>
  readonly now?: () => Date
  readonly http?: Partial<Pick<HttpOptions, 'firstPause' | 'outage' | 'uploadStallTimeout'>>
  readonly dispatcher?: Dispatcher
  /** Instead of short pauses, those of production. */
  readonly realPauses?: boolean
}

/** A whole run. */
export async function runHere(options: ShortRunOptions): Promise<ShortRun> {
  const { repo, sha, inputs, attempt = 1, realPauses = false, github, now = () => new Date() } = options
  const {
    stop = createCancellation(),
    event = pushEvent({ branch: 'main', sha }),
    runId = 9_000_000_001,
  } = options
  const scratch = await mkdtemp(join(tmpdir(), 'capgo-run-'))
  const dispatcher = options.dispatcher ?? new Agent()
  const outputs: Record<string, string> = {}
  const log: string[] = []
  const errors: string[] = []
  let summary = ''
  const defaults = Object.entries(manifest.inputs).map(([name, { default: value }]) => [
    name,
    String(value ?? '').replace(/\$\{\{.*\}\}/, ''),
  ])
  const given: Readonly<Record<string, string>> = {
    ...Object.fromEntries(defaults),
    ...(github === undefined ? {} : { 'github-token': github.token }),
    ...inputs,
  }
  const pause = options.sleep ?? (ms => sleep(realPauses ? ms : Math.min(ms, MAX_SLEEP)))
  const deps: Deps = {
    readInput: name => given[name] ?? '',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      GITHUB_EVENT_NAME: event.name,
      GITHUB_REF: event.ref,
      GITHUB_REF_NAME: event.ref.replace(/^refs\/(heads|tags|pull)\//, ''),
      GITHUB_REF_TYPE: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
      GITHUB_ACTOR: event.actor,
      GITHUB_REPOSITORY: event.repository,
      GITHUB_REPOSITORY_ID: '1',
      GITHUB_RUN_ATTEMPT: String(attempt),
      GITHUB_RUN_ID: String(runId),
      GITHUB_RUN_NUMBER: String(runId - 9_000_000_000),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: sha,
    },
    payload: event.payload,
    workspace: repo,
    scratch,
    evaluator: { script: join(ROOT, 'src/checkout/evaluate-config.ts'), node: process.execPath },
    deflateWorker: worker,
    zlib,
    requireUntouched: async () => {},
    loadArtifacts: async () => {
      throw new Error('No artifacts are stored here.')
    },
    documents: documentsOf({}),
    cancellation: stop,
    log: {
      info: message => void log.push(message),
      notice: message => void log.push(message),
      warning: message => void log.push(message),
      error: message => void errors.push(message),
      output: work => work(line => void log.push(line)),
      group: (_title, work) => work(),
    },
    sink: {
      setOutputs(values) {
        Object.assign(outputs, values)
        return null
      },
      writeSummary(markdown) {
        summary = markdown
        return null
      },
    },
    clock: () => performance.now(),
    now,
    connectCapgo: (token, hosts) =>
      createCapgo({
        token,
        ...hosts,
        dispatcher,
        userAgent: 'test',
        redact: text => text,
        signal: stop.signal,
        onRetry: message => void log.push(message),
        sleep: pause,
        ...(realPauses ? {} : QUICK),
        ...options.http,
      }),
    connectGitHub(token, repository, signal) {
      if (github === undefined) throw new Error('There is no token for GitHub here.')
      return connectGitHub({
        token,
        repository,
        redact: text => text,
        apiUrl: github.url,
        userAgent: 'test',
        signal,
        fetch: ((url: string, init: RequestInit) => fetch(url, { ...init, dispatcher } as never)) as never,
        ...(realPauses ? {} : { firstPause: 1, sleep: pause }),
      })
    },
  }
  try {
    const isGreen = await run(deps)
    // Nothing is redacted here: what is found has been told.
    const secrets = ['capgo-token', 'devices-token', 'github-token'].map(name => given[name] ?? '')
    const told = { log, errors, summary: [summary], outputs: Object.values(outputs) }
    const leak = new LeakSearch(secrets.filter(secret => secret !== '')).find(
      Object.entries(told).map(([where, lines]) => [
        `the ${where} of a run in this process`,
        lines.join('\n'),
      ]),
    )
    if (leak !== null) throw new Error(leak)
    return { isGreen, outputs, summary, log, errors }
  } finally {
    await rm(scratch, { recursive: true, force: true })
    if (options.dispatcher === undefined) await dispatcher.destroy()
  }
}
