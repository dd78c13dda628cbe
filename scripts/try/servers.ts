/** The Capgo and the GitHub of a try: new ones, those that an earlier try left, or a Capgo that runs already. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  describeApp,
  type LocalCapgo,
  openApp,
  type Role,
  type StoredApp,
  startCapgo,
} from '../../local/capgo/index.ts'
import { type HostedRepository, type Permissions, startGitHub } from '../../local/github/index.ts'
import { isObject } from '../../local/runner/event.ts'
import { PROJECT } from '../trial.ts'
import { STATE, UsageError, type Wishes } from './arguments.ts'
import type { TriedRepository } from './repository.ts'

/** What a try leaves to the next one, besides the servers' own files. */
export interface Memory {
  /** The last run's number. */
  runs: number
  /** Numbers of runs to how often they were tried. */
  attempts: Record<string, number>
  /** Branches to their commits. */
  pushed: Record<string, string>
  appId: string | null
}

export interface Capgo {
  readonly url: string
  /** Milliseconds, on its clock. */
  readonly now: () => number
  describe(appId: string): Promise<StoredApp>
  /** A key with the role for the app, both of which are made where they are missing. */
  open(appId: string, role: Role | null): Promise<string>
  /** Time passes, and what devices then ask leaves no trace. */
  look<T>(work: () => Promise<T>): Promise<T>
  stop(): Promise<void>
}

export interface GitHub {
  readonly resultsUrl: string
  readonly url: string
  readonly hosted: HostedRepository
  readonly token: string
  /** Requests until now. */
  readonly requests: number
  stop(): Promise<void>
}

const README_PERMISSIONS: Permissions = {
  actions: 'read',
  contents: 'read',
  deployments: 'write',
  'pull-requests': 'write',
}
const JOIN_WORKFLOW = join(PROJECT, 'docs/workflows/join.yml')
/** Milliseconds after which Capgo has taken up the delta files of a bundle, and counted overrides. */
const SETTLED = 30_000

export function readMemory({ state }: Wishes): Memory {
  const file = state === null ? null : join(state, STATE.memory)
  const none = { runs: 0, attempts: {}, pushed: {}, appId: null }
  return file !== null && existsSync(file) ? { ...none, ...JSON.parse(readFileSync(file, 'utf8')) } : none
}

export function keepState({ state }: Wishes, memory: Memory, { hosted }: GitHub): void {
  if (state === null) return
  writeFileSync(join(state, STATE.memory), `${JSON.stringify(memory, null, 2)}\n`)
  writeFileSync(join(state, STATE.github), `${hosted.save()}\n`)
}

export async function openCapgo({ capgo, state, waitMs }: Wishes): Promise<Capgo> {
  if (capgo !== null) return openRunning(capgo)
  const folder = state === null ? null : join(state, STATE.capgo)
  if (folder !== null) mkdirSync(folder, { recursive: true })
  const server = await startCapgo(folder === null ? {} : { database: folder })
  if (waitMs > 0) server.clock.advance(waitMs)
  return {
    url: server.url,
    now: () => server.clock.now(),
    describe: async appId => describeApp(server, appId),
    open: async (appId, role) => openApp(server.store, appId, role ?? 'app_admin'),
    look: work => lookLater(server, work),
    stop: () => server.stop(),
  }
}

async function lookLater<T>({ store, clock }: LocalCapgo, work: () => Promise<T>): Promise<T> {
  // Files that it moves then stay moved: nothing of it may be taken back.
  clock.advance(SETTLED)
  store.db.exec('SAVEPOINT look')
  try {
    return await work()
  } finally {
    store.db.exec('ROLLBACK TO look; RELEASE look')
  }
}

function openRunning({ url, key }: { url: string; key: string }): Capgo {
  const ask = async (path: string, body?: object) => {
    const response = await fetch(`${url}/_local/apps${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { capgkey: key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new UsageError(
        `No Capgo answers at --capgo ${url} (${error.message}). Start it with npm run capgo.`,
      )
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
    if (response.ok) return answer
    const why = response.status === 401 ? 'It does not know the key of --key.' : JSON.stringify(answer)
    throw new UsageError(`The Capgo at --capgo ${url} answers ${response.status}. ${why}`)
  }
  return {
    url,
    now: Date.now,
    describe: async appId => (await ask(`/${encodeURIComponent(appId)}`)) as unknown as StoredApp,
    open: async (appId, role) => String((await ask('', { appId, ...(role === null ? {} : { role }) })).key),
    look: work => work(),
    stop: async () => {},
  }
}

/** `now` in milliseconds. */
export async function openGitHub(
  { event, state, payload, inputs, permissions }: Wishes,
  repository: TriedRepository,
  now: () => number,
): Promise<GitHub> {
  const file = state === null ? null : join(state, STATE.github)
  const saved = file !== null && existsSync(file) ? readFileSync(file, 'utf8') : null
  const told = isObject(payload.repository) ? payload.repository : {}
  const before = saved === null ? null : (JSON.parse(saved) as { name: string }).name
  const name = typeof told.full_name === 'string' ? told.full_name : (before ?? `you/${repository.name}`)
  const isJoin = event === 'issues' || inputs.operation === 'enroll'
  const usual: Permissions = isJoin
    ? parse(readFileSync(JOIN_WORKFLOW, 'utf8')).permissions
    : README_PERMISSIONS
  const server = await startGitHub({ now: () => new Date(now()) })
  const hosted = server.addRepository({
    name,
    gitDir: repository.path,
    private: true,
    defaultBranch: typeof told.default_branch === 'string' ? told.default_branch : repository.defaultBranch,
    ...(saved === null ? {} : { saved }),
  })
  return {
    url: server.url,
    resultsUrl: server.resultsUrl,
    hosted,
    token: server.addToken({
      repository: name,
      permissions: (permissions as Permissions | null) ?? usual,
    }),
    get requests() {
      return server.requests.length
    },
    stop: () => server.stop(),
  }
}
