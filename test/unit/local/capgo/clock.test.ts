import { describe, expect, it } from 'vitest'
import { APP, ask, call, device, lab, representation, rest } from './client.ts'

const DAY = 86_400_000
const zip = new Uint8Array([80, 75, 3, 4])

describe('overrides', () => {
  async function pinned() {
    const setup = await lab()
    setup.capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    setup.capgo.seedChannel({ appId: APP, name: 'pr-1', bundle: '1.0.1' })
    const set = (n: number) =>
      call(setup.capgo, 'POST', '/device', {
        key: setup.admin,
        body: { app_id: APP, device_id: device(n), channel: 'pr-1' },
      })
    return { ...setup, set }
  }

  it('the first of an app is seen by /updates some seconds later, the next ones at once', async () => {
    const { capgo, set } = await pinned()
    expect((await set(1)).body).toEqual({ status: 'ok' })
    expect((await ask(capgo)).body.error).toBe('no_channel')
    capgo.clock.advance(7_000)
    expect((await ask(capgo)).body.error).toBe('no_channel')
    capgo.clock.advance(1_000)
    expect((await ask(capgo)).body.version).toBe('1.0.1')
    await set(2)
    expect((await ask(capgo, { device_id: device(2) })).body.version).toBe('1.0.1')
  })

  it('expire a month after the last write, at 02:30; an identical POST does not renew, a PATCH does', async () => {
    const { capgo, admin, set } = await pinned()
    await set(1)
    await set(2)
    capgo.clock.advance(20 * DAY)
    await set(1)
    const patched = await rest(capgo, 'PATCH', `channel_devices?app_id=eq.${APP}&device_id=eq.${device(2)}`, {
      key: admin,
      headers: representation,
      body: { channel_id: 1 },
    })
    expect(patched.body).toHaveLength(1)
    capgo.clock.advance(11 * DAY)
    const left = await rest(capgo, 'GET', `channel_devices?app_id=eq.${APP}&select=device_id`, { key: admin })
    expect(left.body).toEqual([{ device_id: device(2) }])
    capgo.clock.advance(20 * DAY)
    expect(capgo.store.count('channel_devices')).toBe(0)
  })

  it('[N] expire after 90 days', async () => {
    const { capgo } = await lab({ profile: 'new' })
    capgo.seedChannel({ appId: APP, name: 'pr-1' })
    capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'pr-1' })
    capgo.clock.advance(89 * DAY)
    expect(capgo.store.count('channel_devices')).toBe(1)
    capgo.clock.advance(2 * DAY)
    expect(capgo.store.count('channel_devices')).toBe(0)
  })

  it('go with their channel, and the counter follows', async () => {
    const { capgo, admin, set } = await pinned()
    await set(1)
    capgo.clock.advance(10_000)
    await call(capgo, 'DELETE', '/channel', { key: admin, body: { app_id: APP, channel: 'pr-1' } })
    expect(capgo.store.count('channel_devices')).toBe(0)
    expect(capgo.store.find('apps', { app_id: APP })?.channel_device_count).toBe(1)
    capgo.clock.advance(10_000)
    expect(capgo.store.find('apps', { app_id: APP })?.channel_device_count).toBe(0)
  })
})

describe('delta rows', () => {
  const entry = (name: string, path: string) => ({
    file_name: name,
    s3_path: path,
    file_hash: 'a'.repeat(64),
  })

  it('appear 10 s after the manifest was written with an update, complete entries only', async () => {
    const { capgo, admin, path } = await lab()
    capgo.seedChannel({ appId: APP, name: 'production', public: true })
    const bundle = capgo.seedBundle({
      appId: APP,
      name: '1.0.1',
      storage_provider: 'r2-direct',
      r2_path: null,
    })
    const manifest = [
      entry('index.html', path('delta/x_index.html')),
      { file_name: 'lost.js', s3_path: '', file_hash: 'b' },
    ]
    const done = await rest(capgo, 'PATCH', `app_versions?id=eq.${bundle.id}`, {
      key: admin,
      headers: representation,
      body: { manifest, storage_provider: 'r2' },
    })
    expect(done.body[0]).toMatchObject({ manifest_count: 0, storage_provider: 'r2' })
    await call(capgo, 'PUT', '/bundle', {
      key: admin,
      body: { app_id: APP, version_id: bundle.id, channel_id: 1 },
    })
    expect((await ask(capgo)).body.error).toBe('no_bundle')
    capgo.clock.advance(10_000)
    const rows = await rest(capgo, 'GET', `manifest?app_version_id=eq.${bundle.id}&select=file_name`, {
      key: admin,
    })
    expect(rows.body).toEqual([{ file_name: 'index.html' }])
    const after = await rest(capgo, 'GET', `app_versions?id=eq.${bundle.id}&select=manifest_count,manifest`, {
      key: admin,
    })
    expect(after.body).toEqual([{ manifest_count: 1, manifest: null }])
    const answer = (await ask(capgo)).body
    expect(answer.url).toBe('https://404.capgo.app/no.zip')
    expect(answer.manifest).toEqual([
      {
        file_name: 'index.html',
        file_hash: 'a'.repeat(64),
        download_url: `${capgo.url}/files/read/attachments/${path('delta/x_index.html')}?key=${bundle.id}&device_id=${device(1)}`,
      },
    ])
    expect((await ask(capgo, { plugin_version: '7.0.34' })).body.error).toBe('no_bundle')
  })

  it('never appear when the manifest came with the insert alone', async () => {
    const { capgo, admin, path } = await lab()
    const body = {
      app_id: APP,
      name: '1.0.1',
      storage_provider: 'r2',
      manifest: [entry('index.html', path('delta/x'))],
    }
    expect((await rest(capgo, 'POST', 'app_versions', { key: admin, body })).status).toBe(201)
    capgo.clock.advance(60_000)
    expect(capgo.store.count('manifest')).toBe(0)
  })
})

describe('life of a bundle', () => {
  it('a deleted name stays taken for 90 days; its object is gone sooner', async () => {
    const { capgo, admin, path } = await lab()
    capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    await call(capgo, 'DELETE', '/bundle', { key: admin, body: { app_id: APP, version: '1.0.1' } })
    const insert = () =>
      rest(capgo, 'POST', 'app_versions', {
        key: admin,
        body: { app_id: APP, name: '1.0.1', storage_provider: 'r2-direct' },
      })
    expect((await call(capgo, 'GET', `/files/read/attachments/${path('1.0.1.zip')}`)).status).toBe(200)
    capgo.clock.advance(89 * DAY)
    expect(await insert()).toMatchObject({ status: 409, body: { code: '23505' } })
    expect((await call(capgo, 'GET', `/files/read/attachments/${path('1.0.1.zip')}`)).status).toBe(404)
    capgo.clock.advance(2 * DAY)
    expect((await insert()).status).toBe(201)
  })

  it('unlinked bundles older than the retention are deleted at night, linked ones stay', async () => {
    const { capgo } = await lab()
    capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    capgo.seedBundle({ appId: APP, name: '1.0.2', bytes: zip })
    capgo.seedChannel({ appId: APP, name: 'production', bundle: '1.0.2' })
    capgo.clock.advance(29 * DAY)
    expect(capgo.store.list('app_versions', { deleted: false })).toHaveLength(2)
    capgo.clock.advance(2 * DAY)
    expect(capgo.store.list('app_versions', { deleted: false }).map(bundle => bundle.name)).toEqual(['1.0.2'])
  })

  it('devices leave the inventory 90 days after their last report', async () => {
    const { capgo } = await lab()
    capgo.seedDevice({ appId: APP, deviceId: device(1) })
    capgo.clock.advance(91 * DAY)
    expect(capgo.store.count('devices')).toBe(0)
  })
})

it('with a database directory everything is there after a restart, jobs included', async () => {
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { startCapgo } = await import('../../../../local/capgo/index.ts')
  const directory = mkdtempSync('/tmp/capgo-test-')
  try {
    const first = await startCapgo({ database: directory })
    first.seedApp({ appId: APP })
    first.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    first.seedChannel({ appId: APP, name: 'pr-1', bundle: '1.0.1' })
    const key = first.seedKey({ appId: APP, role: 'app_developer' })
    await call(first, 'POST', '/device', {
      key,
      body: { app_id: APP, device_id: device(1), channel: 'pr-1' },
    })
    await first.stop()
    const second = await startCapgo({ database: directory })
    second.clock.advance(10_000)
    const answer = (await ask(second)).body
    expect(answer.version).toBe('1.0.1')
    expect((await call(second, 'GET', answer.url)).status).toBe(200)
    await second.stop()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
