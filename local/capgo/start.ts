import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { createApp, prefixOf } from './app.ts'
import type { Capgo } from './context.ts'
import { runDueEffects } from './effects.ts'
import { type Fault, FaultList } from './faults.ts'
import { Limits } from './limits.ts'
import type { RecordedRequest } from './recorder.ts'
import { recordRequest } from './recorder.ts'
import { watchBody } from './request-body.ts'
import { seeders } from './seed.ts'
import { Store } from './store.ts'
import { triggers } from './triggers.ts'
import { MAX_UPLOAD } from './tus.ts'
import type { LocalCapgo, LocalCapgoOptions } from './types.ts'

/** What the database REST asks for as `apikey`: public, the same for everyone, like Capgo's. */
const ANON_KEY = 'sb_publishable_local_capgo'

/** Folders of servers that nobody stopped. */
const temporary = new Set<string>()
process.once('exit', () => {
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true })
})

/** Starts a Capgo of one's own on 127.0.0.1. */
export async function startCapgo(options: LocalCapgoOptions = {}): Promise<LocalCapgo> {
  const {
    runtime = 'workerd',
    profile = 'base',
    latencyMs = 0,
    connections = Number.POSITIVE_INFINITY,
  } = options
  const directory = options.database ?? mkdtempSync(join(tmpdir(), 'local-capgo-'))
  mkdirSync(directory, { recursive: true })
  const store = new Store({
    database: options.database,
    directory,
    profile,
    now: options.now,
    triggers,
    settle: runDueEffects,
  })
  if (!options.database) temporary.add(directory)
  const removeTemporary = () => {
    if (temporary.delete(directory)) rmSync(directory, { recursive: true, force: true })
  }

  const requests: RecordedRequest[] = []
  const faults = new FaultList()
  let url = ''
  const capgo: Capgo = {
    store,
    limits: new Limits(store.clock, options.limits ?? true),
    runtime,
    profile,
    anonKey: ANON_KEY,
    filesConfig: {
      partialUpload: runtime === 'workerd',
      partialUploadForced: false,
      maxUploadLength: MAX_UPLOAD,
      maxChunkSize: 103_809_024,
      alertUploadSize: 20_971_520,
      TUSUpload: true,
      TUSUploadForced: runtime === 'workerd',
      ...options.filesConfig,
    },
    requests,
    deleteAllAttempts: [],
    get url() {
      return url
    },
  }
  const app = createApp(capgo)

  let busy = 0
  /** PostgREST has connections of its own, and waits for them. */
  const takesConnection = ({ headers, url = '' }: IncomingMessage) =>
    headers.capgkey !== undefined && !url.includes('/rest/v1/')
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming } = env as HttpBindings
      const taken = takesConnection(incoming) ? 1 : 0
      busy += taken
      try {
        return await handle(request, env as HttpBindings, taken === 1 && busy > connections)
      } finally {
        busy -= taken
      }
    },
    { overrideGlobalObjects: false },
  )

  async function handle(request: Request, { incoming, outgoing }: HttpBindings, isShort: boolean) {
    const { record, struck } = incoming as Watched
    const cut = () => cutConnection(incoming)
    if (latencyMs > 0) await sleep(latencyMs)
    const refused = await strike(struck, 'before', record, cut)
    if (refused) return refused
    const prefix = prefixOf(new URL(request.url).pathname)
    const response = await app.fetch(request, { incoming, outgoing, record, prefix, isShort })
    const replaced = (await strike(struck, 'after', record, cut)) ?? endedEarly(struck)
    if (latencyMs > 0) await sleep(latencyMs)
    const answer = replaced ?? response
    if (!incoming.socket.destroyed) record.status = answer.status
    return answer
  }
  const server = createServer({ keepAliveTimeout: 30_000 }, (incoming, outgoing) => {
    const isPage = incoming.url === '/' || incoming.url?.startsWith('/_local/')
    const place = { n: requests.length + 1, at: new Date(store.clock.now()).toISOString() }
    const record = recordRequest(place, incoming, outgoing)
    const struck = isPage ? [] : faults.strike(record)
    // The page's own polling is not part of the story.
    if (!isPage) requests.push(record)
    watchBody(
      record,
      incoming,
      struck.find(fault => fault.at === 'middle'),
      () => cutConnection(incoming),
    )
    Object.assign(incoming, { record, struck })
    listener(incoming, outgoing)
  })
  // A killed client is an ordinary event here.
  server.on('clientError', (_error, socket) => socket.destroy())

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port ?? 0, '127.0.0.1', resolve)
    })
  } catch (error) {
    store.close()
    removeTemporary()
    throw error
  }
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    clock: store.clock,
    requests,
    deleteAllAttempts: capgo.deleteAllAttempts,
    faults,
    store,
    anonKey: ANON_KEY,
    ...seeders(store),
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      store.close()
      removeTemporary()
    },
  }
}

type Watched = IncomingMessage & { record: RecordedRequest; struck: Fault[] }

/** The request's: a response has no socket while the one before it is not written out. */
const cutConnection = (incoming: IncomingMessage) => incoming.socket.destroy()

/** Lets the faults of one moment happen; an answer replaces what the server would say. */
async function strike(
  struck: Fault[],
  at: Fault['at'],
  record: RecordedRequest,
  cut: () => void,
): Promise<Response | undefined> {
  for (const fault of struck.filter(one => one.at === at)) {
    const action = fault.do
    if (typeof action === 'function') {
      try {
        await action(record)
      } catch {
        cut()
        return gone()
      }
    } else if (action === 'drop') {
      cut()
      return gone()
    } else if ('stallMs' in action) await sleep(action.stallMs)
    else {
      record.status = action.status
      return faultAnswer(action)
    }
  }
  return undefined
}

/** The answer of a fault that let the body end early. */
function endedEarly(struck: Fault[]): Response | undefined {
  const fault = struck.find(one => one.at === 'middle')
  if (!fault || typeof fault.do !== 'object' || !('status' in fault.do)) return undefined
  const answer = faultAnswer(fault.do)
  answer.headers.set('Connection', 'close')
  return answer
}

function faultAnswer(action: { status: number; headers?: Record<string, string>; body?: unknown }): Response {
  const isText = typeof action.body === 'string'
  const body =
    action.body === undefined ? null : isText ? (action.body as string) : JSON.stringify(action.body)
  const type =
    body === null ? {} : { 'Content-Type': isText ? 'text/plain; charset=UTF-8' : 'application/json' }
  return new Response(body, { status: action.status, headers: { ...type, ...action.headers } })
}

// Nobody hears it: the connection is cut.
const gone = () => new Response(null, { status: 499 })
