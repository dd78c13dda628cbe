import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch, request } from 'undici'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeScratch } from '../../../local/runner/scratch.ts'
import { createHttp } from '../../../src/capgo/http.ts'
import { connectGitHub } from '../../../src/github/client.ts'
import { createNetwork } from '../../../src/runtime/network.ts'

/** Counts the connections that it is given; answers once as many requests wait as were asked for. */
async function startServer(atOnce: number) {
  const sockets = new Set<Socket>()
  let opened = 0
  const waiting: (() => void)[] = []
  const server = createServer((_, response) => {
    waiting.push(() => response.end('yes'))
    if (waiting.length === atOnce) for (const answer of waiting.splice(0)) answer()
  })
  server.on('connection', socket => {
    opened++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    opened: () => opened,
    open: () => sockets.size,
    closeAll: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function network(env: Record<string, string> = {}) {
  const made = createNetwork(env)
  onTestFinished(() => made.dispatcher.destroy())
  return made
}

it('requests take the connections that were opened before', async () => {
  const server = await startServer(3)
  const { dispatcher, warm } = network()
  warm(`${server.url}/any/path`, 3)
  await expect.poll(server.opened).toBe(3)
  const ask = async () => (await request(server.url, { dispatcher })).body.text()
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(['yes', 'yes', 'yes'])
  expect(server.opened()).toBe(3)
})

it('a request that comes while they are being opened waits for one, and more requests open more', async () => {
  const server = await startServer(3)
  const { dispatcher, warm } = network()
  warm(server.url, 1)
  const ask = async () => (await request(server.url, { dispatcher })).body.text()
  await Promise.all([ask(), ask(), ask()])
  expect(server.opened()).toBe(3)
})

it('those that nobody took are closed', async () => {
  const server = await startServer(1)
  const { warm } = network()
  warm(server.url, 2)
  await expect.poll(server.open).toBe(2)
  await expect.poll(server.open, { timeout: 5000 }).toBe(0)
})

it('one that the server closed meanwhile is not taken', async () => {
  const server = await startServer(1)
  const { dispatcher, warm } = network()
  warm(server.url, 1)
  await expect.poll(server.open).toBe(1)
  server.closeAll()
  await sleep(50)
  expect(await (await request(server.url, { dispatcher })).body.text()).toBe('yes')
})

it('a server that is not there is for the request to tell', async () => {
  const { dispatcher, warm } = network()
  warm('http://127.0.0.1:9', 2)
  warm('no address', 2)
  await sleep(50)
  await expect(request('http://127.0.0.1:9', { dispatcher })).rejects.toThrow(/ECONNREFUSED/)
})

it('behind a proxy nothing is opened', async () => {
  const server = await startServer(1)
  const { warm } = network({ HTTPS_PROXY: 'http://127.0.0.1:9' })
  warm(server.url, 2)
  await sleep(200)
  expect(server.opened()).toBe(0)
})

it('what NO_PROXY names is asked directly, by a range of addresses too; all else by the proxy', async () => {
  const server = await startServer(1)
  let proxied = 0
  const proxy = createServer().on('connect', (_, socket) => {
    proxied++
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  vi.stubEnv('HTTP_PROXY', address)
  onTestFinished(() => void vi.unstubAllEnvs())
  const ask = async (noProxy: string) => {
    const { dispatcher } = network({ HTTP_PROXY: address, NO_PROXY: noProxy })
    return (await request(server.url, { dispatcher })).statusCode
  }
  expect(await ask('10.0.0.0/8,127.0.0.0/8')).toBe(200)
  expect([server.opened(), proxied]).toEqual([1, 0])
  await expect(ask('10.0.0.0/8')).rejects.toThrow()
  expect([server.opened(), proxied]).toEqual([1, 1])
})

describe('a certificate that is not trusted', () => {
  const folder = makeScratch('certificates')
  const openssl = (line: string, more: string[] = []) =>
    execFileSync('openssl', [...line.split(' '), ...more], { cwd: folder, stdio: 'pipe' })
  const sign = (name: string, more: string) =>
    openssl(
      `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out ${name}.crt -extfile san.txt ${more}`,
    )
  const ask = (name: string) =>
    openssl(`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=localhost`)
  beforeAll(() => {
    writeFileSync(join(folder, 'san.txt'), 'subjectAltName=DNS:localhost')
    openssl('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority')
    openssl(
      'req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.crt -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost',
    )
    ask('leaf')
    sign('leaf', '-days 2')
    ask('old')
    sign('old', '-days 0')
  })

  async function send(name: string, host: string, trusted: boolean, at: 'capgo' | 'github') {
    const read = (file: string) => readFileSync(join(folder, file))
    const server = createSecureServer(
      { key: read(`${name}.key`), cert: read(`${name}.crt`) },
      (_, response) => response.end('{}'),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const dispatcher = new Agent(trusted ? { connect: { ca: read('ca.crt') } } : {})
    onTestFinished(async () => {
      await dispatcher.destroy()
      server.close()
    })
    const url = `https://${host}:${(server.address() as AddressInfo).port}`
    if (at === 'github')
      return connectGitHub({
        token: 'ghs_1',
        repository: 'o/r',
        apiUrl: url,
        userAgent: 'test',
        redact: text => text,
        signal: new AbortController().signal,
        fetch: ((address: string, init: RequestInit) =>
          fetch(address, { ...init, dispatcher } as never)) as never,
      }).readPull(1)
    return createHttp({
      dispatcher,
      userAgent: 'test',
      redact: text => text,
      signal: new AbortController().signal,
      onRetry: () => expect.fail('waiting does not help'),
      sleep: async () => {},
    }).send({ purpose: 'read', method: 'GET', url, retry: 'repeat' })
  }

  it.each([
    ['signed by itself', 'self', 'localhost', false, /NODE_EXTRA_CA_CERTS/],
    ['of an unknown authority', 'leaf', 'localhost', false, /NODE_EXTRA_CA_CERTS/],
    ['expired', 'old', 'localhost', true, /Renew/],
    ['of another name', 'leaf', '127.0.0.1', true, /another name/],
  ] as const)('%s: told at once, by Capgo and by GitHub', async (_, name, host, trusted, hint) => {
    for (const at of ['capgo', 'github'] as const)
      await expect(send(name, host, trusted, at)).rejects.toMatchObject({
        code: 'tls_untrusted',
        hint: expect.stringMatching(hint),
      })
  })
})
