import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { createCapgo } from '../../../src/capgo/client.ts'
import { createHttp, type HttpOptions } from '../../../src/capgo/http.ts'
import { FilesConfig } from '../../../src/capgo/schema.ts'
import type { ActionError } from '../../../src/errors.ts'

/** A server, and a client of it whose pauses take no time and are noted. */
async function serve(answer: RequestListener) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dispatcher = new Agent()
  onTestFinished(async () => {
    await dispatcher.destroy()
    server.close()
  })
  const pauses: number[] = []
  const options: HttpOptions = {
    dispatcher,
    userAgent: 'test',
    redact: text => text,
    signal: new AbortController().signal,
    onRetry: () => {},
    firstPause: 1,
    sleep: async ms => {
      pauses.push(ms)
    },
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pauses, options }
}

const later = (seconds: string, body: string, type = 'application/json'): RequestListener => {
  return (_, response) => {
    response.writeHead(429, { 'retry-after': seconds, 'content-type': type }).end(body)
  }
}
const object = {
  key: 'orgs/o/apps/a/1.0.0.zip',
  what: 'bundle 1.0.0',
  type: 'application/zip',
  size: 3,
  sha256: 'a'.repeat(64),
  async *open() {
    yield Buffer.from('abc')
  },
}
const config = FilesConfig.parse({ partialUpload: true, TUSUpload: true })
const get = (url: string) => ({ purpose: 'read', method: 'GET', url, retry: 'repeat' }) as const

it.each([
  ['in seconds', '3600'],
  ['as a date', new Date(Date.now() + 3_600_000).toUTCString()],
])('an upload that is asked to come back in an hour, %s, ends at once and says so', async (_, value) => {
  const { url, pauses, options } = await serve(later(value, '{"error":"too_many_requests"}'))
  const capgo = createCapgo({ ...options, token: 'k', api: url, files: url, plugin: url, database: null })
  const error: ActionError = await capgo.uploadFile(object, { config }).catch(found => found)
  expect(error).toMatchObject({ code: 'too_many_requests', transient: true })
  expect(error.message).toContain(
    'Could not upload bundle 1.0.0: Capgo answered 429 too_many_requests and asks to retry in 60 minutes.',
  )
  expect(pauses).toEqual([])
})

it('an upload that is refused for ever is given up after three minutes of pauses', async () => {
  const { url, pauses, options } = await serve(later('60', '{"error":"too_many_requests"}'))
  const capgo = createCapgo({ ...options, token: 'k', api: url, files: url, plugin: url, database: null })
  const error: ActionError = await capgo.uploadFile(object, { config }).catch(found => found)
  expect(error).toMatchObject({ code: 'too_many_requests', transient: true })
  const inUpload = pauses.length
  expect(inUpload).toBeLessThanOrEqual(20)
})

it('a limit of what stands before Capgo is waited for, whatever its page looks like', async () => {
  let asked = 0
  const { url, pauses, options } = await serve((request, response) => {
    if (asked++ === 0) later('1', '<h1>error code: 1015</h1>', 'text/html')(request, response)
    else response.end('{}')
  })
  expect((await createHttp(options).send(get(url))).status).toBe(200)
  expect(pauses).toEqual([1000])
})

it.each([
  ['429 without a word on when', 429, {}],
  ['503 with a page', 503, { 'content-type': 'text/html' }],
  ['408', 408, {}],
  ['425', 425, {}],
  ['502', 502, {}],
  ['504', 504, {}],
  ...[520, 521, 522, 523, 524, 525, 526, 527].map(status => [`${status} of Cloudflare`, status, {}] as const),
] as const)('what can be repeated is, after %s', async (_, status, headers) => {
  let asked = 0
  const { url, options } = await serve((_request, response) => {
    if (asked++ === 0) response.writeHead(status, headers).end('<h1>not now</h1>')
    else response.end('{}')
  })
  expect((await createHttp(options).send(get(url))).status).toBe(200)
})

it('a date to come back at is read by the clock of the server', async () => {
  const dates = (milliseconds: number) => new Date(Date.now() - 3_600_000 + milliseconds).toUTCString()
  let asked = 0
  const { url, pauses, options } = await serve((_request, response) => {
    if (asked++ > 0) return response.end('{}')
    return response.writeHead(503, { date: dates(0), 'retry-after': dates(20_000) }).end('<h1>busy</h1>')
  })
  expect((await createHttp(options).send({ ...get(url), retry: 'once' })).status).toBe(200)
  expect(pauses).toEqual([20_000])
})

it('no try of a call begins after its patience', async () => {
  const { url, pauses, options } = await serve(later('100', '{"error":"too_many_requests"}'))
  const answer = await createHttp(options).send({ ...get(url), maxRetryTime: 50_000 })
  expect(answer.status).toBe(429)
  expect(pauses).toEqual([])
})

it('an exhausted plan is not waited for', async () => {
  const { url, pauses, options } = await serve(later('1', '{"error":"on_premise_app"}'))
  const capgo = createCapgo({ ...options, token: 'k', api: url, files: url, plugin: url, database: null })
  await expect(capgo.uploadFile(object, { config })).rejects.toMatchObject({ code: 'on_premise_app' })
  expect(pauses).toEqual([])
})

it('says in the log why it waits, and for how long', async () => {
  const { url, pauses, options } = await serve(later('2', '{}'))
  const log: string[] = []
  const http = createHttp({ ...options, onRetry: message => void log.push(message) })
  await http.waitForLimit(61_000)
  await http.pause({ purpose: 'make channel beta' }, null, 1)
  await http.send({ purpose: 'read channel beta', method: 'GET', url, retry: 'repeat' })
  expect(pauses[0]).toBe(61_000)
  expect(log.slice(0, 3)).toEqual([
    'Waiting 61 s: Capgo limits the calls of a key.',
    'Capgo did not answer (make channel beta). Next try in 0.1 s.',
    'Capgo answered 429 (read channel beta). Next try in 2 s (2 of 5).',
  ])
})
