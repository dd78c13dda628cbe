import { beforeEach, describe, expect, it } from 'vitest'
import { APP, call, device, lab, representation, rest } from './client.ts'

type Lab = Awaited<ReturnType<typeof lab>>
let setup: Lab
const get = (path: string, headers: Record<string, string> = {}) =>
  rest(setup.capgo, 'GET', path, { key: setup.admin, headers })
const names = async (query: string) =>
  (await get(`app_versions?select=name&${query}`)).body.map((row: { name: string }) => row.name)

beforeEach(async () => {
  setup = await lab()
  const { capgo } = setup
  capgo.seedBundle({ appId: APP, name: '1.0.0', comment: 'a,b' })
  capgo.seedBundle({ appId: APP, name: '1.0.1', deleted: true })
  capgo.seedBundle({ appId: APP, name: '1.1.0', storage_provider: 'r2-direct', r2_path: null })
  capgo.seedBundle({ appId: APP, name: '2.0.0', link: 'https://x' })
  capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '2.0.0', rolloutBundle: '1.0.0' })
  capgo.seedChannel({ appId: APP, name: 'empty' })
})

describe('filters', () => {
  it.each([
    ['name=eq.1.0.0', ['1.0.0']],
    ['name=neq.1.0.0', ['1.0.1', '1.1.0', '2.0.0']],
    ['id=gt.2', ['1.1.0', '2.0.0']],
    ['id=gte.2&id=lt.4', ['1.0.1', '1.1.0']],
    ['id=lte.1', ['1.0.0']],
    ['name=in.(1.0.0,2.0.0)', ['1.0.0', '2.0.0']],
    ['name=in.("1.0.0","2.0.0")', ['1.0.0', '2.0.0']],
    ['name=in.()', []],
    ['comment=in.("a,b")', ['1.0.0']],
    ['name=not.in.(1.0.0)', ['1.0.1', '1.1.0', '2.0.0']],
    ['deleted=is.true', ['1.0.1']],
    ['deleted=eq.false', ['1.0.0', '1.1.0', '2.0.0']],
    ['link=is.null', ['1.0.0', '1.0.1', '1.1.0']],
    ['link=not.is.null', ['2.0.0']],
    ['name=like.1.0*', ['1.0.0', '1.0.1']],
    ['name=like.1_0*', ['1.0.0', '1.0.1']],
    ['storage_provider=ilike.R2-*', ['1.1.0']],
    ['storage_provider=like.R2-*', []],
    ['or=(name.eq.1.0.0,id.in.(3,4))', ['1.0.0', '1.1.0', '2.0.0']],
    ['or=(and(id.gt.1,deleted.is.true),link.not.is.null)', ['1.0.1', '2.0.0']],
    ['and=(id.gt.1,not.or(id.eq.2,id.eq.3))', ['2.0.0']],
    ['not.or=(id.eq.1,id.eq.2)', ['1.1.0', '2.0.0']],
    ['order=name.desc&limit=2', ['2.0.0', '1.1.0']],
    ['order=link.asc,id.desc', ['2.0.0', '1.1.0', '1.0.1', '1.0.0']],
    ['order=link.desc.nullslast,id', ['2.0.0', '1.0.0', '1.0.1', '1.1.0']],
    ['order=id&limit=2&offset=1', ['1.0.1', '1.1.0']],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected)
  })

  it.each([
    ['app_versions?nope=eq.1', 400, '42703'],
    ['app_versions?select=nope', 400, '42703'],
    ['app_versions?id=eq.x', 400, '22P02'],
    ['app_versions?name=foo', 400, 'PGRST100'],
    ['app_versions?name=in.(a', 400, 'PGRST100'],
    ['nope', 404, 'PGRST205'],
    ['apikeys', 404, 'PGRST205'],
    ['apikeys?select=key', 404, 'PGRST205'],
    ['channels?select=name,app_versions(name)', 300, 'PGRST201'],
    ['channels?select=name,devices(id)', 400, 'PGRST200'],
  ])('%s -> %i %s', async (path, status, code) => {
    expect(await get(path)).toMatchObject({ status, body: { code } })
  })
})

describe('select', () => {
  it('filters, orders and limits what is embedded, by its own name', async () => {
    const read = async (query: string) =>
      (await get(`apps?select=app_id,bundles:app_versions!app_versions_app_id_fkey(name)&${query}`)).body[0]
        .bundles
    expect(await read('bundles.name=like.1.0*')).toEqual([{ name: '1.0.0' }, { name: '1.0.1' }])
    expect(await read('bundles.order=id.desc&bundles.limit=2')).toEqual([
      { name: '2.0.0' },
      { name: '1.1.0' },
    ])
    expect(await read('bundles.name=eq.9.9.9')).toEqual([])
    expect((await get('apps?select=app_id&bundles.name=eq.1.0.0')).status).toBe(400)
  })

  it('embeds by foreign key, by column and from the other side, with other names', async () => {
    const { body } = await get(
      'channels?name=eq.production&select=channel:name,version:app_versions!channels_version_fkey(id,name),rollout_version(name)',
    )
    expect(body).toEqual([
      { channel: 'production', version: { id: 4, name: '2.0.0' }, rollout_version: { name: '1.0.0' } },
    ])
    setup.capgo.seedOverride({ appId: APP, deviceId: device(1), channel: 'empty' })
    expect((await get('channel_devices?select=device_id,channel:channels(name,version(name))')).body).toEqual(
      [{ device_id: device(1), channel: { name: 'empty', version: null } }],
    )
    expect((await get('channels?name=eq.empty&select=name,channel_devices(device_id)')).body).toEqual([
      { name: 'empty', channel_devices: [{ device_id: device(1) }] },
    ])
    expect((await get('channels?select=name,version!inner(name)')).body).toEqual([
      { name: 'production', version: { name: '2.0.0' } },
    ])
  })

  it('single objects: 406 PGRST116 for none and for two', async () => {
    const object = { accept: 'application/vnd.pgrst.object+json' }
    expect((await get('channels?name=eq.empty&select=id', object)).body).toEqual({ id: 2 })
    expect(await get('channels?name=eq.nope', object)).toMatchObject({
      status: 406,
      body: { code: 'PGRST116' },
    })
    expect(await get('channels', object)).toMatchObject({
      status: 406,
      body: { details: 'The result contains 2 rows' },
    })
  })

  it('pages by range or limit, counts when asked, 1000 rows at most', async () => {
    for (let n = 0; n < 1_200; n++)
      setup.capgo.seedOverride({ appId: APP, deviceId: device(n), channel: 'empty' })
    const all = await get('channel_devices?select=device_id')
    expect([all.body.length, all.headers.get('content-range')]).toEqual([1_000, '0-999/*'])
    const rest_ = await get('channel_devices?select=device_id&order=id&offset=1000', {
      prefer: 'count=exact',
    })
    expect([rest_.status, rest_.body.length, rest_.headers.get('content-range')]).toEqual([
      206,
      200,
      '1000-1199/1200',
    ])
    const ranged = await get('channel_devices?select=device_id', { range: '10-14' })
    expect([ranged.body.length, ranged.headers.get('content-range')]).toEqual([5, '10-14/*'])
    expect((await get('channel_devices?offset=2000', { prefer: 'count=exact' })).status).toBe(416)
  })
})

/** As PostgREST 12.2, 13.0 and 14.12 answered over Capgo's tables. */
describe('what is embedded in an app', () => {
  const channels = 'channels!channels_app_id_fkey(name,version:app_versions!channels_version_fkey(name))'

  it('channels by an or of their own; without one that fits, the app is there all the same', async () => {
    const read = async (or: string) =>
      (await get(`apps?app_id=eq.${APP}&select=app_id,${channels}&channels.or=(${or})`)).body
    expect(await read('name.eq.empty,public.is.true')).toEqual([
      {
        app_id: APP,
        channels: [
          { name: 'production', version: { name: '2.0.0' } },
          { name: 'empty', version: null },
        ],
      },
    ])
    expect(await read('name.eq.none,name.eq.other')).toEqual([{ app_id: APP, channels: [] }])
  })

  it('the same list several times, each part with its own limit and offset, 1000 rows at most in each', async () => {
    const { capgo } = setup
    const [bundle] = capgo.store.list('app_versions', { name: '2.0.0' })
    for (let index = 0; index < 1100; index++)
      capgo.store.insert('manifest', {
        app_version_id: bundle!.id,
        file_name: `f${index}`,
        s3_path: 'p',
        file_hash: 'h',
        file_size: index,
      })
    const page = (name: string) => `${name}:manifest!manifest_app_version_id_fkey(file_name)`
    const { body } = await get(
      `apps?app_id=eq.${APP}&select=bundles:app_versions!app_versions_app_id_fkey(name,${page('a')},${page('b')},${page('c')})&bundles.or=(name.in.("2.0.0"),name.eq.1.0.0)&bundles.order=id.desc&bundles.a.order=id.asc&bundles.b.order=id.asc&bundles.b.offset=1000&bundles.b.limit=50&bundles.c.limit=2000&bundles.c.app_version_id=eq.${bundle!.id}`,
    )
    const [{ bundles }] = body as [{ bundles: Record<'a' | 'b' | 'c', { file_name: string }[]>[] }]
    expect(bundles.map(({ a, b, c }) => [a.length, b.length, c.length])).toEqual([
      [1000, 50, 1000],
      [0, 0, 0],
    ])
    expect(bundles[0]?.b[0]).toEqual({ file_name: 'f1000' })
  })

  it('a filter of what is embedded in a change shows less, and changes no less', async () => {
    const change = (id: number, name: string, more = '') =>
      rest(
        setup.capgo,
        'PATCH',
        `app_versions?id=eq.${id}&storage_provider=eq.r2-direct&select=name,app:apps!app_versions_app_id_fkey(${channels})&app.channels.name=eq.${name}${more}`,
        { key: setup.admin, headers: representation, body: { storage_provider: 'r2', r2_path: 'x' } },
      )
    const [open] = setup.capgo.store.list('app_versions', { name: '1.1.0' })
    expect((await change(open!.id, 'none')).body).toEqual([{ name: '1.1.0', app: { channels: [] } }])
    expect(setup.capgo.store.find('app_versions', { id: open!.id })?.storage_provider).toBe('r2')
    expect((await change(open!.id, 'production')).body).toEqual([])
  })

  it.each([
    ['a foreign key that is none', `select=name,app:apps!none_fkey(app_id)`, 400, 'PGRST200'],
    ['a filter of what is not selected', `select=name&app.app_id=eq.x`, 400, 'PGRST108'],
    [
      'a column that is none',
      `select=name,app:apps!app_versions_app_id_fkey(app_id)&app.none=eq.x`,
      400,
      '42703',
    ],
  ])('%s is refused, and nothing is changed', async (_, select, status, code) => {
    const path = `app_versions?name=eq.1.1.0&${select}`
    const answers = [
      await get(path),
      await rest(setup.capgo, 'PATCH', path, {
        key: setup.admin,
        headers: representation,
        body: { comment: 'changed' },
      }),
    ]
    for (const answer of answers) expect(answer).toMatchObject({ status, body: { code } })
    expect(setup.capgo.store.list('app_versions', { comment: 'changed' })).toEqual([])
  })
})

describe('writes', () => {
  const write = (method: string, path: string, body: unknown, headers = representation, key = setup.admin) =>
    rest(setup.capgo, method, path, { key, headers, body })

  it('inserts one or many, forces the org, returns what select asks for', async () => {
    const body = [
      { app_id: APP, name: '3.0.0', storage_provider: 'r2-direct', owner_org: crypto.randomUUID() },
      { app_id: APP, name: '3.0.1', storage_provider: 'r2-direct' },
    ]
    const made = await write('POST', 'app_versions?select=name,owner_org', body)
    expect(made.status).toBe(201)
    expect(made.body).toEqual(['3.0.0', '3.0.1'].map(name => ({ name, owner_org: setup.app.owner_org })))
    const bare = await rest(setup.capgo, 'POST', 'app_versions', {
      key: setup.admin,
      body: { app_id: APP, name: '3.0.2' },
    })
    expect([bare.status, bare.body]).toEqual([201, ''])
  })

  it('a list is all or nothing', async () => {
    const body = [
      { app_id: APP, name: '3.0.0' },
      { app_id: APP, name: '1.0.0' },
    ]
    expect(await write('POST', 'app_versions', body)).toMatchObject({ status: 409, body: { code: '23505' } })
    expect(await names('name=eq.3.0.0')).toEqual([])
  })

  it('upserts rows in progress and refuses to change ready ones', async () => {
    const upsert = (name: string, checksum: string) =>
      write(
        'POST',
        'app_versions?on_conflict=name,app_id',
        { app_id: APP, name, checksum, storage_provider: 'r2-direct' },
        {
          prefer: 'resolution=merge-duplicates,return=representation',
        },
      )
    expect((await upsert('1.1.0', 'new')).body[0]).toMatchObject({ id: 3, checksum: 'new' })
    const frozen = await upsert('1.0.0', 'new')
    expect(frozen).toMatchObject({ status: 400, body: { code: 'P0001' } })
    expect(frozen.body.message).toMatch(/^bundle_already_ready:/)
    const same = await write('PATCH', 'app_versions?id=eq.1', {
      link: 'https://l',
      comment: 'c',
      min_update_version: '1.0.0',
      storage_provider: 'r2',
    })
    expect(same.body).toHaveLength(1)
  })

  it('a deleted name cannot be taken back without bundle.delete', async () => {
    const body = { app_id: APP, name: '1.0.1', storage_provider: 'r2-direct' }
    const headers = { prefer: 'resolution=merge-duplicates,return=representation' }
    const developer = await write(
      'POST',
      'app_versions?on_conflict=name,app_id',
      body,
      headers,
      setup.key('app_developer'),
    )
    expect(developer).toMatchObject({ status: 401, body: { code: '42501' } })
  })

  it('finalising with a filter tells by the row count whether it did the work', async () => {
    const finalise = () =>
      write('PATCH', `app_versions?app_id=eq.${APP}&name=eq.1.1.0&storage_provider=eq.r2-direct`, {
        storage_provider: 'r2',
        r2_path: 'x',
      })
    expect((await finalise()).body).toHaveLength(1)
    expect((await finalise()).body).toEqual([])
  })

  it('needs a filter to change or delete', async () => {
    expect(await write('PATCH', 'app_versions', { deleted: true })).toMatchObject({
      status: 400,
      body: { code: '21000' },
    })
    expect(await write('DELETE', 'app_versions', undefined)).toMatchObject({
      status: 400,
      body: { code: '21000' },
    })
    expect(await write('PATCH', 'app_versions?id=eq.1', {})).toMatchObject({
      status: 400,
      body: { code: 'PGRST102' },
    })
    expect(await write('PATCH', 'app_versions?id=eq.1', { nope: 1 })).toMatchObject({
      status: 400,
      body: { code: 'PGRST204' },
    })
    expect(await write('PATCH', 'channels?id=eq.1', { disable_auto_update: 'metadata' })).toMatchObject({
      status: 400,
      body: { code: '22P02' },
    })
  })

  it('many overrides at once, and their renewal', async () => {
    const rows = [1, 2, 3].map(n => ({ app_id: APP, device_id: device(n), channel_id: 2 }))
    const headers = { prefer: 'resolution=merge-duplicates,return=representation' }
    expect(
      (await write('POST', 'channel_devices?on_conflict=app_id,device_id', rows, headers)).body,
    ).toHaveLength(3)
    setup.capgo.clock.advance(5_000)
    const renewed = await write(
      'PATCH',
      `channel_devices?app_id=eq.${APP}&device_id=in.(${device(1)},${device(2)})`,
      { channel_id: 2 },
    )
    const times = renewed.body.map(
      (row: { created_at: string; updated_at: string }) =>
        Date.parse(row.updated_at) - Date.parse(row.created_at),
    )
    expect(times).toEqual([5_000, 5_000])
  })

  it('a channel takes only live bundles of its app; a second public one turns the first private', async () => {
    expect(await write('PATCH', 'channels?id=eq.1', { version: 2 })).toMatchObject({
      status: 400,
      body: { message: 'INVALID_CHANNEL_VERSION' },
    })
    expect((await write('PATCH', 'channels?id=eq.2', { public: true })).body[0].public).toBe(true)
    expect((await get('channels?public=is.true&select=name')).body).toEqual([{ name: 'empty' }])
  })
})

describe('row security', () => {
  it('nobody sees rows without a key, or with a wrong one; the apikey is asked', async () => {
    for (const key of [undefined, crypto.randomUUID()]) {
      const seen = await rest(setup.capgo, 'GET', 'app_versions', key ? { key } : {})
      expect([seen.status, seen.body, seen.headers.get('content-range')]).toEqual([200, [], '*/*'])
    }
    expect((await call(setup.capgo, 'GET', '/rest/v1/app_versions', { key: setup.admin })).status).toBe(401)
    const insert = await rest(setup.capgo, 'POST', 'app_versions', {
      key: crypto.randomUUID(),
      body: { app_id: APP, name: '9.9.9' },
    })
    expect(insert).toMatchObject({ status: 403, body: { code: '42501' } })
  })

  it('a reader changes zero rows without an error; deleting without bundle.delete is one', async () => {
    const patch = (key: string) =>
      rest(setup.capgo, 'PATCH', 'app_versions?id=eq.3', {
        key,
        headers: representation,
        body: { deleted: true },
      })
    expect(await patch(setup.key('app_reader'))).toMatchObject({ status: 200, body: [] })
    expect(await patch(setup.key('app_uploader'))).toMatchObject({ status: 401, body: { code: '42501' } })
    expect((await patch(setup.admin)).body[0]).toMatchObject({
      deleted: true,
      deleted_at: expect.any(String),
    })
  })

  it('keys of one app do not see another', async () => {
    setup.capgo.seedApp({ appId: 'com.other.app', org: 'Other' })
    setup.capgo.seedBundle({ appId: 'com.other.app', name: '9.0.0' })
    expect(await names('name=eq.9.0.0')).toEqual([])
    const rpc = await rest(setup.capgo, 'POST', 'rpc/exist_app_versions', {
      key: setup.admin,
      body: { appid: 'com.other.app', name_version: '9.0.0' },
    })
    expect(rpc.body).toBe(false)
  })
})
