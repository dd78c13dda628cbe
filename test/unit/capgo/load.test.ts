import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { type LocalCapgo, type LocalCapgoOptions, startCapgo } from '../../../local/capgo/index.ts'
import { createCapgo } from '../../../src/capgo/client.ts'
import type { ActionError } from '../../../src/errors.ts'

const APP = 'com.example.app'

/** A Capgo with an app and a key, and its client, whose pauses are short. */
async function start(options: LocalCapgoOptions = {}) {
  const server = await startCapgo({ latencyMs: 5, ...options })
  const dispatcher = new Agent()
  onTestFinished(async () => {
    await dispatcher.destroy()
    await server.stop()
  })
  server.seedApp({ appId: APP })
  const token = server.seedKey({ appId: APP, role: 'app_admin' })
  const log: string[] = []
  const capgo = createCapgo({
    token,
    api: server.url,
    files: server.url,
    plugin: server.url,
    database: null,
    dispatcher,
    userAgent: 'test',
    redact: text => text,
    signal: new AbortController().signal,
    onRetry: message => void log.push(message),
    firstPause: 1,
    sleep: ms => sleep(Math.min(ms, 5)),
  })
  return { server, capgo, token, log }
}

const wrongKeys = ({ requests }: LocalCapgo) => requests.filter(({ status }) => status === 401).length
const together = (count: number, ask: () => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, () => ask().catch((error: ActionError) => error.code)))
const revoke = ({ store }: LocalCapgo, token: string) =>
  store.remove('apikeys', store.find('apikeys', { key: token })!.id)

it.each([1, 2, 4, 10, 15, 24, 40])(
  'a database with connections for %i: everything is done, and the address is not locked out',
  async connections => {
    const { server, capgo } = await start({ connections })
    await capgo.readApp(APP)
    const found = await together(120, () => capgo.readApp(APP))
    expect(found.filter(app => typeof app === 'string')).toEqual([])
    expect(wrongKeys(server)).toBeLessThan(20)
  },
)

it.each([
  [32, 'bear all that is asked at once'],
  [20, 'do not: what is asked grew'],
])('%i connections %s', async (connections, _) => {
  const { capgo, log } = await start({ connections, latencyMs: 20 })
  await capgo.readApp(APP)
  await together(150, () => capgo.readApp(APP))
  expect(log.length > 0).toBe(connections < 32)
})

it('a key that is revoked meanwhile is told as that, after a few tries of all calls together', async () => {
  const { server, capgo, token } = await start()
  await capgo.readApp(APP)
  revoke(server, token)
  const found = await together(60, () => capgo.readApp(APP))
  expect(new Set(found)).toEqual(new Set(['invalid_apikey']))
  expect(wrongKeys(server)).toBeLessThan(20)
  const error: ActionError = await capgo.readApp(APP).catch(refused => refused)
  expect(error.message).toContain('worked earlier in this run')
  expect(error).toMatchObject({ code: 'invalid_apikey', transient: true })
  const asked = server.requests.length
  await together(60, () => capgo.deleteBundle(APP, '1.0.0'))
  expect(server.requests.length, 'nothing more is asked').toBe(asked)
})

it('a key that never worked is refused at once', async () => {
  const { server, capgo, token, log } = await start()
  revoke(server, token)
  // The database answers a wrong key too.
  await capgo.readChannel(APP, 'production')
  await capgo.requireStorage(server.store.find('apps', { app_id: APP })!.owner_org, APP)
  const error: ActionError = await capgo.readApp(APP).catch(refused => refused)
  expect(error).toMatchObject({ code: 'invalid_apikey', transient: false })
  expect([wrongKeys(server), log]).toEqual([1, []])
})

it('the first call is not repeated that finds nobody to whom the key belongs; later ones are', async () => {
  const { server, capgo, log } = await start()
  const refuse = () =>
    server.faults.add({ match: { path: /\/app\// }, do: { status: 400, body: { error: 'user_not_found' } } })
  refuse()
  await expect(capgo.readApp(APP)).rejects.toMatchObject({ code: 'user_not_found' })
  await capgo.readApp(APP)
  refuse()
  await capgo.readApp(APP)
  expect(log).toEqual([
    expect.stringMatching(
      /^Capgo answered 400 user_not_found \(read app com\.example\.app\)\. Next try in [\d.]+ s \(2 of 5\)\.$/,
    ),
  ])
})
