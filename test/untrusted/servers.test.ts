/**
 * Servers that are hostile or broken: each kind of request of a publish is answered in every way in which a server, or
 * what stands before it, can answer wrongly. A run ends with one clear error or right, soon, and takes no more than it
 * needs.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Agent, fetch } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startCapgo } from '../../local/capgo/index.ts'
import { createRepository } from '../../local/repository.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { ActionError } from '../../src/errors.ts'
import { connectGitHub, type GitHub } from '../../src/github/client.ts'
import { markOf } from '../../src/operations/steps/comment-marker.ts'
import { runHere } from '../integration/in-process.ts'

type Answer = (response: ServerResponse, request: IncomingMessage) => void

const say =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }

const DEEP = '['.repeat(200_000)
/** 64 MiB of zeros, as 64 KB. */
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024))

const ANSWERS: Readonly<Record<string, Answer>> = {
  HTML: say(200, '<!doctype html><title>Sign in</title>', { 'content-type': 'text/html' }),
  nothing: say(200, ''),
  'a number': say(200, '7'),
  null: say(200, 'null'),
  'an empty list': say(200, '[]'),
  'an empty object': say(200, '{}'),
  'a list of nulls': say(200, '[null, null]'),
  'strings for everything': say(
    200,
    JSON.stringify(
      Object.fromEntries(
        ['id', 'name', 'version', 'data', 'status', 'app_id', 'url'].map(key => [key, '\r\n::error::x']),
      ),
    ),
  ),
  'half of JSON': say(200, '{"id": 1, "name": "x'),
  'JSON that is nested deep': say(200, DEEP),
  'bytes that are no text': say(200, Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x22])),
  'a prototype': say(
    200,
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
  ),
  'a redirect': say(302, '', { location: 'http://127.0.0.1:9/take' }),
  'a redirect to a file': say(307, '', { location: 'file:///etc/passwd' }),
  'a redirect to nowhere': say(301, ''),
  'a status that there is not': say(299, '{}'),
  'no content': say(204, ''),
  '404 in HTML': say(404, '<h1>Not found</h1>'),
  'an error whose code is a command': say(
    400,
    JSON.stringify({ error: '::set-output name=outcome::hacked\n', message: '\n::error::hacked' }),
  ),
  'headers of nonsense': say(200, '{}', {
    'retry-after': '-1e999',
    'upload-offset': 'NaN',
    'upload-length': '-5',
    'content-range': '0-0/x',
    location: ':::',
  }),
  'a pause of a year': say(503, '', { 'retry-after': '31536000' }),
  'a compressed bomb': say(200, BOMB, { 'content-encoding': 'gzip' }),
}

/** Counts what it sends, until the other side has enough. */
const endless =
  (sent: { bytes: number }): Answer =>
  (response, { socket }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(1024 * 1024, '[')
    const go = () => {
      let more = true
      while (more && !socket.destroyed) {
        more = response.write(chunk)
        sent.bytes += chunk.length
      }
    }
    response.on('drain', go)
    socket.on('error', () => {})
    go()
  }

/** A way to a server on which requests of one kind are answered by somebody else. */
async function intercept(target: string) {
  let match: ((request: IncomingMessage) => boolean) | null = null
  let answer: Answer | null = null
  const server = createServer((from, to) => {
    if (match?.(from) && answer !== null) {
      from.resume()
      const act = answer
      from.on('end', () => act(to, from))
      return
    }
    const onward = request(target + from.url, { method: from.method, headers: from.headers }, back => {
      const { location } = back.headers
      const headers =
        location === undefined ? back.headers : { ...back.headers, location: location.replace(target, url) }
      to.writeHead(back.statusCode ?? 500, headers)
      back.pipe(to)
    })
    onward.on('error', () => to.destroy())
    from.pipe(onward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    set(matches: typeof match, by: Answer | null) {
      match = matches
      answer = by
    },
  }
}

/** An app that is published again and again, each time as a new one. */
async function createSite() {
  const repo = createRepository({
    files: {
      'capacitor.config.json': JSON.stringify({ appId: 'com.example.app', webDir: 'www' }),
      'package.json': JSON.stringify({ name: 'tiny', version: '1.2.0' }),
      'www/index.html': '<script src="app.js"></script>',
      'www/app.js': 'CapacitorUpdater.notifyAppReady()',
    },
  })
  const capgo = await startCapgo({ limits: false })
  onTestFinished(async () => {
    await capgo.stop()
    repo.remove()
  })
  const wire = await intercept(capgo.url)
  let apps = 0
  return {
    capgo,
    wire,
    /** Publishes, while requests of this kind are answered so. */
    async publish(kind: string, by: Answer | null) {
      const appId = `com.example.app${++apps}`
      capgo.seedApp({ appId })
      const key = capgo.seedKey({ appId, role: 'app_admin' })
      wire.set(request => by !== null && kindOf(request.method ?? '', request.url ?? '', appId) === kind, by)
      const run = await runHere({
        repo: repo.path,
        sha: repo.head,
        inputs: {
          'capgo-token': key,
          'api-url': wire.url,
          'database-url': wire.url,
          'database-key': capgo.anonKey,
          'app-id': appId,
          build: 'false',
        },
        http: { outage: 100 },
      })
      wire.set(null, null)
      const channel = capgo.store.find('channels', { app_id: appId, name: 'production' })
      const served =
        channel?.version == null ? undefined : capgo.store.find('app_versions', { id: channel.version })
      return { run, appId, served }
    },
  }
}

function kindOf(method: string, url: string, appId: string): string {
  const path = url
    .replace(/\?.*/, '')
    .replaceAll(appId, 'APP')
    .replace(/(attachments\/).*/, '$1…')
    .replace(/\/\d+(?=\/|$)/g, '/N')
  return `${method} ${path}`
}

describe('Capgo, at each kind of request', () => {
  it('answers wrongly in every way: one clear error, or none', async () => {
    const site = await createSite()
    const first = await site.publish('', null)
    expect(first.run.outputs.outcome, first.run.errors.join()).toBe('published')
    const kinds = new Set(
      site.capgo.requests
        .map(({ method, path }) => kindOf(method, path, first.appId))
        .filter(kind => !kind.includes('/files/read/')),
    )
    expect(kinds.size).toBeGreaterThan(7)
    for (const kind of kinds)
      for (const [name, by] of Object.entries(ANSWERS)) {
        const where = `${kind} answers ${name}`
        const began = performance.now()
        const { run, served } = await site.publish(kind, by)
        expect(performance.now() - began, where).toBeLessThan(20_000)
        if (run.isGreen) {
          // Whatever was said there: it looked, and this is what devices get.
          expect(run.outputs.outcome, where).toMatch(/^(published|unchanged)$/)
          expect(served?.checksum, where).toBe(run.outputs.checksum)
          continue
        }
        expect(run.errors, where).toHaveLength(1)
        expect(run.outputs['error-code'], `${where}: ${run.errors[0]}`).toMatch(/^(?!internal$)[a-z0-9_]+$/)
        expect(run.errors[0], where).not.toMatch(/\[object|TypeError|Cannot read|hacked\n/)
      }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('answers without an end: the answer is cut', async () => {
    const site = await createSite()
    const first = await site.publish('', null)
    for (const kind of ['GET /rest/v1/apps', 'GET /files/config', 'POST /rest/v1/rpc/cli_check_permission']) {
      const sent = { bytes: 0 }
      const { run } = await site.publish(kind, endless(sent))
      expect(first.run.isGreen).toBe(true)
      expect(run.isGreen, kind).toBe(false)
      expect(run.outputs['error-code'], kind).toBe('response_too_long')
      // 32 MiB, and what was under way.
      expect(sent.bytes, kind).toBeGreaterThan(16 * 1024 * 1024)
      expect(sent.bytes, kind).toBeLessThan(64 * 1024 * 1024)
    }
  })
})

describe('GitHub, at each call', () => {
  const CALLS: Readonly<Record<string, (github: GitHub) => Promise<unknown>>> = {
    findArtifact: github => github.findArtifact(1, 'web'),
    downloadArtifact: github => github.downloadArtifact(1, join(makeScratch('artifact'), 'a.zip'), 1_000_000),
    updateComment: github => github.updateComment(1, 'x'),
    createComment: github => github.createComment(12, 'x'),
    readFile: github => github.readFile('testers.json', null),
    readMergeBase: github => github.readMergeBase('main', 'a'.repeat(40)),
    listChanges: github => github.listChanges('a'.repeat(40), 'b'.repeat(40)),
    compare: github => github.compare('a'.repeat(40), 'b'.repeat(40)),
    readPull: github => github.readPull(12),
    listOpenPulls: github => github.listOpenPulls(),
    listReviewers: github => github.listReviewers(12),
    listPullsOfBranch: github => github.listPullsOfBranch('mallory', 'x'),
    readIssue: github => github.readIssue(45),
    listIssues: github => github.listIssues({ state: 'open', label: null }),
    closeIssue: github => github.closeIssue(45, 'completed'),
    canPush: github => github.canPush('mallory'),
    listBranches: github => github.listBranches('capgo/tester-'),
    deleteBranch: github => github.deleteBranch('capgo/tester-45', 'a'.repeat(40)),
    closePull: github => github.closePull(12),
    readCommit: github => github.readCommit('a'.repeat(40)),
    createBranch: github => github.createBranch('capgo/tester-45', 'a'.repeat(40)),
    advanceBranch: github => github.advanceBranch('capgo/tester-45', 'a'.repeat(40)),
    commitFile: github =>
      github.commitFile({
        message: () => 'Add',
        path: 'testers.json',
        text: '[]',
        base: 'a'.repeat(40),
        parents: ['a'.repeat(40)],
      }),
    createPull: github =>
      github.createPull({ title: 'Add', body: '', head: 'capgo/tester-45', base: 'main' }),
    findComments: github => github.findComments(12, markOf('key')),
    readDeployedApps: github => github.readDeployedApps('preview/pr-12'),
    endDeployments: github => github.endDeployments('production', 'com.example.app'),
    retireDeployments: github => github.retireDeployments('production', 'com.example.app', 5),
  }

  async function connect(by: Answer) {
    const wire = await intercept('http://127.0.0.1:9')
    wire.set(() => true, by)
    const dispatcher = new Agent()
    onTestFinished(() => dispatcher.destroy())
    return connectGitHub({
      token: 'ghs_0123456789',
      repository: 'octo-org/daybreak',
      apiUrl: wire.url,
      userAgent: 'test',
      redact: text => text,
      signal: AbortSignal.timeout(60_000),
      fetch: ((url: string, init: RequestInit) => fetch(url, { ...init, dispatcher } as never)) as never,
    })
  }

  it.each(Object.entries(CALLS))(
    '%s: a value, or one of our errors',
    async (_name, call) => {
      for (const [name, by] of Object.entries(ANSWERS)) {
        const github = await connect(by)
        const began = performance.now()
        const error = await call(github).then(
          () => null,
          (thrown: unknown) => thrown,
        )
        expect(performance.now() - began, name).toBeLessThan(20_000)
        if (error !== null) expect(error, `${name}: ${error}`).toBeInstanceOf(ActionError)
      }
    },
    120_000,
  )

  it('pages without an end, and answers without an end: both are cut', async () => {
    let pages = 0
    const github = await connect((response, { url = '' }) => {
      pages++
      response.writeHead(200, {
        'content-type': 'application/json',
        link: `<http://127.0.0.1:9${url}&page=2>; rel="next"`,
      })
      response.end('[]')
    })
    await expect(github.listOpenPulls()).rejects.toMatchObject({ code: 'unexpected_response' })
    expect(pages).toBe(200)
    const sent = { bytes: 0 }
    const long = await connect(endless(sent))
    await expect(long.readPull(12)).rejects.toMatchObject({ code: 'response_too_long' })
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024)
  })
})
