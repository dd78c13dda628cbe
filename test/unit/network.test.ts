import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { createNetwork } from '../../src/network.ts'

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
