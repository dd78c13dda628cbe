/** Whole runs in this process: everything is as in a job but the pauses, which a test need not wait for. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, type Dispatcher } from 'undici'
import { parse } from 'yaml'
import { createCapgo } from '../../src/capgo/client.ts'
import type { HttpOptions } from '../../src/capgo/http.ts'
import type { Deps } from '../../src/deps.ts'
import { run } from '../../src/run.ts'
import { createStop } from '../../src/stop.ts'
import { pushEvent } from '../helpers/event.ts'

const ROOT = join(import.meta.dirname, '../..')
const manifest = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: unknown }>>
}

/** Production waits for seconds, and half a minute at most. */
const QUICK = { firstPause: 1, outage: 2_000, stall: 150 } as const
const LONGEST_SLEEP = 5

export interface ShortRun {
  readonly isGreen: boolean
  readonly outputs: Readonly<Record<string, string>>
  readonly log: readonly string[]
  /** As annotations. */
  readonly errors: readonly string[]
}

export interface ShortRunOptions {
  /** The checkout. */
  readonly repo: string
  readonly sha: string
  readonly inputs: Readonly<Record<string, string>>
  readonly attempt?: number
  readonly http?: Partial<Pick<HttpOptions, 'firstPause' | 'outage' | 'stall'>>
  readonly dispatcher?: Dispatcher
  /** Instead of short pauses, those of production. */
  readonly realPauses?: boolean
}

/** A push to main. */
export async function runHere(options: ShortRunOptions): Promise<ShortRun> {
  const { repo, sha, inputs, attempt = 1, realPauses = false } = options
  const scratch = await mkdtemp(join(tmpdir(), 'capgo-run-'))
  const dispatcher = options.dispatcher ?? new Agent()
  const outputs: Record<string, string> = {}
  const log: string[] = []
  const errors: string[] = []
  const defaults = Object.entries(manifest.inputs).map(([name, { default: value }]) => [
    name,
    String(value ?? '').replace(/\$\{\{.*\}\}/, ''),
  ])
  const given: Readonly<Record<string, string>> = { ...Object.fromEntries(defaults), ...inputs }
  const event = pushEvent({ branch: 'main', sha })
  const stop = createStop()
  const deps: Deps = {
    readInput: name => given[name] ?? '',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      GITHUB_EVENT_NAME: event.name,
      GITHUB_REF: event.ref,
      GITHUB_REF_NAME: 'main',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REPOSITORY: event.repository,
      GITHUB_RUN_ATTEMPT: String(attempt),
      GITHUB_RUN_ID: '9000000001',
      GITHUB_RUN_NUMBER: '1',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: sha,
    },
    payload: event.payload,
    workspace: repo,
    scratch,
    evaluator: { script: join(ROOT, 'src/bundle/evaluate-config.ts'), node: process.execPath },
    deflateWorker: await readFile(join(ROOT, 'dist/deflate-worker/index.js'), 'utf8'),
    requireUntouched: async () => {},
    stop,
    log: {
      info: message => void log.push(message),
      warning: message => void log.push(message),
      error: message => void errors.push(message),
      output: work => work(line => void log.push(line)),
      group: (_title, work) => work(),
    },
    sink: {
      setOutput: (name, value) => void Object.assign(outputs, { [name]: value }),
      writeSummary: async () => {},
    },
    clock: () => performance.now(),
    now: () => new Date(),
    connectCapgo: (token, hosts) =>
      createCapgo({
        token,
        ...hosts,
        dispatcher,
        userAgent: 'test',
        redact: text => text,
        signal: stop.signal,
        onRetry: message => void log.push(message),
        sleep: ms => sleep(realPauses ? ms : Math.min(ms, LONGEST_SLEEP)),
        ...(realPauses ? {} : QUICK),
        ...options.http,
      }),
    connectGitHub: () => {
      throw new Error('There is no token for GitHub here.')
    },
  }
  try {
    return { isGreen: await run(deps), outputs, log, errors }
  } finally {
    await rm(scratch, { recursive: true, force: true })
    if (options.dispatcher === undefined) await dispatcher.destroy()
  }
}
