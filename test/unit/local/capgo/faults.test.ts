import { describe, expect, it } from 'vitest'
import { APP, append, call, create, lab, noise, offsetOf, rest } from './client.ts'

const upload = { method: 'PATCH', path: /^\/files\/upload\// }

async function started() {
  const setup = await lab()
  const made = await create(setup.capgo, setup.admin, setup.path('1.0.1.zip'), { length: 100_000 })
  return { ...setup, location: made.headers.get('location')!, bytes: noise(100_000) }
}

describe('a cut connection', () => {
  it('before: nothing happened', async () => {
    const { capgo, admin, location, bytes } = await started()
    capgo.faults.add({ match: upload, do: 'drop' })
    await expect(append(capgo, admin, location, 0, bytes)).rejects.toThrow()
    expect((await offsetOf(capgo, admin, location)).offset).toBe(0)
    expect((await append(capgo, admin, location, 0, bytes)).status).toBe(204)
  })

  it('in the middle: the bytes that arrived are kept, and the upload goes on from there', async () => {
    const { capgo, admin, location, bytes, path } = await started()
    capgo.faults.add({ match: upload, at: 'middle', afterBytes: 30_000, do: 'drop' })
    await expect(append(capgo, admin, location, 0, bytes)).rejects.toThrow()
    const { offset } = await offsetOf(capgo, admin, location)
    expect(offset).toBe(30_000)
    expect((await append(capgo, admin, location, offset, bytes.subarray(offset))).status).toBe(204)
    const read = await fetch(`${capgo.url}/files/read/attachments/${path('1.0.1.zip')}`)
    expect(Buffer.from(await read.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true)
  })

  it('after: the effect took place, the answer is lost', async () => {
    const { capgo, admin, location, bytes } = await started()
    capgo.faults.add({ match: upload, at: 'after', do: 'drop' })
    await expect(append(capgo, admin, location, 0, bytes)).rejects.toThrow()
    expect((await offsetOf(capgo, admin, location)).offset).toBe(100_000)
    expect(capgo.requests.at(-2)).toMatchObject({ method: 'PATCH', status: 0, requestBytes: 100_000 })
  })
})

describe('an answer in place of the real one', () => {
  it('before and after: not handled, and handled', async () => {
    const { capgo, admin } = await lab()
    const insert = (name: string) =>
      rest(capgo, 'POST', 'app_versions', {
        key: admin,
        body: { app_id: APP, name, storage_provider: 'r2-direct' },
      })
    capgo.faults.add({
      match: { method: 'POST', path: '/rest/v1/app_versions' },
      do: { status: 503, headers: { 'Retry-After': '1' }, body: { error: 'busy' } },
    })
    const before = await insert('1.0.1')
    expect([before.status, before.headers.get('retry-after'), before.body]).toEqual([
      503,
      '1',
      { error: 'busy' },
    ])
    expect(capgo.store.count('app_versions')).toBe(0)
    capgo.faults.add({ match: { path: '/rest/v1/app_versions' }, at: 'after', do: { status: 502 } })
    expect((await insert('1.0.1')).status).toBe(502)
    expect(capgo.store.count('app_versions')).toBe(1)
  })

  it('in the middle of an upload: part of it is there', async () => {
    const { capgo, admin, location, bytes } = await started()
    const body = { error: 'upload_retryable' }
    capgo.faults.add({
      match: upload,
      at: 'middle',
      afterBytes: 50_000,
      do: { status: 503, headers: { 'Retry-After': '1' }, body },
    })
    const answer = await append(capgo, admin, location, 0, bytes)
    expect(answer).toMatchObject({ status: 503, body })
    expect((await offsetOf(capgo, admin, location)).offset).toBe(50_000)
  })
})

it('strikes the nth match only, as often as told, and callbacks see the request', async () => {
  const { capgo, admin } = await lab()
  const read = async () => (await call(capgo, 'GET', `/app/${APP}`, { key: admin })).status
  const seen: string[] = []
  capgo.faults.add({
    match: { path: /^\/app\// },
    times: Infinity,
    do: request => void seen.push(`${request.method} ${request.path}`),
  })
  capgo.faults.add({ match: { path: `/app/${APP}`, nth: 2 }, do: { status: 500 } })
  expect([await read(), await read(), await read()]).toEqual([200, 500, 200])
  expect(seen).toEqual(Array(3).fill(`GET /app/${APP}`))
  capgo.faults.add({ match: {}, times: 2, do: { status: 504 } })
  expect([await read(), await read(), await read()]).toEqual([504, 504, 200])
  capgo.faults.add({ match: {}, times: Infinity, do: { status: 504 } })
  capgo.faults.clear()
  expect(await read()).toBe(200)
})

it('a callback that throws cuts the connection; a stall delays', async () => {
  const { capgo, admin } = await lab()
  capgo.faults.add({
    match: {},
    do: () => {
      throw new Error('the client was killed')
    },
  })
  await expect(call(capgo, 'GET', `/app/${APP}`, { key: admin })).rejects.toThrow()
  capgo.faults.add({ match: {}, do: { stallMs: 120 } })
  const start = performance.now()
  expect((await call(capgo, 'GET', `/app/${APP}`, { key: admin })).status).toBe(200)
  expect(performance.now() - start).toBeGreaterThan(110)
})

it('a body that stalls half way arrives whole in the end', async () => {
  const { capgo, admin, location, bytes } = await started()
  capgo.faults.add({ match: upload, at: 'middle', afterBytes: 10_000, do: { stallMs: 80 } })
  expect((await append(capgo, admin, location, 0, bytes)).headers.get('upload-offset')).toBe('100000')
})

it('records requests in order, with redacted keys and JSON bodies', async () => {
  const { capgo, admin } = await lab()
  await call(capgo, 'POST', '/channel', { key: admin, body: { app_id: APP, channel: 'pr-1' } })
  await rest(capgo, 'POST', 'rpc/get_user_id', { key: admin, body: { apikey: admin } })
  expect(capgo.requests).toMatchObject([
    { n: 1, method: 'POST', path: '/channel', status: 200, body: { app_id: APP, channel: 'pr-1' } },
    { n: 2, path: '/rest/v1/rpc/get_user_id', status: 200 },
  ])
  expect(JSON.stringify(capgo.requests)).not.toContain(admin)
})

it('latency is waited on the way in and on the way out', async () => {
  const { capgo } = await lab({ latencyMs: 60 })
  const start = performance.now()
  await call(capgo, 'GET', '/ok')
  expect(performance.now() - start).toBeGreaterThan(115)
})
