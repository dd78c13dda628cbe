/** The local Capgo answers as a real one did: see `recorded.ts`, and `scripts/distill/transcripts.ts` that made them. */
import { readdirSync, readFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { MANIFEST_ROWS_MS } from '../../local/capgo/bundle-triggers.ts'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import {
  ANSWER_HEADERS,
  compareShapes,
  type Exchange,
  namesOf,
  type Recorded,
  shapeOf,
} from '../../scripts/distill/recorded.ts'
import { CHANGES, NOT_REPLAYED, SEEDS } from './seeds.ts'
import { seedApp, seedState } from './world.ts'

const FOLDER = join(import.meta.dirname, 'recorded')
const count = { replayed: 0, left: 0, injected: 0 }

it.each(readdirSync(FOLDER).map(file => file.replace('.json', '')))('%s', async name => {
  const reasons = NOT_REPLAYED[name] ?? {}
  if (typeof reasons === 'string') return
  const recorded = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded
  const { state, exchanges } = recorded
  const capgo = await startCapgo({ now: Date.parse('2026-11-23T11:03:30Z') })
  try {
    const keys = seedApp(capgo)
    const seed = SEEDS[name]
    if (seed === undefined) seedState(capgo, state)
    else seed(capgo, keys, state)
    const found = await replay(capgo, keys, recorded, CHANGES[name] ?? {})
    const expected = Object.keys(reasons).map(Number)
    const wrong = found.flatMap(({ problems }, index) => (problems.length > 0 ? [index] : []))
    const unexplained = wrong
      .filter(index => !expected.includes(index))
      .map(index => describe(exchanges, found, index))
    expect(unexplained, 'answered as the real one did').toEqual([])
    expect(
      expected.filter(index => !wrong.includes(index)),
      'NOT_REPLAYED names what is replayed well',
    ).toEqual([])
    count.replayed += exchanges.filter(exchange => !isInjected(exchange)).length - wrong.length
    count.left += wrong.length
  } finally {
    await capgo.stop()
  }
})

afterAll(() =>
  console.log(
    `${count.replayed} exchanges answered as recorded, ${count.left} left out (seeds.ts says why), ${count.injected} faults skipped`,
  ),
)

/** A fault that the recording itself put in the way: the request never got to the server. */
function isInjected({ host, answer: { status, error } }: Exchange): boolean {
  return error === 'lab_fault' || error === 'upload_retryable' || (host === 's3' && status === 500)
}

interface Found {
  readonly status: number
  readonly text: string
  readonly problems: readonly string[]
}

async function replay(
  capgo: LocalCapgo,
  keys: Readonly<Record<string, string>>,
  { exchanges, ranges }: Recorded,
  changes: Readonly<Record<number, (capgo: LocalCapgo) => void>>,
): Promise<Found[]> {
  const known = (text: string) =>
    text
      .replace(/CAPGO_KEY(_APP_[A-Z]+)?/g, name => keys[name] ?? name)
      .replaceAll('SUPABASE_ANON_KEY', capgo.anonKey)
  const found: Found[] = []
  /** Where the zip goes that an upload link was asked for. */
  let presigned = ''
  for (const [index, exchange] of exchanges.entries()) {
    changes[index]?.(capgo)
    if (isInjected(exchange)) {
      found.push({ status: 0, text: '', problems: [] })
      count.injected++
      continue
    }
    // They count from the first one on.
    if (exchange.seconds) capgo.clock.advance(1000)
    if (exchange.isRoundLater) capgo.clock.advance(MANIFEST_ROWS_MS)
    const path = exchange.host === 's3' ? presigned.replace(capgo.url, '') : exchange.path
    const answer = await send(capgo.url + path, exchange, known)
    const body = parse(answer.text)
    if (exchange.path === '/files/upload_link')
      presigned = String((body as { url?: string } | null)?.url ?? '')
    found.push({ ...answer, problems: compare(exchange, answer, body, ranges !== false) })
  }
  return found
}

function compare(
  { path, answer }: Exchange,
  found: { status: number; headers: Readonly<Record<string, unknown>> },
  body: unknown,
  ranges: boolean,
): string[] {
  const { error, code } = (body ?? {}) as { error?: string; code?: string }
  const name = error ?? code
  const isCompared = (header: string) => ranges || header !== 'content-range' || !path.startsWith('/rest/v1/')
  const headers = ANSWER_HEADERS.filter(
    header => isCompared(header) && header in found.headers !== answer.headers.includes(header),
  )
  const range = found.headers['content-range']
  const names = namesOf(path, body)
  return [
    ...(found.status === answer.status ? [] : [`status ${found.status} instead of ${answer.status}`]),
    ...(name === answer.error ? [] : [`error ${name} instead of ${answer.error}`]),
    ...headers.map(header => `header ${header} is ${header in found.headers ? 'too much' : 'missing'}`),
    ...(answer.range === undefined || answer.range === range
      ? []
      : [`range ${range} instead of ${answer.range}`]),
    ...(answer.names === undefined || isDeepStrictEqual(answer.names, names)
      ? []
      : [`names ${names} instead of ${answer.names}`]),
    ...(answer.shape === undefined ? [] : compareShapes(answer.shape, shapeOf(body))),
  ]
}

function send(url: string, { method, headers, body }: Exchange, known: (text: string) => string) {
  const bytes = body === undefined ? null : bytesOf(body, known)
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const call = request(url, {
      method,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, known(value)])),
        ...(bytes === null ? {} : { 'content-length': bytes.length }),
      },
    })
    call.on('error', reject)
    call.on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    call.end(bytes ?? undefined)
  })
}

function bytesOf(body: unknown, known: (text: string) => string): Buffer {
  const { $binary: size, text } = body as { $binary?: number; text?: string }
  if (size === undefined) return Buffer.from(known(JSON.stringify(body)))
  // Only its length is known.
  const given = Buffer.from(text ?? '')
  return given.length === size ? given : Buffer.alloc(size, 80)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function describe(exchanges: readonly Exchange[], found: readonly Found[], index: number): string {
  const { method, path } = exchanges[index]!
  return `#${index} ${method} ${decodeURIComponent(path).slice(0, 140)}: ${found[index]!.problems.join('; ')} | ${found[index]!.text.slice(0, 160)}`
}
