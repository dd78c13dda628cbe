import { describe, expect, it } from 'vitest'
import { createClock } from '../../../../local/capgo/clock.ts'
import { ApiError } from '../../../../local/capgo/errors.ts'
import { Limits } from '../../../../local/capgo/limits.ts'
import { APP, ask, call, device, lab, START } from './client.ts'

async function testers(options = {}) {
  const setup = await lab(options)
  setup.capgo.seedChannel({ appId: APP, name: 'pr-1' })
  setup.capgo.seedChannel({ appId: APP, name: 'pr-2' })
  const set = (n: number, channel: string, headers = {}) =>
    call(setup.capgo, 'POST', '/device', {
      key: setup.admin,
      headers,
      body: { app_id: APP, device_id: device(n), channel },
    })
  return { ...setup, set }
}

describe('the device API', () => {
  it('takes the same device and channel once a minute, a delete between does not matter', async () => {
    const { capgo, admin, set } = await testers()
    expect((await set(1, 'pr-1')).status).toBe(200)
    capgo.clock.advance(20_000)
    const again = await set(1, 'pr-1')
    expect(again.status).toBe(429)
    expect(again.body).toEqual({
      error: 'too_many_requests',
      message: 'Too many requests',
      moreInfo: {
        app_id: APP,
        device_id: device(1),
        rateLimitResetAt: START + 60_000,
        retryAfterSeconds: 40,
      },
    })
    expect(again.headers.get('retry-after')).toBe('40')
    expect(again.headers.get('x-ratelimit-reset')).toBe(String(START / 1000 + 60))
    expect((await set(1, 'pr-2')).status).toBe(200)
    await call(capgo, 'DELETE', '/device', { key: admin, body: { app_id: APP, device_id: device(1) } })
    expect((await set(1, 'pr-1')).status).toBe(429)
    capgo.clock.advance(40_000)
    expect((await set(1, 'pr-1')).status).toBe(200)
  })

  it('counts sets that failed', async () => {
    const { set } = await testers()
    expect((await set(1, 'nope')).status).toBe(404)
    expect((await set(1, 'nope')).status).toBe(429)
  })

  it('takes 5 calls a second per device and operation', async () => {
    const { capgo, admin } = await testers()
    const clear = (n: number) =>
      call(capgo, 'DELETE', '/device', { key: admin, body: { app_id: APP, device_id: device(n) } })
    for (let n = 0; n < 5; n++) expect((await clear(1)).status).toBe(200)
    expect((await clear(1)).status).toBe(429)
    expect((await clear(2)).status).toBe(200)
    capgo.clock.advance(1_000)
    expect((await clear(1)).status).toBe(200)
  })

  it('takes 1000 a minute from one address for one app', () => {
    const clock = createClock(START, () => {})
    const limits = new Limits(clock, true)
    const set = (n: number, ip: string) =>
      limits.checkDevice({ appId: APP, ip, deviceId: device(n), operation: 'set', channel: 'pr-1' })()
    for (let n = 0; n < 1_000; n++) set(n, '203.0.113.8')
    const over = thrown(() => set(2_000, '203.0.113.8'))
    expect(over.moreInfo).toEqual({
      reason: 'ip_rate_limit_exceeded',
      app_id: APP,
      rateLimitResetAt: START + 60_000,
      retryAfterSeconds: 60,
    })
    set(2_000, '203.0.113.9')
    clock.advance(60_000)
    set(2_001, '203.0.113.8')
  })

  it('can be switched off', async () => {
    const { set } = await testers({ limits: false })
    expect([(await set(1, 'pr-1')).status, (await set(1, 'pr-1')).status]).toEqual([200, 200])
  })
})

describe('keys', () => {
  it('20 wrong ones block the address for 15 minutes, good keys too, other addresses not', async () => {
    const { capgo, admin } = await lab()
    const read = (key: string, headers = {}) => call(capgo, 'GET', `/app/${APP}`, { key, headers })
    for (let n = 0; n < 20; n++) expect((await read(device(n))).status).toBe(401)
    const blocked = await read(admin)
    expect(blocked).toMatchObject({
      status: 429,
      body: { moreInfo: { reason: 'too_many_failed_auth_attempts', retryAfterSeconds: 900 } },
    })
    expect((await read(admin, { 'cf-connecting-ip': '203.0.113.8' })).status).toBe(200)
    capgo.clock.advance(15 * 60_000)
    expect((await read(admin)).status).toBe(200)
  })

  it('2000 requests without a minute of silence are the end, even as a trickle; uploads have 20000', () => {
    const clock = createClock(START, () => {})
    const limits = new Limits(clock, true)
    for (let n = 0; n < 2_000; n++) {
      limits.checkKey(1, false)
      clock.advance(100)
    }
    expect(thrown(() => limits.checkKey(1, false)).moreInfo).toMatchObject({
      reason: 'api_key_rate_limit_exceeded',
    })
    limits.checkKey(2, false)
    clock.advance(60_000)
    limits.checkKey(1, false)
    for (let n = 0; n < 20_000; n++) limits.checkKey(1, true)
    expect(thrown(() => limits.checkKey(1, true)).moreInfo).toMatchObject({
      reason: 'api_key_upload_rate_limit_exceeded',
    })
  })

  it('are refused when expired, work when only their hash is stored', async () => {
    const { capgo, key } = await lab()
    expect(
      (await call(capgo, 'GET', `/app/${APP}`, { key: key('app_reader', { expired: true }) })).body.error,
    ).toBe('invalid_apikey')
    expect(
      (await call(capgo, 'GET', `/app/${APP}`, { key: key('app_reader', { hashed: true }) })).status,
    ).toBe(200)
  })
})

it('addresses that ask for unknown apps 5 times get on_premise_app for every app', async () => {
  const { capgo } = await lab()
  capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: new Uint8Array(3) })
  capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
  for (let n = 0; n < 4; n++) expect((await ask(capgo, { app_id: 'com.nope.app' })).status).toBe(429)
  expect((await ask(capgo)).status).toBe(200)
  await ask(capgo, { app_id: 'com.nope.app' })
  expect(await ask(capgo)).toMatchObject({ status: 429, body: { error: 'on_premise_app' } })
  capgo.clock.advance(15 * 60_000)
  expect((await ask(capgo)).status).toBe(200)
})

function thrown(work: () => void): ApiError {
  try {
    work()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
