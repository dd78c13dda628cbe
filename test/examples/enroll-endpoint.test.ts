/**
 * The endpoint of examples/enroll-endpoint on both of its runtimes, in front of the local Capgo: one table of requests
 * and answers, which is the example's answers.md too.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { parse as parseJsonc } from 'jsonc-parser'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings } from '../../examples/enroll-endpoint/src/settings.ts'
import { startTestCapgo, type TestCapgo } from '../../local/app.ts'
import type { SeedKey } from '../../local/capgo/seed.ts'
import { type Endpoint, type Environment, EXAMPLE, startNode } from './enroll-endpoint.ts'

const TOKEN = 'the-token-of-these-testers'
const APP_ORIGIN = 'capacitor://localhost'
const NOW = Date.UTC(2026, 10, 26, 12)

const worker = build({
  entryPoints: [join(EXAMPLE, 'src/worker.ts')],
  bundle: true,
  format: 'esm',
  target: 'es2024',
  write: false,
}).then(({ outputFiles }) => outputFiles[0]!.text)

/** The worker as `wrangler deploy` sends it: bundled, with the compatibility date of wrangler.jsonc. */
async function startWorker(environment: Environment): Promise<Endpoint> {
  const { compatibility_date } = parseJsonc(readFileSync(join(EXAMPLE, 'wrangler.jsonc'), 'utf8'))
  const miniflare = new Miniflare({
    modules: true,
    script: await worker,
    bindings: environment,
    compatibilityDate: compatibility_date,
    host: '127.0.0.1',
    port: 0,
  })
  const url = (await miniflare.ready).origin
  return { url, stop: () => miniflare.dispose() }
}

/** The login of an app: who a token belongs to. */
async function startLogin(): Promise<{ url: string; server: Server }> {
  const people: Readonly<Record<string, object | null>> = {
    'token-of-iris': { sub: 'user-1', email: 'iris@example.com', email_verified: true },
    'token-of-jon': { sub: 'user-2', email: 'jon@example.com', email_verified: true },
    'token-of-nobody': null,
    'token-of-mallory': { sub: 'user-3', email: 'iris@example.com', email_verified: false },
  }
  const server = createServer((request, response) => {
    const person = people[(request.headers.authorization ?? '').replace('Bearer ', '')]
    response.writeHead(person === undefined ? 401 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(person ?? null))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/userinfo`, server }
}

interface Row {
  readonly title: string
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'OPTIONS'
  readonly path?: string
  /** Sent as it is where it is a text; the device's id is added to an object. */
  readonly body?: Readonly<Record<string, unknown>> | string | readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly id?: string
  readonly given?: (capgo: TestCapgo, device: string) => unknown
  /** HTTP status and error code, or the channel that a good answer names. */
  readonly answers: readonly [status: number, codeOrChannel: string | null]
  /** Seconds of `Retry-After`, at least and at most. */
  readonly waits?: readonly [number, number]
  /** The device's channel in Capgo afterwards. */
  readonly leaves?: string | null
  readonly check?: (capgo: TestCapgo, device: string, asked: number) => void
}

/** The settings of an endpoint. */
interface World {
  readonly title: string
  readonly key?: Omit<SeedKey, 'appId' | 'role'> & { readonly role?: SeedKey['role'] }
  readonly environment?: Environment
  readonly rows: readonly Row[]
}

const json = { 'content-type': 'application/json' }
const pin = (channel: string) => (capgo: TestCapgo, deviceId: string) =>
  capgo.server.seedOverride({ appId: capgo.appId, deviceId, channel })
const see = (capgo: TestCapgo, deviceId: string) =>
  capgo.server.seedDevice({ appId: capgo.appId, deviceId, platform: 'android', versionBuild: '2.1.0' })
const answerWith =
  (path: string, answer: object, method = 'POST') =>
  (capgo: TestCapgo) =>
    capgo.server.faults.add({ match: { method, path }, do: answer as { status: number } })
const overrideOf = ({ server, appId }: TestCapgo, device: string) => {
  const row = server.store.find('channel_devices', { app_id: appId, device_id: device })
  return row ? server.store.find('channels', { id: row.channel_id })!.name : null
}
const callsOf = ({ requests }: TestCapgo) => requests.filter(({ path }) => path.startsWith('/device')).length

const OPEN: Row[] = [
  { title: 'join', body: { channel: 'beta' }, answers: [200, 'beta'], leaves: 'beta' },
  {
    title: 'join again: renewed, without a gap',
    body: { channel: 'beta' },
    given: (capgo, device) => {
      pin('beta')(capgo, device)
      capgo.server.clock.advance(60_000)
    },
    answers: [200, 'beta'],
    leaves: 'beta',
    check: ({ server, appId }, device) =>
      expect(
        Date.parse(server.store.find('channel_devices', { app_id: appId, device_id: device })!.updated_at),
      ).toBe(server.clock.now()),
  },
  {
    title: 'join again, and the team moves the device meanwhile',
    body: { channel: 'beta' },
    given: (capgo, device) => {
      pin('beta')(capgo, device)
      capgo.server.faults.add({
        match: { method: 'PATCH' },
        do: () => {
          const { store } = capgo.server
          const row = store.find('channel_devices', { app_id: capgo.appId, device_id: device })!
          const preview = store.find('channels', { app_id: capgo.appId, name: 'preview-12' })!
          store.update('channel_devices', row, { channel_id: preview.id })
        },
      })
    },
    answers: [409, 'on_another_channel'],
    leaves: 'preview-12',
  },
  {
    title: 'join, id in upper case',
    id: 'upper',
    body: { channel: 'beta' },
    answers: [200, 'beta'],
    leaves: 'beta',
  },
  { title: 'leave', method: 'DELETE', given: pin('beta'), answers: [200, null], leaves: null },
  {
    title: "leave as Capgo's guide has it",
    body: { channel: null },
    given: pin('beta'),
    answers: [200, null],
    leaves: null,
  },
  { title: 'leave, never joined', method: 'DELETE', answers: [200, null], leaves: null },
  {
    title: 'look',
    method: 'GET',
    given: (capgo, device) => {
      see(capgo, device)
      pin('beta')(capgo, device)
    },
    answers: [200, 'beta'],
  },
  { title: 'look, Capgo never saw the device', method: 'GET', given: pin('beta'), answers: [200, 'beta'] },
  { title: 'look, not joined', method: 'GET', given: see, answers: [200, null] },

  {
    title: 'no token',
    body: { channel: 'beta' },
    headers: { authorization: '' },
    answers: [401, 'wrong_token'],
  },
  {
    title: 'wrong token',
    body: { channel: 'beta' },
    headers: { authorization: `Bearer ${TOKEN}x` },
    answers: [401, 'wrong_token'],
    leaves: null,
  },
  {
    title: 'foreign origin',
    body: { channel: 'beta' },
    headers: { origin: 'https://evil.example' },
    answers: [403, 'origin_not_allowed'],
    leaves: null,
  },
  {
    title: 'foreign origin asks first',
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST', authorization: '' },
    answers: [403, 'origin_not_allowed'],
  },
  {
    title: "the app's origin asks first",
    method: 'OPTIONS',
    headers: { origin: APP_ORIGIN, 'access-control-request-method': 'POST', authorization: '' },
    answers: [204, null],
  },
  {
    title: "the app's origin",
    body: { channel: 'beta' },
    headers: { origin: APP_ORIGIN },
    answers: [200, 'beta'],
    leaves: 'beta',
  },

  { title: 'unknown channel', body: { channel: 'ghost' }, answers: [404, 'unknown_channel'], leaves: null },
  {
    title: 'public channel',
    body: { channel: 'production' },
    answers: [409, 'public_channel'],
    leaves: null,
  },
  {
    title: 'a channel that is not in CHANNELS',
    body: { channel: 'preview-12' },
    answers: [403, 'channel_not_allowed'],
    leaves: null,
  },
  {
    title: 'the team has the device on another channel',
    body: { channel: 'beta' },
    given: pin('preview-12'),
    answers: [409, 'on_another_channel'],
    leaves: 'preview-12',
  },
  {
    title: 'leave, the team has the device on another channel',
    method: 'DELETE',
    given: pin('preview-12'),
    answers: [409, 'on_another_channel'],
    leaves: 'preview-12',
  },
  { title: 'version_id', body: { version_id: '1.2.3' }, answers: [400, 'version_id_gone'], leaves: null },

  { title: 'no channel', body: {}, answers: [400, 'missing_channel'] },
  { title: 'a number as the channel', body: { channel: 7 }, answers: [400, 'missing_channel'] },
  {
    title: 'another key',
    body: { channel: 'beta', app_id: 'com.example.other' },
    answers: [400, 'unknown_key'],
    leaves: null,
  },
  { title: 'not an id', id: 'device_456', body: { channel: 'beta' }, answers: [400, 'invalid_device_id'] },
  { title: 'look at nothing', method: 'GET', path: '/device', answers: [400, 'invalid_device_id'] },
  {
    title: 'a filter as the id',
    method: 'DELETE',
    path: '/device?device_id=eq.1%26app_id%3Deq.x',
    answers: [400, 'invalid_device_id'],
  },
  { title: 'not JSON', body: '{"device_id":', headers: json, answers: [400, 'invalid_json'] },
  { title: 'a list', body: '[]', headers: json, answers: [400, 'invalid_json'] },
  { title: 'empty body', body: '', headers: json, answers: [400, 'invalid_json'] },
  {
    title: 'a form',
    body: 'channel=beta',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    answers: [415, 'not_json'],
  },
  { title: 'too large', body: { channel: 'b'.repeat(2_000) }, answers: [413, 'too_large'] },
  {
    title: 'too large, sent in pieces',
    body: Array.from({ length: 40 }, () => ' '.repeat(100)),
    headers: json,
    answers: [413, 'too_large'],
  },
  {
    title: 'a key of every object',
    body: '{"__proto__":{"channel":"beta"},"device_id":"0a1b2c3d-0000-4000-8000-000000009999"}',
    headers: json,
    answers: [400, 'unknown_key'],
  },
  {
    title: 'a channel that every object has',
    body: { channel: 'constructor' },
    answers: [403, 'channel_not_allowed'],
  },
  { title: 'a text', body: 'x', headers: { 'content-type': 'text/plain' }, answers: [415, 'not_json'] },
  {
    title: 'the token in the address',
    method: 'GET',
    path: `/device?token=${TOKEN}`,
    headers: { authorization: '' },
    answers: [401, 'wrong_token'],
  },
  {
    title: 'a page without an origin',
    body: { channel: 'beta' },
    headers: { origin: 'null' },
    answers: [403, 'origin_not_allowed'],
    leaves: null,
  },
  { title: 'another path', path: '/', method: 'GET', answers: [404, 'not_found'] },
  { title: 'another method', method: 'PUT', answers: [404, 'not_found'] },

  {
    title: 'Capgo: too many requests',
    body: { channel: 'beta' },
    given: async (capgo, device) => {
      for (const [method, channel] of [
        ['POST', { channel: 'beta' }],
        ['DELETE', {}],
      ] as const)
        await fetch(`${capgo.url}/device`, {
          method,
          headers: { capgkey: capgo.token, ...json },
          body: JSON.stringify({ app_id: capgo.appId, device_id: device, ...channel }),
        })
      capgo.server.clock.advance(18_000)
    },
    answers: [429, 'too_many_requests'],
    leaves: null,
  },
  {
    title: 'Capgo: too many requests, until a date',
    body: { channel: 'beta' },
    given: capgo =>
      answerWith('/device', {
        status: 429,
        headers: { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() },
        body: {},
      })(capgo),
    answers: [429, 'too_many_requests'],
    waits: [3_598, 3_601],
    leaves: null,
  },
  {
    title: 'Capgo: too many requests of the database',
    body: { channel: 'beta' },
    given: answerWith(
      '/rest/v1/channel_devices',
      { status: 429, headers: { 'Retry-After': '7' }, body: {} },
      'GET',
    ),
    answers: [429, 'too_many_requests'],
    waits: [7, 7],
    leaves: null,
  },
  {
    title: 'Capgo: an error with HTTP 200',
    method: 'GET',
    given: answerWith('/device', { status: 200, body: { error: 'odd', message: 'Odd' } }, 'GET'),
    answers: [502, 'capgo_failed'],
  },
  {
    title: 'Capgo: a page of HTML',
    method: 'GET',
    given: answerWith('/device', { status: 200, body: '<h1>Welcome</h1>' }, 'GET'),
    answers: [502, 'capgo_failed'],
  },
  {
    title: 'Capgo: out of order',
    body: { channel: 'beta' },
    given: answerWith('/device', { status: 503, body: 'upstream' }),
    answers: [502, 'capgo_failed'],
    leaves: null,
  },
  {
    title: 'Capgo: cuts the connection',
    body: { channel: 'beta' },
    given: capgo => capgo.server.faults.add({ match: { method: 'POST', path: '/device' }, do: 'drop' }),
    answers: [502, 'capgo_unreachable'],
    leaves: null,
  },
  {
    title: 'Capgo: sends elsewhere',
    method: 'GET',
    given: capgo =>
      answerWith('/device', { status: 302, headers: { location: `${capgo.url}/elsewhere` } }, 'GET')(capgo),
    answers: [502, 'capgo_failed'],
    check: ({ requests }) => expect(requests.filter(({ path }) => path === '/elsewhere')).toEqual([]),
  },
  {
    title: 'Capgo: "ok", and nothing happens',
    body: { channel: 'beta' },
    given: answerWith('/device', { status: 200, body: { status: 'ok' } }),
    answers: [502, 'not_applied'],
    leaves: null,
  },
]

const join2 = { body: { channel: 'beta' } } as const
const WORLDS: readonly World[] = [
  { title: 'a token', rows: OPEN },
  {
    title: 'nothing set: closed',
    environment: { ENROLL_TOKEN: '' },
    rows: [{ title: 'join', ...join2, answers: [403, 'closed'], leaves: null }],
  },
  {
    title: 'app users',
    rows: [
      {
        title: 'a tester, by id',
        ...join2,
        headers: { authorization: 'Bearer token-of-jon' },
        answers: [200, 'beta'],
      },
      {
        title: 'a tester, by verified address',
        ...join2,
        headers: { authorization: 'Bearer token-of-iris' },
        answers: [200, 'beta'],
      },
      {
        title: "a tester's address, not verified",
        ...join2,
        headers: { authorization: 'Bearer token-of-mallory' },
        answers: [403, 'not_a_tester'],
        leaves: null,
      },
      {
        title: 'the login answers null',
        ...join2,
        headers: { authorization: 'Bearer token-of-nobody' },
        answers: [403, 'not_a_tester'],
        leaves: null,
      },
      { title: 'not signed in', ...join2, answers: [401, 'not_signed_in'], leaves: null },
    ],
  },
  {
    title: 'the login is away',
    environment: { APP_USERS: 'user-1', USERINFO_URL: 'http://127.0.0.1:9/userinfo' },
    rows: [{ title: 'join', ...join2, answers: [502, 'login_unreachable'], leaves: null }],
  },
  {
    title: 'Capgo: a database without https',
    rows: [
      {
        title: 'join: the key does not go there',
        ...join2,
        given: answerWith(
          '/private/config',
          { status: 200, body: { supaHost: 'http://elsewhere.example', supaKey: 'key' } },
          'GET',
        ),
        answers: [502, 'capgo_failed'],
        leaves: null,
      },
    ],
  },
  {
    title: 'a wrong Capgo key',
    environment: { CAPGO_KEY: '00000000-0000-4000-8000-000000000000' },
    rows: [
      {
        title: 'join',
        ...join2,
        answers: [502, 'key_refused'],
        check: (_capgo, _device, asked) => expect(asked).toBe(1),
      },
      {
        title: 'join again: Capgo is not asked',
        ...join2,
        answers: [502, 'key_refused'],
        check: (_capgo, _device, asked) => expect(asked).toBe(0),
      },
    ],
  },
  {
    title: 'a key without channel.manage_forced_devices',
    key: { role: 'app_developer', without: ['channel.manage_forced_devices'] },
    rows: [
      { title: 'join', ...join2, answers: [502, 'key_permission'], leaves: null },
      {
        title: 'join again',
        ...join2,
        given: pin('beta'),
        answers: [502, 'key_permission'],
      },
      {
        title: 'leave: Capgo answers "ok", and nothing happens',
        method: 'DELETE',
        given: pin('beta'),
        answers: [502, 'key_permission'],
        leaves: 'beta',
      },
    ],
  },
  {
    title: 'a key of the role app_preview',
    key: { role: 'app_preview' },
    rows: [
      { title: 'look', method: 'GET', answers: [502, 'key_permission'] },
      {
        title: 'leave',
        method: 'DELETE',
        given: pin('beta'),
        answers: [502, 'key_permission'],
        leaves: 'beta',
      },
    ],
  },
]

const deviceOf = (world: number, row: number) =>
  `0a1b2c3d-0000-4000-8000-${String(world).padStart(4, '0')}${String(row).padStart(8, '0')}`

async function ask(url: string, row: Row, device: string): Promise<Response> {
  const { method = 'POST', id = device, body, headers } = row
  const shownId = id === 'upper' ? device.toUpperCase() : id
  const isPosted = method === 'POST'
  const path = row.path ?? (isPosted || method === 'OPTIONS' ? '/device' : `/device?device_id=${shownId}`)
  const { authorization = `Bearer ${TOKEN}`, ...others } = headers ?? {}
  const isPieces = Array.isArray(body)
  const content = isPieces
    ? ReadableStream.from((body as string[]).map(piece => new TextEncoder().encode(piece)))
    : typeof body === 'string'
      ? body
      : JSON.stringify({ device_id: shownId, ...body })
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(authorization === '' ? {} : { authorization }),
      ...(isPosted && typeof body === 'object' && !isPieces ? json : {}),
      ...others,
    },
    ...(isPosted ? { body: content, duplex: 'half' } : {}),
  })
}

const SHOWN_HEADERS = [
  'retry-after',
  'www-authenticate',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-expose-headers',
]

/** A line of answers.md. */
async function describeAnswer(row: Row, response: Response, text: string, device: string): Promise<string> {
  const seconds = row.waits?.[0] === row.waits?.[1] ? null : response.headers.get('retry-after')
  const short = (words: string) =>
    words.replaceAll(new RegExp(device, 'gi'), 'ID').replaceAll(seconds ?? 'SECONDS', 'SECONDS')
  const body =
    typeof row.body === 'string' || row.body === undefined
      ? ''
      : Array.isArray(row.body)
        ? '40 × 100 spaces'
        : JSON.stringify({ device_id: row.id === 'upper' ? 'ID' : (row.id ?? 'ID'), ...row.body })
  const sent = typeof row.body === 'string' ? row.body : body.replace(/b{20,}/, 'b × 2000')
  const request = `${row.method ?? 'POST'} ${short(row.path ?? (row.method && row.method !== 'OPTIONS' && row.method !== 'POST' ? `/device?device_id=${row.id ?? 'ID'}` : '/device'))} ${sent}`
  const isAsked = (name: string) => row.headers?.origin !== undefined || !name.startsWith('access-control')
  const headers = SHOWN_HEADERS.filter(name => isAsked(name) && response.headers.has(name)).map(name =>
    short(`${name}: ${response.headers.get(name)}`),
  )
  const code = (words: string) => `\`${words.trim().replaceAll('|', '\\|')}\``
  return `| ${row.title} | ${code(request)} | ${[String(response.status), ...headers.map(code), text === '' ? '' : code(short(text))].filter(Boolean).join('<br>')} |`
}

const answered: Record<string, string[]> = { Node: [], Workers: [] }

describe.each([
  ['Node', startNode],
  ['Workers', startWorker],
] as const)('on %s', (runtime, start) => {
  let login: Awaited<ReturnType<typeof startLogin>>
  beforeAll(async () => {
    login = await startLogin()
  })
  afterAll(() => void login.server.close())

  describe.each(WORLDS.map((world, index) => ({ ...world, index })))('$title', world => {
    let capgo: TestCapgo
    let endpoint: Endpoint

    beforeAll(async () => {
      capgo = await startTestCapgo({
        now: NOW,
        channels: [{ name: 'production', public: true }, 'beta', 'preview-12'],
        ...(world.key === undefined ? {} : { role: world.key.role ?? 'app_developer', key: world.key }),
      })
      const environment = {
        CAPGO_KEY: capgo.token,
        CAPGO_URL: capgo.url,
        APP_ID: capgo.appId,
        CHANNELS: 'beta, ghost, production',
        ORIGINS: `${APP_ORIGIN}, https://localhost`,
        ...(world.title === 'app users'
          ? { APP_USERS: 'iris@example.com, user-2', USERINFO_URL: login.url }
          : { ENROLL_TOKEN: TOKEN }),
        ...world.environment,
      }
      endpoint = await start(environment)
      answered[runtime]!.push(`\n## ${world.title}\n\n| case | request | answer |\n|---|---|---|`)
    })
    afterAll(async () => {
      await endpoint.stop()
      await capgo.stop()
    })

    it.each(world.rows.map((row, number) => ({ ...row, number })))('$title', async row => {
      const device = deviceOf(world.index, row.number)
      capgo.server.faults.clear()
      capgo.server.clock.advance(2_000)
      await row.given?.(capgo, device)
      const before = callsOf(capgo)
      const response = await ask(endpoint.url, row, device)
      const text = await response.text()
      const [status, code] = row.answers
      expect([response.status, text]).toEqual([status, expect.anything()])
      const body = text === '' ? {} : JSON.parse(text)
      if (status === 200) expect(body).toMatchObject({ device_id: device, channel: code })
      else if (status !== 204) expect(body).toEqual({ error: code, message: expect.stringMatching(/\.$/) })
      expect(text).not.toContain(capgo.token)
      if (row.leaves !== undefined) expect(overrideOf(capgo, device)).toBe(row.leaves)
      if (row.waits !== undefined) {
        const seconds = Number(response.headers.get('retry-after'))
        expect([seconds >= row.waits[0], seconds <= row.waits[1]]).toEqual([true, true])
      }
      row.check?.(capgo, device, callsOf(capgo) - before)
      answered[runtime]!.push(await describeAnswer(row, response, text, device))
    })
  })
})

const WRONG = {
  ENROLL_TOKEN: 'short',
  ORIGINS: '* null https://a.example/',
  CAPGO_URL: 'http://capgo.example',
}

describe('with wrong settings', () => {
  it('Node names every mistake and ends', async () => {
    const child = spawn(process.execPath, ['src/node.ts'], {
      cwd: EXAMPLE,
      env: { PATH: process.env.PATH, ...WRONG },
    })
    let said = ''
    child.stderr.on('data', data => {
      said += data
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(said.trim().split('\n')).toEqual([
      'CAPGO_KEY is missing: an API key of Capgo, as a secret.',
      'CAPGO_URL must be an https address, not "http://capgo.example".',
      'APP_ID is missing: the app id, such as com.example.app.',
      'CHANNELS is missing: the channels that testers can join.',
      'ORIGINS must have origins such as https://localhost, in lower case and without a path, not "*".',
      'ORIGINS must have origins such as https://localhost, in lower case and without a path, not "null".',
      'ORIGINS must have origins such as https://localhost, in lower case and without a path, not "https://a.example/".',
      'ENROLL_TOKEN must have at least 20 characters.',
    ])
  })

  it('a channel has spaces in its name where it has them in Capgo', () => {
    const { channels } = readSettings({
      CAPGO_KEY: 'key',
      APP_ID: 'com.example.app',
      CHANNELS: 'beta, Early birds ,',
    })
    expect(channels).toEqual(['beta', 'Early birds'])
  })

  it('a worker answers that it is not configured, and names nothing', async () => {
    const endpoint = await startWorker(WRONG)
    const response = await fetch(`${endpoint.url}/device`, { method: 'POST' })
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'not_configured', message: 'The endpoint is not configured. Its log has the reason.' },
    ])
    await endpoint.stop()
  })
})

it('answers the same on both, as answers.md says', async () => {
  const head = `# Requests and answers

What the endpoint answered on Node and on Cloudflare Workers, word for word the same. Written by its test.
`
  const table = (runtime: string) => `${head}${answered[runtime]!.join('\n')}\n`
  expect(table('Workers')).toBe(table('Node'))
  await expect(table('Workers')).toMatchFileSnapshot(join(EXAMPLE, 'answers.md'))
})
