/**
 * Every code that a run can end with has a heading in docs/troubleshooting.md (docs.test.ts) and is named by a test that
 * provokes it. Those that need something rare are provoked here.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { FaultInput } from '../../local/capgo/faults.ts'
import { type LocalCapgo, type LocalCapgoOptions, startCapgo } from '../../local/capgo/index.ts'
import type { SeedApp } from '../../local/capgo/seed.ts'
import { startGitHub } from '../../local/github/index.ts'
import { createRepository } from '../../local/repository.ts'
import { workflowRunEvent } from '../../local/runner/event.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { checkSize } from '../../src/bundle/web-problems.ts'
import { refusal } from '../../src/capgo/errors.ts'
import { connectGitHub } from '../../src/github/client.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { runHere, type ShortRunOptions } from '../integration/in-process.ts'

const ROOT = join(import.meta.dirname, '../..')
const APP_ID = 'com.example.app'
const { privateKey, publicKey } = createKeyPair()
const createApp = (updater: object) =>
  createRepository({
    files: {
      'capacitor.config.json': JSON.stringify({
        appId: APP_ID,
        webDir: 'www',
        plugins: { CapacitorUpdater: updater },
      }),
      'package.json': JSON.stringify({ name: 'tiny', version: '1.2.0' }),
      'www/index.html': '<script src="app.js"></script>',
      'www/app.js': 'CapacitorUpdater.notifyAppReady()',
    },
  })
const repo = createApp({})
const encrypted = createApp({ publicKey })
afterAll(() => {
  repo.remove()
  encrypted.remove()
})

it('every code of docs/troubleshooting.md is named in a test', () => {
  const page = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8')
  const codes = [...page.matchAll(/^### ([a-z0-9_]+)$/gm)].map(([, code]) => code!)
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => readFileSync(join(ROOT, 'test', file), 'utf8'))
    .join('\n')
  const isNamed = (code: string) =>
    new RegExp(`(?<![a-z0-9_])${code.replace(/_status$/, '_\\d{3}')}(?![a-z0-9_])`).test(tests)
  expect(codes.length).toBeGreaterThan(100)
  expect(codes.filter(code => code !== 'capgo_code' && !isNamed(code))).toEqual([])
})

interface Case {
  readonly fault?: FaultInput
  /** What somebody else does at the moment of this request, or what is there before. */
  readonly prepare?: (capgo: LocalCapgo) => void
  readonly app?: Partial<SeedApp>
  readonly server?: LocalCapgoOptions
  readonly inputs?: Readonly<Record<string, string>>
  readonly options?: Partial<ShortRunOptions>
}

const always = Number.POSITIVE_INFINITY
const UPLOAD = /\/files\/upload\/attachments/
const answers = (
  method: string,
  path: RegExp,
  status: number,
  headers: Record<string, string> = {},
): FaultInput => ({ match: { method, path }, times: always, do: { status, headers, body: {} } })

/** Somebody changes the store right before, or after, the first request of this kind. */
const meanwhile =
  (method: string, path: RegExp, at: 'before' | 'after', change: (capgo: LocalCapgo) => void) =>
  (capgo: LocalCapgo): void => {
    capgo.seedChannel({ appId: APP_ID, name: 'production', public: true })
    capgo.seedBundle({ appId: APP_ID, name: '1.0.0', bytes: Buffer.from('theirs'), comment: null })
    capgo.faults.add({ match: { method, path }, at, times: always, do: () => change(capgo) })
  }

const ownBundle = (capgo: LocalCapgo) =>
  capgo.store.list('app_versions', { app_id: APP_ID }).find(({ name }) => name.startsWith('1.2'))!

const CASES: Readonly<Record<string, Case>> = {
  not_capgo: { fault: answers('GET', /\/private\/config/, 404) },
  no_files_service: { fault: answers('GET', /\/files\/config/, 404) },
  github_token_missing: {
    options: {
      event: workflowRunEvent({
        sha: repo.head,
        headSha: repo.head,
        headBranch: 'x',
        event: 'pull_request',
      }),
    },
  },
  minimum_native_unknown: {
    prepare: capgo =>
      void capgo.seedChannel({ appId: APP_ID, name: 'production', disable_auto_update: 'version_number' }),
  },
  // Each name that it makes is another run's at once.
  no_free_name: {
    prepare: capgo => {
      const create = { method: 'POST', path: /\/rest\/v1\/app_versions/ }
      const take = () => {
        const [newest] = capgo.store.list('app_versions', { app_id: APP_ID }, 'ORDER BY id DESC')
        capgo.store.update('app_versions', newest!, { checksum: 'f'.repeat(64), storage_provider: 'r2' })
      }
      capgo.faults.add({ match: create, at: 'after', times: always, do: take })
      const taken = { status: 409, body: { code: '23505', message: 'duplicate key value' } }
      capgo.faults.add({ match: create, at: 'after', times: always, do: taken })
    },
  },
  bundle_too_large: { server: { filesConfig: { maxUploadLength: 10 } } },
  upload_lost: {
    fault: { match: { method: 'PATCH', path: UPLOAD }, times: always, do: 'drop' },
    server: { filesConfig: { maxChunkSize: 100 } },
  },
  upload_elsewhere: {
    fault: answers('POST', UPLOAD, 201, {
      location: 'https://elsewhere.example/files/1',
      'upload-offset': '0',
    }),
    server: { filesConfig: { maxChunkSize: 100 } },
  },
  stored_differs: { fault: answers('POST', UPLOAD, 415) },
  bundle_vanished: {
    prepare: meanwhile('PATCH', /\/rest\/v1\/app_versions/, 'before', capgo => {
      capgo.store.update('app_versions', ownBundle(capgo), {
        storage_provider: 'r2',
        checksum: 'f'.repeat(64),
      })
    }),
  },
  channel_vanished: {
    prepare: meanwhile('PUT', /\/bundle/, 'after', capgo => capgo.store.db.exec('DELETE FROM channels')),
  },
  not_served: {
    prepare: meanwhile('PUT', /\/bundle/, 'after', capgo => {
      const theirs = capgo.store.find('app_versions', { app_id: APP_ID, name: '1.0.0' })!
      const channel = capgo.store.find('channels', { app_id: APP_ID, name: 'production' })!
      capgo.store.update('channels', channel, { version: theirs.id })
    }),
  },
  delta_files_gone: {
    server: { profile: 'new' },
    inputs: { delta: 'only' },
    fault: answers('GET', /\/files\/read\/attachments\/.*\/delta\//, 404),
  },
  delta_not_taken_up: { inputs: { delta: 'only' } },
  user_not_found: {
    fault: { match: { path: UPLOAD }, times: always, do: { status: 400, body: { error: 'user_not_found' } } },
  },
}

describe.each(Object.entries(CASES))('%s', (code, { fault, prepare, server, inputs, options }) => {
  it('is the code that the run ends with', async () => {
    const { outputs, errors } = await publish({ fault, prepare, server, inputs, options })
    expect(outputs['error-code'], errors.join('\n')).toBe(code)
    expect(errors).toHaveLength(1)
  })
})

const ownKey = {
  options: { repo: encrypted.path, sha: encrypted.head },
  inputs: { 'private-key': privateKey },
}
const keyId = /KEY-----\s*(.{20})/.exec(publicKey)![1]!

it.each<[string, string, Case]>([
  ['encryption_required', 'a zip', { app: { encryption: true } }],
  ['encryption_required', 'delta files', { app: { encryption: true }, inputs: { delta: 'only' } }],
  [
    'encryption_required',
    'both, and a certain key',
    { app: { encryption: keyId }, inputs: { delta: 'true' } },
  ],
  ['encryption_key_mismatch', 'another key', { app: { encryption: 'MIIBCgKCAQEAotherkey' }, ...ownKey }],
])('%s for %s: nothing is stored', async (code, _, given) => {
  const { outputs, errors, capgo } = await publish(given)
  expect(outputs['error-code'], errors.join('\n')).toBe(code)
  expect(capgo.store.list('app_versions')).toEqual([])
  expect(capgo.requests.filter(({ path }) => UPLOAD.test(path))).toEqual([])
})

it.each([
  ['any', true],
  ['its own', keyId],
  ['its own, by 21 characters', /KEY-----\s*(.{21})/.exec(publicKey)![1]!],
])('a bundle that is encrypted with the key that is demanded (%s) is published', async (_, encryption) => {
  const { outputs, errors } = await publish({ app: { encryption }, ...ownKey })
  expect(outputs.outcome, errors.join('\n')).toBe('published')
})

it('encryption_key_required: a bundle that does not name its key', () => {
  const json = { code: 'P0001', message: 'encryption_key_required: no key_id.' }
  const answer = { status: 400, headers: {}, text: '', json, code: 'encryption_key_required' }
  expect(refusal('create', answer)).toMatchObject({ code: 'encryption_key_required' })
})

/** Where the database answers a key that is gone with nothing, and where the API refuses it. */
it.each([
  ['a permission is asked', 'POST', /rpc\/cli_check_permission/],
  ['the row is made', 'POST', /\/rest\/v1\/app_versions/],
  ['the bundle is uploaded', 'POST', UPLOAD],
  ['the bundle is finalised', 'PATCH', /\/rest\/v1\/app_versions/],
  ['the channel is pointed at it', 'PUT', /\/bundle/],
] as const)('invalid_apikey: the key is revoked before %s', async (_, method, path) => {
  const revoke = (capgo: LocalCapgo) => capgo.store.db.exec('DELETE FROM apikeys')
  const { outputs, errors, capgo } = await publish({ prepare: meanwhile(method, path, 'before', revoke) })
  expect(outputs['error-code'], errors.join('\n')).toBe('invalid_apikey')
  expect(errors).toHaveLength(1)
  expect(capgo.requests.filter(({ status }) => status === 401).length).toBeLessThan(20)
})

it('invalid_apikey: the key is revoked after the channel was pointed at the bundle', async () => {
  const revoke = (capgo: LocalCapgo) => capgo.store.db.exec('DELETE FROM apikeys')
  const { outputs } = await publish({ prepare: meanwhile('PUT', /\/bundle/, 'after', revoke) })
  expect(outputs['error-code']).toBe('invalid_apikey')
})

async function publish({
  fault,
  prepare,
  app,
  server,
  inputs,
  options,
}: Partial<{ [K in keyof Case]: Case[K] | undefined }>) {
  const capgo = await startCapgo({ limits: false, ...server })
  onTestFinished(() => capgo.stop())
  capgo.seedApp({ appId: APP_ID, ...app })
  const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
  prepare?.(capgo)
  if (fault !== undefined) capgo.faults.add(fault)
  const run = (more: Readonly<Record<string, string>> = {}, attempt = 1) =>
    runHere({
      repo: repo.path,
      sha: repo.head,
      attempt,
      ...options,
      inputs: {
        'capgo-token': key,
        'api-url': capgo.url,
        'app-id': APP_ID,
        build: 'false',
        delta: 'false',
        ...inputs,
        ...more,
      },
    })
  return { ...(await run()), capgo, again: run }
}

it('pull_ambiguous: two pull requests have the branch and commit that were built', async () => {
  const server = await startGitHub()
  onTestFinished(() => server.stop())
  const hosted = server.addRepository({ name: 'octo-org/daybreak', gitDir: repo.path, private: true })
  for (const number of [12, 13])
    await hosted.addPull({ number, head: { ref: 'x', sha: repo.head }, base: { ref: 'main' } })
  const token = server.addToken({
    repository: 'octo-org/daybreak',
    permissions: { actions: 'read', contents: 'read', 'pull-requests': 'write' },
  })
  const event = workflowRunEvent({
    sha: repo.head,
    headSha: repo.head,
    headBranch: 'x',
    event: 'pull_request',
  })
  const { outputs, errors } = await publish({
    options: { event, github: { url: server.url, token } },
    fault: undefined,
    prepare: undefined,
    server: undefined,
    inputs: undefined,
  })
  expect(outputs['error-code'], errors.join()).toBe('pull_ambiguous')
})

it('session_key_unreadable: the key of an unfinished bundle was changed', async () => {
  const inputs = { 'private-key': privateKey }
  const fault = answers('PATCH', /\/rest\/v1\/app_versions/, 503)
  const { capgo, again } = await publish({
    fault,
    inputs,
    prepare: undefined,
    server: undefined,
    options: { repo: encrypted.path, sha: encrypted.head },
  })
  capgo.store.update('app_versions', ownBundle(capgo), { session_key: 'broken' })
  capgo.faults.clear()
  const { outputs, errors } = await again({}, 2)
  expect(outputs['error-code'], errors.join()).toBe('session_key_unreadable')
})

it('too_many_files: more than a zip counts', () => {
  const file = { path: 'a', absolute: '/a', size: 0 }
  expect(checkSize(Array(65_536).fill(file), 0, 1)?.code).toBe('too_many_files')
  expect(checkSize(Array(65_535).fill(file), 0, 1)).toBeNull()
})

describe('GitHub', () => {
  async function connect(fault: FaultInput | null, url?: string) {
    const server = await startGitHub()
    onTestFinished(() => server.stop())
    if (fault !== null) server.faults.add(fault)
    return connectGitHub({
      token: 'ghs_unknown',
      repository: 'octo-org/daybreak',
      apiUrl: url ?? server.url,
      userAgent: 'test',
      redact: text => text,
      signal: AbortSignal.timeout(30_000),
      fetch,
      firstPause: 1,
      sleep: async () => {},
    })
  }
  const moved = (headers: Record<string, string>): FaultInput => ({
    match: { path: /\/artifacts\// },
    do: { status: 302, headers },
  })

  it.each([
    ['artifact_not_found', moved({})],
    ['artifact_not_found', moved({ location: 'http://elsewhere.example/web.zip' })],
    ['artifact_unreachable', moved({ location: 'http://127.0.0.1:9/web.zip' })],
  ])('%s: the place of an artifact', async (code, fault) => {
    const github = await connect({ ...fault, times: always })
    const file = join(makeScratch('artifact'), 'web.zip')
    await expect(github.downloadArtifact(1, file, 1000)).rejects.toMatchObject({ code })
  })

  it.each([
    ['github_401', 'Bad credentials', 401, /not valid/],
    ['github_403', 'API rate limit exceeded for installation ID 1.', 403, /limit of requests is used up/],
    ['github_403', 'Resource not accessible by integration', 403, /lacks a permission/],
    ['github_403', 'Repository was archived so is read-only.', 403, /GitHub's message/],
    ['github_429', 'Too many requests', 429, /limit of requests/],
    ['github_502', '', 502, /problems/],
  ])('%s: %s', async (code, message, status, hint) => {
    const github = await connect({ match: {}, times: always, do: { status, body: { message } } })
    const error = await github.readPull(1).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) })
    expect((error as Error).message).toContain(message.replace(/\.$/, ''))
  })

  const inSeconds = (seconds: number) => String(Math.ceil(Date.now() / 1000) + seconds)
  it.each<[string, number, () => Record<string, string>, string, number]>([
    ['seconds', 429, () => ({ 'retry-after': '7' }), 'x', 7_000],
    ['a date', 503, () => ({ 'retry-after': new Date(Date.now() + 9_500).toUTCString() }), 'x', 9_000],
    [
      'the end of the limit',
      403,
      () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(20) }),
      'x',
      20_000,
    ],
    [
      'nothing, for the secondary limit',
      403,
      () => ({}),
      'You have exceeded a secondary rate limit.',
      60_000,
    ],
    ['nothing, for 429', 429, () => ({}), 'x', 60_000],
  ])('a limit of GitHub is waited for that names %s', async (_, status, headers, message, pause) => {
    const server = await startGitHub()
    onTestFinished(() => server.stop())
    server.faults.add({ match: {}, times: always, do: { status, headers: headers(), body: { message } } })
    const pauses: number[] = []
    const github = connectGitHub({
      token: 'ghs_unknown',
      repository: 'octo-org/daybreak',
      apiUrl: server.url,
      userAgent: 'test',
      redact: text => text,
      signal: AbortSignal.timeout(30_000),
      fetch,
      firstPause: 1,
      sleep: async ms => void pauses.push(ms),
    })
    await expect(github.readPull(1)).rejects.toMatchObject({ code: `github_${status}` })
    expect(pauses).toHaveLength(2)
    expect(Math.abs(pauses[0]! - pause)).toBeLessThan(4000)
  })

  it('github_unreachable: no answer', async () => {
    const github = await connect(null, 'http://127.0.0.1:9')
    await expect(github.readPull(1)).rejects.toMatchObject({ code: 'github_unreachable' })
  })
})
