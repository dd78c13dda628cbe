/**
 * Makes `test/contract/recorded/` from exchanges that were recorded against a real Capgo:
 * `node scripts/distill/transcripts.ts <folder of recordings>`. Of an answer only that is kept which a client relies
 * on: status, error code, the shape of the body, which headers of meaning are there. Of a request, all that the
 * server acts on. What the first answers tell of the state before is kept as `state`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  ANSWER_HEADERS,
  type Answer,
  type Exchange,
  namesOf,
  type Recorded,
  type State,
  shapeOf,
} from './recorded.ts'

const TARGET = fileURLToPath(new URL('../../test/contract/recorded/', import.meta.url))
/** Notes of requests that waited for the server's queues. */
const A_ROUND_LATER = /^some seconds later|about 10 s later/
/** Request headers that the server does not act on. */
const IDLE = new Set(['accept-encoding', 'cf-connecting-ip', 'content-length', 'user-agent', 'x-client-info'])

interface Recording {
  readonly exchanges: readonly {
    readonly host: string
    readonly method: string
    readonly path: string
    readonly note?: string
    readonly requestHeaders: Readonly<Record<string, string>>
    readonly requestBody?: unknown
    readonly status: number
    readonly responseHeaders: Readonly<Record<string, string>>
    readonly responseBody?: unknown
  }[]
}
type Raw = Recording['exchanges'][number]

function distill(recording: Recording): Recorded {
  const answered = recording.exchanges.filter(
    ({ path, status }) => path.startsWith('/rest/v1/') && status < 300,
  )
  // A stand-in for PostgREST gave functions none, and rows that were made a range.
  const telling = answered.filter(({ path, status }) => status === 201 || path.startsWith('/rest/v1/rpc/'))
  const isReal = telling.every(({ status, responseHeaders: { 'content-range': range } }) =>
    status === 201 ? range?.startsWith('*/') : range !== undefined,
  )
  const ranges = telling.length === 0 ? null : isReal
  return {
    ...(ranges === false ? { ranges } : {}),
    state: readState(recording.exchanges),
    exchanges: recording.exchanges.map(raw => distillExchange(raw, ranges)),
  }
}

function distillExchange(raw: Raw, ranges: boolean | null): Exchange {
  const headers = Object.fromEntries(Object.entries(raw.requestHeaders).filter(([name]) => !IDLE.has(name)))
  const ip = raw.requestHeaders['cf-connecting-ip']
  return {
    host: raw.host,
    method: raw.method,
    path: withoutHosts(raw.path),
    headers: ip === undefined ? headers : { ...headers, 'cf-connecting-ip': ip },
    ...(raw.requestBody === undefined || raw.requestBody === null
      ? {}
      : { body: withoutHosts(raw.requestBody) }),
    // "3 s later" and the like.
    ...(/^(\d+) s\b/.test(raw.note ?? '') ? { seconds: Number(/^\d+/.exec(raw.note!)![0]) } : {}),
    ...(A_ROUND_LATER.test(raw.note ?? '') ? { isRoundLater: true } : {}),
    answer: distillAnswer(raw, ranges),
  }
}

function distillAnswer({ path, status, responseHeaders, responseBody }: Raw, ranges: boolean | null): Answer {
  const isDatabase = path.startsWith('/rest/v1/')
  const range = isDatabase && ranges ? responseHeaders['content-range'] : undefined
  const names = isDatabase && ranges !== false ? namesOf(path, responseBody) : undefined
  const { error, code } = (responseBody ?? {}) as { error?: unknown; code?: unknown }
  const name = error ?? code
  return {
    status,
    ...(typeof name === 'string' ? { error: name } : {}),
    ...(responseBody === undefined || responseBody === null ? {} : { shape: shapeOf(responseBody) }),
    headers: ANSWER_HEADERS.filter(
      header => header in responseHeaders && (ranges !== false || !isDatabase || header !== 'content-range'),
    ),
    ...(range === undefined ? {} : { range }),
    ...(names === undefined || names.length === 0 ? {} : { names }),
  }
}

/** Addresses of the machine that recorded stand for nobody else's. */
function withoutHosts<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value).replace(/https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?/g, 'https://capgo.example.com'),
  ) as T
}

/** Channels and bundles that were there before, as far as answers before the first write tell. */
function readState(exchanges: readonly Raw[]): State {
  const channels = new Map<string, State['channels'][number]>()
  const bundles = new Map<number, State['bundles'][number]>()
  let next: number | null = null
  const objects: string[] = []
  for (const { method, path, status, responseBody } of exchanges) {
    const url = new URL(path, 'http://capgo')
    const rows = (
      status === 200 ? [responseBody].flat().filter(row => typeof row === 'object' && row !== null) : []
    ) as Row[]
    const stored = /^\/files\/read\/attachments\/(.+\/delta\/.+)$/.exec(decodeURIComponent(url.pathname))?.[1]
    if (stored !== undefined && status === 206) objects.push(stored)
    if (url.pathname === '/rest/v1/channels' && method === 'GET') {
      const asked = /^eq\.(.*)$/.exec(url.searchParams.get('name') ?? '')?.[1]
      for (const row of rows) {
        const name = row.name ?? asked
        if (name === undefined) continue
        const known = channels.get(name)
        const served = typeof row.version === 'object' ? row.version?.id : row.version
        channels.set(name, {
          name,
          id: row.id ?? known?.id ?? null,
          version: served ?? known?.version ?? null,
          public: row.public ?? known?.public ?? false,
        })
        if (typeof row.version === 'object' && row.version?.id !== undefined)
          bundles.set(row.version.id, {
            id: row.version.id,
            name: row.version.name ?? `0.0.${row.version.id}`,
          })
      }
    }
    if (url.pathname === '/bundle' && method === 'GET')
      for (const { id, name } of rows)
        if (id !== undefined && name !== undefined) bundles.set(id, { id, name })
    if (url.pathname === '/rest/v1/rpc/get_app_versions' && typeof responseBody === 'number')
      next ??= responseBody
  }
  for (const { version } of channels.values())
    if (version !== null && !bundles.has(version))
      bundles.set(version, { id: version, name: `0.0.${version}` })
  return {
    channels: [...channels.values()].sort((one, other) => (one.id ?? 1e9) - (other.id ?? 1e9)),
    bundles: [...bundles.values()]
      .filter(({ id }) => next === null || id < next)
      .sort((one, other) => one.id - other.id),
    objects,
    nextBundle: next,
  }
}

interface Row {
  readonly id?: number
  readonly name?: string
  readonly public?: boolean
  readonly version?: number | { readonly id?: number; readonly name?: string } | null
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Which folder? node scripts/distill/transcripts.ts <folder>')
rmSync(TARGET, { recursive: true, force: true })
mkdirSync(TARGET)
for (const file of readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .sort()) {
  const { exchanges, ...about } = distill(JSON.parse(readFileSync(join(folder, file), 'utf8')))
  const lines = exchanges.map(exchange => JSON.stringify(exchange)).join(',\n')
  writeFileSync(
    join(TARGET, basename(file)),
    `${JSON.stringify(about).slice(0, -1)},"exchanges":[\n${lines}\n]}\n`,
  )
}
