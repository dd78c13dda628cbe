import { createHash } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { SeedKey } from '../../../../local/capgo/index.ts'
import {
  APP,
  append,
  ask,
  call,
  create,
  device,
  getFrom,
  lab,
  noise,
  representation,
  rest,
} from './client.ts'

const zip = noise(100)
const sha = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')

describe('permissions', () => {
  // Contract 1.6 and 19: who may do what, with the refusal that is answered.
  const everyone: SeedKey['role'][] = [
    'app_reader',
    'app_uploader',
    'app_developer',
    'app_admin',
    'app_preview',
    'org_admin',
    'org_super_admin',
  ]
  const from = (role: SeedKey['role']) =>
    everyone.slice(everyone.indexOf(role)).filter(name => name !== 'app_preview')
  const calls: [string, string, string, Record<string, unknown> | undefined, SeedKey['role'][], string][] = [
    ['list bundles', 'GET', `/bundle?app_id=${APP}`, undefined, everyone, 'cannot_get_bundle'],
    [
      'list channels',
      'GET',
      `/channel?app_id=${APP}`,
      undefined,
      everyone.filter(name => name !== 'app_preview'),
      'cannot_access_app',
    ],
    [
      'list devices',
      'GET',
      `/device?app_id=${APP}`,
      undefined,
      everyone.filter(name => name !== 'app_preview'),
      'cannot_access_app',
    ],
    [
      'promote',
      'PUT',
      '/bundle',
      { app_id: APP, version_id: 1, channel_id: 1 },
      from('app_uploader'),
      'cannot_access_app',
    ],
    [
      'create a channel',
      'POST',
      '/channel',
      { app_id: APP, channel: 'new' },
      [...from('app_developer'), 'app_preview'],
      'cannot_access_app',
    ],
    [
      'change a channel',
      'POST',
      '/channel',
      { app_id: APP, channel: 'production', ios: true },
      from('app_admin'),
      'cannot_access_app',
    ],
    [
      'delete a channel',
      'DELETE',
      '/channel',
      { app_id: APP, channel: 'production' },
      ['app_admin', 'org_super_admin'],
      'cannot_access_app',
    ],
    [
      'delete a bundle',
      'DELETE',
      '/bundle',
      { app_id: APP, version: '1.0.2' },
      ['app_admin', 'org_super_admin'],
      'cannot_delete_bundle',
    ],
    [
      'pin a device',
      'POST',
      '/device',
      { app_id: APP, device_id: device(1), channel: 'pr-1' },
      from('app_developer'),
      'cannot_access_channel',
    ],
    [
      'release a device',
      'DELETE',
      '/device',
      { app_id: APP, device_id: device(1) },
      from('app_developer'),
      'cannot_access_app',
    ],
    [
      'clean up a failed upload',
      'DELETE',
      '/private/delete_failed_version',
      { app_id: APP, name: '1.0.3' },
      ['app_admin', 'org_super_admin'],
      'not_authorized',
    ],
  ]
  it.each(calls)('%s', async (_name, method, path, body, may, refusal) => {
    for (const role of everyone) {
      const { capgo, key } = await lab()
      capgo.seedBundle({ appId: APP, name: '1.0.1' })
      capgo.seedBundle({ appId: APP, name: '1.0.2' })
      capgo.seedBundle({ appId: APP, name: '1.0.3', storage_provider: 'r2-direct' })
      capgo.seedChannel({ appId: APP, name: 'production' })
      capgo.seedChannel({ appId: APP, name: 'pr-1' })
      capgo.seedDevice({ appId: APP, deviceId: device(9) })
      const answer = await call(capgo, method, path, { key: key(role), body })
      expect([role, answer.status === 200 ? 'ok' : answer.body.error]).toEqual([
        role,
        may.includes(role) ? 'ok' : refusal,
      ])
    }
  })

  it('a single one can be taken away from a key', async () => {
    const { capgo, key } = await lab()
    const check = async (secret: string, permission_key: string) =>
      (
        await rest(capgo, 'POST', 'rpc/cli_check_permission', {
          key: secret,
          body: { apikey: secret, permission_key, org_id: null, app_id: APP, channel_id: null },
        })
      ).body
    const weak = key('app_admin', { without: ['channel.promote_bundle'] })
    expect([await check(weak, 'channel.promote_bundle'), await check(weak, 'app.upload_bundle')]).toEqual([
      false,
      true,
    ])
  })

  it('app.manage_devices without channel.manage_forced_devices: DELETE /device says ok and removes nothing', async () => {
    const { capgo, key } = await lab()
    capgo.seedChannel({ appId: APP, name: 'pr-1' })
    capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'pr-1' })
    const weak = key('app_developer', { without: ['channel.manage_forced_devices'] })
    const body = { app_id: APP, device_id: device(1) }
    expect((await call(capgo, 'DELETE', '/device', { key: weak, body })).body).toEqual({ status: 'ok' })
    expect(capgo.store.count('channel_devices')).toBe(1)
    expect((await call(capgo, 'DELETE', '/private/channel_device', { key: weak, body })).body.error).toBe(
      'permission_denied',
    )
  })
})

describe('an app_preview key', () => {
  it('lives the life of a pull request: own bundles, own channel, and both gone together', async () => {
    const { capgo, key } = await lab()
    const preview = key('app_preview')
    capgo.seedBundle({ appId: APP, name: '1.0.0' })
    const upload = (name: string) =>
      rest(capgo, 'POST', 'app_versions?select=id', {
        key: preview,
        headers: representation,
        body: { app_id: APP, name, storage_provider: 'r2' },
      })
    const post = (version: string) =>
      call(capgo, 'POST', '/channel', { key: preview, body: { app_id: APP, channel: 'pr-7', version } })
    expect((await post('1.0.0')).body).toMatchObject({
      error: 'cannot_set_bundle_to_channel',
      moreInfo: { error: 'PREVIEW_APIKEY_CAN_ONLY_PROMOTE_OWN_BUNDLE' },
    })
    expect(capgo.store.count('channels')).toBe(0)
    await upload('1.0.1-pr.7.1')
    const made = (await post('1.0.1-pr.7.1')).body
    expect(made).toEqual({ status: 'ok', id: made.id, public: false })
    const second = (await upload('1.0.1-pr.7.2')).body[0].id
    expect((await post('1.0.1-pr.7.2')).body.error).toBe('cannot_access_app')
    expect(
      (
        await call(capgo, 'PUT', '/bundle', {
          key: preview,
          body: { app_id: APP, version_id: second, channel_id: made.id },
        })
      ).status,
    ).toBe(200)
    const foreign = await call(capgo, 'POST', '/bundle/metadata', {
      key: preview,
      body: { app_id: APP, version_id: 1, link: 'https://x' },
    })
    expect(foreign.body.moreInfo.supabaseError.message).toBe('PREVIEW_APIKEY_CAN_ONLY_MANAGE_OWN_BUNDLE')
    const remove = (secret: string) =>
      call(capgo, 'DELETE', '/channel', {
        key: secret,
        body: { app_id: APP, channel: 'pr-7', delete_bundle: true },
      })
    expect((await remove(key('org_super_admin'))).body.error).toBe('cannot_access_app')
    expect((await remove(preview)).body).toEqual({ status: 'ok' })
    expect(capgo.store.list('app_versions').map(bundle => [bundle.name, bundle.deleted])).toEqual([
      ['1.0.0', false],
      ['1.0.1-pr.7.1', false],
      ['1.0.1-pr.7.2', true],
    ])
  })
})

describe('traps', () => {
  it('DELETE /bundle without a version deletes what no channel serves, and is remembered', async () => {
    const { capgo, admin } = await lab()
    for (const name of ['1.0.0', '1.0.1', '1.0.2']) capgo.seedBundle({ appId: APP, name })
    capgo.seedChannel({ appId: APP, name: 'production', bundle: '1.0.2', rolloutBundle: '1.0.1' })
    for (const version of [undefined, '', null])
      await call(capgo, 'DELETE', '/bundle', { key: admin, body: { app_id: APP, version } })
    await call(capgo, 'DELETE', `/bundle?app_id=${APP}`, { key: admin })
    expect(capgo.store.list('app_versions', { deleted: false }).map(bundle => bundle.name)).toEqual([
      '1.0.1',
      '1.0.2',
    ])
    expect(capgo.deleteAllAttempts.map(request => request.path)).toEqual([
      '/bundle',
      '/bundle',
      '/bundle',
      `/bundle?app_id=${APP}`,
    ])
  })

  it('POST /device without a channel says ok and changes nothing', async () => {
    const { capgo, admin } = await lab()
    capgo.seedChannel({ appId: APP, name: 'pr-1' })
    capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'pr-1' })
    for (const channel of [null, '', undefined]) {
      const answer = await call(capgo, 'POST', '/device', {
        key: admin,
        body: { app_id: APP, device_id: device(1), channel },
      })
      expect(answer.body).toEqual({ status: 'ok' })
    }
    expect(capgo.store.count('channel_devices')).toBe(1)
  })

  it('an unknown bundle: 500 on an existing channel, 400 and nothing created on a new one', async () => {
    const { capgo, admin } = await lab()
    capgo.seedChannel({ appId: APP, name: 'production' })
    const post = (channel: string, more = {}) =>
      call(capgo, 'POST', '/channel', {
        key: admin,
        body: { app_id: APP, channel, version: '7.7.7', ...more },
      })
    expect(await post('production')).toMatchObject({ status: 500, body: { error: 'unknown_error' } })
    expect(await post('new')).toMatchObject({ status: 400, body: { error: 'cannot_find_version' } })
    expect(await post('production', { version: undefined, disableAutoUpdate: 'metadata' })).toMatchObject({
      status: 500,
    })
    expect(capgo.store.count('channels')).toBe(1)
  })

  it('no bundles are a 400; pages overlap; GET /channel misnames the unknown channel', async () => {
    const { capgo, admin } = await lab()
    const list = (query = '') => call(capgo, 'GET', `/bundle?app_id=${APP}${query}`, { key: admin })
    expect((await list()).body.error).toBe('cannot_get_bundle')
    for (let n = 0; n < 120; n++) capgo.seedBundle({ appId: APP, name: `1.0.${n}` })
    expect([
      (await list()).body.length,
      (await list('&page=1')).body.length,
      (await list('&page=2')).body.length,
    ]).toEqual([50, 70, 20])
    expect((await list('&page=3')).status).toBe(400)
    expect((await call(capgo, 'GET', `/channel?app_id=${APP}&channel=nope`, { key: admin })).body.error).toBe(
      'cannot_find_version',
    )
  })
})

describe('channels', () => {
  it('a preview channel in one call, and its bundle on a device that asks for it', async () => {
    const { capgo, admin } = await lab()
    capgo.seedBundle({ appId: APP, name: '1.0.1-pr.5.1', bytes: zip })
    const body = {
      app_id: APP,
      channel: 'pr-5',
      version: '1.0.1-pr.5.1',
      public: false,
      allow_device_self_set: true,
      disableAutoUpdate: 'none',
      disableAutoUpdateUnderNative: false,
    }
    expect((await call(capgo, 'POST', '/channel', { key: admin, body })).body).toEqual({
      status: 'ok',
      id: 1,
      public: false,
    })
    const answer = (await ask(capgo, { defaultChannel: 'pr-5' })).body
    expect(answer).toEqual({
      version: '1.0.1-pr.5.1',
      url: expect.stringContaining(`/1.0.1-pr.5.1.zip?key=${sha(zip)}&device_id=${device(1)}`),
      session_key: '',
      checksum: sha(zip),
    })
    const download = await fetch(answer.url)
    expect(sha(new Uint8Array(await download.arrayBuffer()))).toBe(answer.checksum)
    expect((await ask(capgo, { defaultChannel: 'nope' })).body).toMatchObject({
      error: 'no_channel',
      kind: 'failed',
    })
  })

  it('rollout: started, seen by its cohort, promoted to stable, taken back', async () => {
    const { capgo, admin } = await lab()
    capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    capgo.seedBundle({ appId: APP, name: '1.1.0', bytes: zip })
    capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
    const post = (more: object) =>
      call(capgo, 'POST', '/channel', { key: admin, body: { app_id: APP, channel: 'production', ...more } })
    const shares = async () => {
      const counts: Record<string, number> = {}
      for (let n = 0; n < 60; n++) {
        const { version } = (await ask(capgo, { device_id: device(n) })).body
        counts[version] = (counts[version] ?? 0) + 1
      }
      return counts
    }
    expect((await post({ rolloutPercentage: 200 })).body.error).toBe('invalid_rollout_percentage')
    expect((await post({ rolloutPercentageBps: 1.5 })).body.error).toBe('invalid_rollout_config')
    expect((await post({ promoteToStable: true })).body.error).toBe('missing_rollout_version')
    expect(
      (await post({ rolloutVersion: '1.1.0', rolloutPercentage: 50, rolloutEnabled: true })).body,
    ).toEqual({ status: 'ok' })
    const half = await shares()
    expect(half['1.0.1']! + half['1.1.0']!).toBe(60)
    expect(half['1.1.0']).toBeGreaterThan(15)
    await post({ rolloutPaused: true, rolloutPauseReason: 'crashes' })
    expect(await shares()).toEqual({ '1.0.1': 60 })
    const shown = (await call(capgo, 'GET', `/channel?app_id=${APP}&channel=production`, { key: admin })).body
    expect(shown).toMatchObject({
      rolloutPauseReason: 'crashes',
      rolloutPercentageBps: 5000,
      rollout_version_info: { name: '1.1.0' },
    })
    await post({ rolloutPaused: false, promoteToStable: true })
    expect(await shares()).toEqual({ '1.1.0': 60 })
    expect(capgo.store.find('channels', { id: 1 })).toMatchObject({
      rollout_version: null,
      rollout_enabled: false,
      rollout_percentage_bps: 0,
    })
  })

  it('base keeps a rollout on promotion, [N] ends it; `builtin` is answered differently', async () => {
    for (const profile of ['base', 'new'] as const) {
      const { capgo, admin } = await lab({ profile })
      for (const name of ['1.0.1', '1.1.0', '1.2.0']) capgo.seedBundle({ appId: APP, name, bytes: zip })
      capgo.seedChannel({
        appId: APP,
        name: 'production',
        public: true,
        bundle: '1.0.1',
        rolloutBundle: '1.1.0',
        rollout_enabled: true,
        rollout_percentage_bps: 10_000,
      })
      await call(capgo, 'PUT', '/bundle', { key: admin, body: { app_id: APP, version_id: 3, channel_id: 1 } })
      expect((await ask(capgo)).body.version).toBe(profile === 'base' ? '1.1.0' : '1.2.0')
      await call(capgo, 'POST', '/channel', {
        key: admin,
        body: { app_id: APP, channel: 'production', version: null, rollback: true },
      })
      const answer = (await ask(capgo, { version_name: '1.0.1' })).body
      expect(answer).toEqual(
        profile === 'base'
          ? {
              error: 'already_on_builtin',
              message: 'Already on builtin',
              version: 'builtin',
              kind: 'up_to_date',
            }
          : { version: 'builtin' },
      )
    }
  })
})

describe('[N] manifests', () => {
  it('set_manifest is unknown to base servers', async () => {
    const { capgo, admin } = await lab()
    expect(await call(capgo, 'POST', '/private/set_manifest', { key: admin, body: {} })).toMatchObject({
      status: 404,
      body: { error: 'not_found' },
    })
  })

  it('rows are there at once, twice is fine, receipts are checked, identity is locked', async () => {
    const { capgo, admin, path } = await lab({ profile: 'new' })
    const insert = { app_id: APP, name: '1.0.1', storage_provider: 'r2-direct', checksum: 'abc' }
    await rest(capgo, 'POST', 'app_versions', { key: admin, body: insert })
    const key = path(`delta/${sha('hash')}_index.html`)
    const made = await create(capgo, admin, key, { length: 9 })
    const stored = await append(capgo, admin, made.headers.get('location')!, 0, noise(9))
    const receipt = stored.headers.get('x-capgo-manifest-size-receipt')
    const entry = { file_name: 'index.html', s3_path: key, file_hash: 'hash', file_size_receipt: receipt }
    const set = (manifest: unknown) =>
      call(capgo, 'POST', '/private/set_manifest', {
        key: admin,
        body: { app_id: APP, name: '1.0.1', manifest },
      })
    expect((await set([{ ...entry, file_size_receipt: '1.x' }])).body.error).toBe(
      'error_manifest_size_receipt_invalid',
    )
    expect((await set([{ ...entry, s3_path: 'orgs/x' }])).body.error).toBe('error_manifest_invalid')
    expect((await set([entry])).body).toEqual({ status: 'ok', inserted: 1, alreadyPresent: 0 })
    expect((await set([entry])).body).toEqual({ status: 'ok', inserted: 0, alreadyPresent: 1 })
    expect(capgo.store.list('manifest')).toMatchObject([{ file_name: 'index.html', file_size: 9 }])
    const patch = (body: object) =>
      rest(capgo, 'PATCH', 'app_versions?name=eq.1.0.1', { key: admin, headers: representation, body })
    expect((await patch({ checksum: 'other' })).body.message).toMatch(/^bundle_identity_locked/)
    expect((await patch({ manifest: [entry] })).body.message).toMatch(/^r2_direct_manifest_jsonb/)
    expect((await patch({ r2_path: 'elsewhere.zip' })).body.message).toMatch(/^invalid_r2_path/)
    expect(
      (
        await call(capgo, 'POST', '/private/finalize_bundle_upload', {
          key: admin,
          body: { app_id: APP, name: '1.0.1' },
        })
      ).body,
    ).toEqual({ status: 'ok' })
    expect((await set([entry])).body.error).toBe('error_version_already_finalized')
  })
})

describe('devices that ask', () => {
  it('order of precedence: override, default channel without fall-through, public channel', async () => {
    const { capgo } = await lab()
    for (const name of ['1.0.1', '1.0.2', '1.0.3']) capgo.seedBundle({ appId: APP, name, bytes: zip })
    capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
    capgo.seedChannel({
      appId: APP,
      name: 'beta',
      allow_device_self_set: true,
      bundle: '1.0.2',
      android: false,
    })
    capgo.seedChannel({ appId: APP, name: 'private', bundle: '1.0.3', ios: false })
    expect((await ask(capgo)).body.version).toBe('1.0.1')
    expect((await ask(capgo, { defaultChannel: 'beta' })).body.version).toBe('1.0.2')
    expect((await ask(capgo, { defaultChannel: 'beta', platform: 'android' })).body.error).toBe('no_channel')
    expect((await ask(capgo, { defaultChannel: 'private' })).body.error).toBe('no_channel')
    capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'private' })
    expect((await ask(capgo, { defaultChannel: 'beta' })).body.error).toBe('disabled_platform_ios')
    expect((await ask(capgo, { defaultChannel: 'beta', platform: 'android' })).body.version).toBe('1.0.3')
    capgo.store.update('app_versions', capgo.store.find('app_versions', { name: '1.0.3' })!, {
      deleted: true,
    })
    expect((await ask(capgo, { defaultChannel: 'beta' })).body.version).toBe('1.0.2')
  })

  it('are refused when the body is malformed', async () => {
    const { capgo } = await lab()
    const error = async (more: Record<string, unknown>) => (await ask(capgo, more)).body.error
    expect(await error({ device_id: 'x' })).toBe('invalid_json_body')
    expect(await error({ device_id: '' })).toBe('missing_device_id')
    expect(await error({ app_id: undefined })).toBe('missing_app_id')
    expect(await error({ version_build: 'abc' })).toBe('semver_error')
    expect(await error({ defaultChannel: null })).toBe('invalid_json_body')
    expect(await error({ plugin_version: '8' })).toBe('invalid_json_body')
    expect((await call(capgo, 'POST', '/updates', { body: '{nope' })).body.error).toBe(
      'invalid_json_parse_body',
    )
    expect((await call(capgo, 'GET', '/updates')).body).toEqual({ status: 'ok' })
  })

  it('get link and comment only when the app shows them to a plugin that reads them', async () => {
    const { capgo } = await lab()
    capgo.seedApp({ appId: 'com.open.app', exposeMetadata: true })
    capgo.seedBundle({ appId: 'com.open.app', name: '1.0.1', bytes: zip, link: 'https://l', comment: 'c' })
    capgo.seedChannel({ appId: 'com.open.app', name: 'production', public: true, bundle: '1.0.1' })
    expect((await ask(capgo, { app_id: 'com.open.app' })).body).toMatchObject({
      link: 'https://l',
      comment: 'c',
    })
    expect((await ask(capgo, { app_id: 'com.open.app', plugin_version: '8.34.0' })).body).not.toHaveProperty(
      'link',
    )
  })

  it('are in the inventory afterwards, with override and bundle id, in pages', async () => {
    const { capgo, admin } = await lab()
    capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
    capgo.seedChannel({ appId: APP, name: 'pr-1' })
    for (let n = 1; n <= 5; n++) {
      await ask(capgo, { device_id: device(n).toUpperCase(), version_name: '1.0.1' })
      capgo.clock.advance(1_000)
    }
    capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'pr-1' })
    const read = (query: string) => call(capgo, 'GET', `/device?app_id=${APP}${query}`, { key: admin })
    expect((await read(`&device_id=${device(1)}`)).body).toMatchObject({
      device_id: device(1),
      version_name: '1.0.1',
      version: 1,
      channel: 'pr-1',
    })
    const first = (await read('&limit=2')).body
    expect(first.data.map((row: { device_id: string }) => row.device_id)).toEqual([device(5), device(4)])
    const second = (await read(`&limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)).body
    expect(second.data.map((row: { device_id: string }) => row.device_id)).toEqual([device(3), device(2)])
    const third = (await read(`&limit=2&cursor=${encodeURIComponent(second.nextCursor)}`)).body
    expect(third).toMatchObject({ data: [{ device_id: device(1) }], hasMore: false })
    expect((await read('&limit=2&order=asc')).body.data[0].device_id).toBe(device(1))
    const since = (await read('&updated_at=2026-07-01T12:00:02Z')).body.data
    expect(since.map((row: { device_id: string }) => row.device_id)).toEqual([device(5), device(4)])
    expect([
      (await read('&limit=0')).body.error,
      (await read('&order=x')).body.error,
      (await read('&updated_at=today')).body.error,
    ]).toEqual(['invalid_limit', 'invalid_order', 'invalid_updated_at'])
  })
})

it('channel_self: old plugins keep the choice here, new ones only ask', async () => {
  const { capgo } = await lab()
  capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
  capgo.seedChannel({ appId: APP, name: 'beta', allow_device_self_set: true, bundle: '1.0.1' })
  capgo.seedChannel({ appId: APP, name: 'production', public: true })
  const body = (plugin_version: string, channel?: string) => ({
    app_id: APP,
    device_id: device(1),
    version_name: 'builtin',
    version_build: '1.0.0',
    platform: 'ios',
    plugin_version,
    ...(channel ? { channel } : {}),
  })
  const self = async (method: string, plugin: string, channel?: string) => {
    const query = method === 'GET' || method === 'DELETE'
    const path = query
      ? `/channel_self?${new URLSearchParams({ ...body(plugin), is_prod: 'true', is_emulator: 'false' })}`
      : '/channel_self'
    capgo.clock.advance(61_000)
    return (await call(capgo, method, path, query ? {} : { body: body(plugin, channel) })).body
  }
  expect(await self('POST', '8.0.0', 'beta')).toEqual({ status: 'ok', allowSet: true })
  expect((await ask(capgo)).body.error).not.toBeUndefined()
  expect((await self('POST', '8.0.0')).error).toBe('missing_channel')
  expect((await self('POST', '8.0.0', 'nope')).error).toBe('channel_not_found')
  expect((await self('POST', '8.0.0', 'production')).error).toBe('public_channel_self_set_not_allowed')
  expect(await self('PUT', '8.0.0')).toEqual({ channel: 'production', status: 'default' })
  expect(await self('POST', '7.33.0', 'beta')).toEqual({ status: 'ok' })
  expect((await ask(capgo, { plugin_version: '7.33.0' })).body.version).toBe('1.0.1')
  expect(await self('PUT', '7.33.0')).toEqual({ channel: 'beta', status: 'override', allowSet: true })
  expect(await self('DELETE', '7.33.0')).toEqual({ status: 'ok' })
  expect(await self('GET', '8.0.0')).toEqual([
    { id: 1, name: 'beta', public: false, allow_self_set: true },
    { id: 2, name: 'production', public: true, allow_self_set: false },
  ])
})

it('stats: one event, many, and mixed apps', async () => {
  const { capgo } = await lab()
  const event = (action: string, app_id = APP) => ({
    app_id,
    device_id: device(1),
    version_name: '1.0.1',
    version_build: '1.0.0',
    platform: 'ios',
    plugin_version: '8.0.0',
    action,
  })
  const post = async (body: unknown) => (await call(capgo, 'POST', '/stats', { body })).body
  expect(await post(event('set'))).toEqual({ status: 'ok' })
  expect(await post([event('set'), { ...event('update_fail'), device_id: 'x' }])).toMatchObject({
    status: 'ok',
    results: [
      { status: 'ok', index: 0 },
      { status: 'error', index: 1, error: 'invalid_json_body' },
    ],
  })
  expect((await post([event('set'), event('set', 'com.other.app')])).error).toBe('mixed_app_ids')
  expect(capgo.store.list('stats').map(row => row.action)).toEqual(['set', 'set'])
})

describe('previews', () => {
  it('files of a bundle by host name, brotli undone; the payload for zip-only bundles', async () => {
    const { capgo } = await lab()
    capgo.seedApp({ appId: 'com.My-App', allowPreview: true })
    const page = Buffer.from('<!doctype html>')
    capgo.seedBundle({
      appId: 'com.My-App',
      name: '1.0.1',
      bytes: zip,
      files: [
        { name: 'index.html', bytes: page },
        { name: 'a.js.br', bytes: brotliCompressSync('let a') },
      ],
    })
    capgo.seedBundle({ appId: 'com.My-App', name: '1.0.2', bytes: zip })
    capgo.seedBundle({ appId: 'com.My-App', name: '1.0.3', bytes: zip, session_key: 'x' })
    capgo.seedChannel({ appId: 'com.My-App', name: 'pr-1', bundle: '1.0.1' })
    const read = (label: string, path = '/') =>
      getFrom(capgo, `${label}-com-0-my-1-app.preview.capgo.app`, path)
    const root = await read('1')
    expect([root.status, root.body, root.headers['content-type'], root.headers['cache-control']]).toEqual([
      200,
      '<!doctype html>',
      'text/html',
      'public, max-age=31536000, immutable',
    ])
    expect((await read('c1')).headers['cache-control']).toContain('no-store')
    expect((await read('1', '/a.js')).body).toBe('let a')
    expect(JSON.parse((await read('1', '/nope')).body).error).toBe('file_not_found')
    expect(JSON.parse((await read('2')).body).error).toBe('no_manifest')
    expect(JSON.parse((await read('3')).body).error).toBe('bundle_encrypted')
    expect(JSON.parse((await read('9')).body).error).toBe('bundle_not_found')
    expect(JSON.parse((await read('c9')).body).error).toBe('channel_not_found')
    const payload = JSON.parse((await read('2', '/.capgo/preview.json')).body)
    expect(payload).toMatchObject({ appId: 'com.My-App', version: '1.0.2', checksum: sha(zip) })
    expect((await fetch(payload.url)).status).toBe(200)
    expect(JSON.parse((await getFrom(capgo, '1-com-0lab-0demo.preview.capgo.app', '/')).body).error).toBe(
      'preview_disabled',
    )
    expect(JSON.parse((await getFrom(capgo, 'nonsense.preview.capgo.app', '/')).body).error).toBe(
      'invalid_subdomain',
    )
  })
})

describe('runtimes and mirrors', () => {
  it('edge: other flags, opaque locations, presigned downloads, no web preview', async () => {
    const { capgo, admin, path } = await lab({ runtime: 'edge', filesConfig: { alertUploadSize: 5 } })
    expect((await call(capgo, 'GET', '/functions/v1/files/config')).body).toMatchObject({
      partialUpload: false,
      TUSUploadForced: false,
      alertUploadSize: 5,
    })
    const made = await create(capgo, admin, path('1.0.1.zip'), { length: 10 })
    const location = made.headers.get('location')!
    expect(location).toMatch(/\/functions\/v1\/files\/upload\/attachments\/[0-9a-f-]{36}$/)
    expect((await append(capgo, admin, location, 0, noise(10))).status).toBe(204)
    capgo.seedBundle({ appId: APP, name: '1.0.1', bytes: zip })
    capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
    const { url } = (await ask(capgo)).body
    expect(url).toContain('X-Amz-Expires=604800')
    expect(sha(new Uint8Array(await (await fetch(url)).arrayBuffer()))).toBe(sha(zip))
  })

  it('everything is under /functions/v1 too, with and without a slash at the end', async () => {
    const { capgo, admin } = await lab()
    for (const path of ['/private/config', '/files/config', '/ok', `/app/${APP}`, '/updates'])
      for (const variant of [path, `${path}/`, `/functions/v1${path}`, `/functions/v1${path}/`])
        expect([variant, (await call(capgo, 'GET', variant, { key: admin })).status]).toEqual([variant, 200])
    const tables = await call(capgo, 'GET', '/functions/v1/rest/v1/apps?select=app_id', {
      key: admin,
      headers: { apikey: capgo.anonKey },
    })
    expect(tables.body).toEqual([{ app_id: APP }])
    expect(await call(capgo, 'GET', '/nope')).toMatchObject({
      status: 404,
      body: { error: 'not_found', message: 'Not found' },
    })
  })

  it('keys: capgkey before authorization, no Bearer, no x-api-key; the console routes read others', async () => {
    const { capgo, admin } = await lab()
    const read = async (headers: Record<string, string>) => {
      const { status, body } = await call(capgo, 'GET', `/app/${APP}`, { headers })
      return status === 200 ? 'ok' : body.error
    }
    expect(await read({ capgkey: admin, authorization: 'Bearer x' })).toBe('ok')
    expect(await read({ authorization: admin })).toBe('ok')
    expect(await read({ authorization: `Bearer ${admin}` })).toBe('invalid_apikey')
    expect(await read({ 'x-api-key': admin })).toBe('no_key_provided')
    const list = async (headers: Record<string, string>) => {
      const { status, body } = await call(capgo, 'POST', '/private/devices', {
        headers,
        body: { appId: APP },
      })
      return status === 200 ? 'ok' : body.error
    }
    expect(await list({ 'x-api-key': admin })).toBe('ok')
    expect(await list({ authorization: admin })).toBe('ok')
    expect(await list({ authorization: `Bearer ${capgo.anonKey}`, capgkey: admin })).toBe('invalid_jwt')
    expect(await list({})).toBe('no_jwt_apikey_or_subkey')
  })
})

it('the page shows state as text only, and no key', async () => {
  const { capgo, admin } = await lab()
  capgo.seedChannel({ appId: APP, name: '<script>alert(1)</script>' })
  await call(capgo, 'GET', `/app/${APP}`, { key: admin })
  const page = await call(capgo, 'GET', '/')
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/)
  for (const name of ['page', 'phone', 'requests', 'elements']) {
    const script = await call(capgo, 'GET', `/_local/${name}.js`)
    expect(script.headers.get('content-type')).toContain('text/javascript')
    expect(script.body).not.toContain('innerHTML')
  }
  const state = await call(capgo, 'GET', '/_local/state')
  expect(state.body).toMatchObject({ channels: [{ name: '<script>alert(1)</script>' }], requestCount: 1 })
  expect(JSON.stringify(state.body)).not.toContain(admin)
  const request = await call(capgo, 'GET', '/_local/requests/1')
  expect(request.body).toMatchObject({ method: 'GET', path: `/app/${APP}` })
  expect(JSON.stringify(request.body)).not.toContain(admin)
  for (const path of ['/_local/state', '/_local/requests/1'])
    expect((await getFrom(capgo, 'evil.example', path)).status).toBe(403)
})
