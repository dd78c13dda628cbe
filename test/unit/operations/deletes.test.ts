/** What may be deleted, and what stays: each path that deletes something on Capgo, over real HTTP. */
import { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCapgo, type Role, startCapgo } from '../../../local/capgo/index.ts'
import { makeScratch } from '../../../local/runner/scratch.ts'
import { createCapgo } from '../../../src/capgo/client.ts'
import { CancelledError } from '../../../src/errors.ts'
import { deleteOldBundles } from '../../../src/operations/delete-old-bundles.ts'
import {
  findLeftovers,
  findNoted,
  removeAbandoned,
  removeLeftovers,
} from '../../../src/operations/steps/preview-leftovers.ts'

const APP = 'com.example.daybreak'
const SHA = 'a'.repeat(40)
const REPOSITORY = { name: 'octo-org/daybreak', id: 7, formerNames: ['octo-org/dawn'] }
const OURS = 'octo-org/daybreak#12'
const HOUR = 3_600_000
const line = (channel: string, pull: string | null = OURS, more = '') =>
  `${channel}: x@${SHA} run 1.1 (id 5)${pull === null ? '' : ` for ${pull}`}${more}`

let server: LocalCapgo
let dispatcher: Agent
let pauses: number[]
const stop = new AbortController()

beforeAll(() => {
  dispatcher = new Agent()
})
afterAll(() => dispatcher.destroy())
afterEach(async () => {
  expect(server.deleteAllAttempts).toEqual([])
  await server.stop()
})

async function connect(role: Role = 'app_admin', profile: 'base' | 'new' = 'base') {
  server = await startCapgo({ profile })
  server.seedApp({ appId: APP })
  pauses = []
  return client(server.seedKey({ appId: APP, role }))
}

const client = (token: string) =>
  createCapgo({
    token,
    api: server.url,
    files: server.url,
    plugin: server.url,
    database: null,
    dispatcher,
    userAgent: 'test',
    redact: text => text,
    sleep: async ms => void pauses.push(ms),
    signal: stop.signal,
    onRetry: () => {},
    firstPause: 1,
    outage: 5,
  })
type Capgo = ReturnType<typeof client>

const bundle = (name: string, comment: string | null = line('pr-12'), more: object = {}) =>
  server.seedBundle({ appId: APP, name, checksum: name, comment, ...more })
const channel = (name: string, of: string | undefined, more: object = {}) =>
  server.seedChannel({ appId: APP, name, ...(of === undefined ? {} : { bundle: of }), ...more })
const bundles = () =>
  server.store.list('app_versions', { app_id: APP, deleted: false }).map(({ name }) => name)
const channels = () => server.store.list('channels', { app_id: APP }).map(({ name }) => name)
const servedBy = (name: string) => {
  const { version } = server.store.find('channels', { app_id: APP, name })!
  return version === null ? null : server.store.find('app_versions', { id: version })!.name
}
const asked = (method: string) =>
  server.requests.filter(each => each.method === method).map(({ path }) => path.split('?')[0])

describe('findLeftovers', () => {
  const look = async (capgo: Capgo, channelName: string | null = 'pr-12') => {
    const noted = await findNoted(APP, 12, capgo)
    const found = await findLeftovers(APP, { number: 12, channelName, noted, repository: REPOSITORY }, capgo)
    return {
      channels: found.channels.map(({ name }) => name),
      taken: found.taken.map(({ channel, before }) => [channel.name, before]),
      bundles: found.bundles.map(({ name }) => name),
      kept: found.kept,
    }
  }
  const NAME = '1.0.1-pr.12.1.1'

  it.each<[string, string, string | null, boolean]>([
    ['one line of this pull request', NAME, line('pr-12'), true],
    ['two lines of it', NAME, `${line('pr-12')}\n${line('qa')}`, true],
    ['empty lines between', NAME, `\n${line('pr-12')}\n \n`, true],
    ['a line of a branch too', NAME, `${line('pr-12')}\n${line('beta', null)}`, false],
    [
      'a line of another pull request too',
      NAME,
      `${line('pr-12')}\n${line('pr-13', 'octo-org/daybreak#13')}`,
      false,
    ],
    ['words of a person too', NAME, `${line('pr-12')}\nchecked by Ada`, false],
    ['a line of another repository', NAME, line('pr-12', 'octo-org/other#12'), false],
    ['a line of the repository by its former name', NAME, line('pr-12', 'octo-org/dawn#12'), true],
    ['a line of another repository that has its name', NAME, line('pr-12', OURS, ' repo 8'), false],
    ['a line of another number', NAME, line('pr-112', 'octo-org/daybreak#112'), false],
    ['no line', NAME, null, false],
    ['words alone', NAME, `for ${OURS}`, false],
    ['the name of another preview', '1.0.1-pr.13.1.1', line('pr-12'), false],
    ['a name that begins like it', '1.0.1-pr.121.1.1', line('pr-12'), false],
    ['a plain name', '1.0.0', line('pr-12'), false],
    ['a name that is no version', 'pr.12.', line('pr-12'), false],
    ['a name that is written otherwise', `v${NAME}`, line('pr-12'), false],
  ])('a bundle with %s', async (_what, name, comment, isTaken) => {
    const capgo = await connect()
    bundle(name, comment)
    const { bundles } = await look(capgo, null)
    expect(bundles).toEqual(isTaken ? [name] : [])
  })

  it('says which bundle stays because of its name alone', async () => {
    const capgo = await connect()
    bundle('1.0.0')
    bundle('1.0.2', 'by hand')
    bundle(NAME)
    expect((await look(capgo)).kept).toEqual(['Bundle 1.0.0 is kept: its name is not that of a preview.'])
  })

  it('the newest first, and deleted ones not', async () => {
    const capgo = await connect()
    for (const at of [1, 2]) bundle(`1.0.1-pr.12.${at}.1`)
    bundle('1.0.1-pr.12.3.1', line('pr-12'), { deleted: true })
    expect((await look(capgo)).bundles).toEqual(['1.0.1-pr.12.2.1', '1.0.1-pr.12.1.1'])
  })

  it.each<[string, object, string | null, string[], RegExp | null]>([
    ['its own', {}, line('pr-12'), ['pr-12'], null],
    ['a public one', { public: true }, line('pr-12'), [], /is a public channel/],
    ['one that serves nothing', { bundle: undefined }, line('pr-12'), [], /was not made for this/],
    ['one that serves what a branch published', {}, line('pr-12', null), [], /was not made for this/],
    ['one that serves a bundle that was noted elsewhere', {}, line('qa'), [], /was not made for this/],
    ['one that rolls out a bundle of others', { rolloutBundle: '9.0.0' }, line('pr-12'), [], /rolls out/],
    ['one that rolls out a bundle of its own', { rolloutBundle: NAME }, line('pr-12'), ['pr-12'], null],
  ])('a channel: %s', async (_what, more, comment, expected, kept) => {
    const capgo = await connect()
    bundle(NAME, comment)
    bundle('9.0.0', null)
    bundle('1.0.1-pr.12.0.1')
    channel('pr-12', NAME, more)
    const found = await look(capgo)
    expect(found.channels).toEqual(expected)
    expect(found.taken).toEqual([])
    if (kept === null) expect(found.kept).toEqual([])
    else expect(found.kept).toEqual([expect.stringMatching(kept)])
  })

  it('a channel that was there before is told with what it served', async () => {
    const capgo = await connect()
    bundle(NAME, line('pr-12', OURS, ' took 1.0.0'))
    channel('pr-12', NAME)
    expect(await look(capgo)).toMatchObject({ channels: [], taken: [['pr-12', '1.0.0']] })
  })

  it('looks at the channels that the comments name, and asks for none where none is named', async () => {
    const capgo = await connect()
    expect(await look(capgo, null)).toMatchObject({ channels: [], bundles: [] })
    expect(server.requests.some(({ path }) => path.includes('/channels'))).toBe(false)
    bundle(NAME, line('qa'))
    channel('qa', NAME)
    expect((await look(capgo, null)).channels).toEqual(['qa'])
  })
})

describe('removeLeftovers', () => {
  const remove = async (
    capgo: Capgo,
    {
      mayGoOn = async () => true,
      before = () => {},
    }: { mayGoOn?: () => Promise<boolean>; before?: () => void } = {},
  ) => {
    const noted = await findNoted(APP, 12, capgo)
    const leftovers = await findLeftovers(
      APP,
      { number: 12, channelName: 'pr-12', noted, repository: REPOSITORY },
      capgo,
    )
    before()
    const announced: unknown[] = []
    const result = await removeLeftovers(APP, leftovers, capgo, {
      mayGoOn,
      announce: async removed => void announced.push(structuredClone(removed)),
    })
    return { ...result, announced }
  }
  const [OLD, NEW] = ['1.0.1-pr.12.1.1', '1.0.1-pr.12.2.1'] as const
  const stage = () => {
    bundle(OLD)
    bundle(NEW)
    channel('pr-12', NEW)
    for (const n of [1, 2])
      server.seedOverride({
        appId: APP,
        deviceId: `00000000-0000-4000-8000-00000000000${n}`,
        channel: 'pr-12',
      })
  }

  it('takes the channel with its overrides, then the bundles; it is told before the bundles go', async () => {
    const capgo = await connect()
    stage()
    const removed = { channels: ['pr-12'], bundles: [NEW, OLD], devices: 2, kept: [] }
    expect(await remove(capgo)).toEqual({ removed, isReopened: false, error: null, announced: [removed] })
    expect([channels(), bundles()]).toEqual([[], []])
  })

  it('writes nothing where nothing is, and tells so', async () => {
    const capgo = await connect()
    const removed = { channels: [], bundles: [], devices: 0, kept: [] }
    expect(await remove(capgo)).toEqual({ removed, isReopened: false, error: null, announced: [removed] })
    expect(asked('DELETE')).toEqual([])
    expect(asked('POST')).toEqual([])
  })

  it('bundles alone, channels alone', async () => {
    const capgo = await connect()
    bundle(OLD)
    expect((await remove(capgo)).removed).toEqual({ channels: [], bundles: [OLD], devices: 0, kept: [] })
    bundle('1.0.0')
    channel('pr-12', '1.0.0')
    expect((await remove(capgo)).removed).toMatchObject({ channels: ['pr-12'], bundles: [] })
    expect(bundles()).toEqual(['1.0.0'])
  })

  it.each([
    [1, ['pr-12'], [NEW, OLD], 0],
    [2, [], [NEW, OLD], 1],
  ])('stops at step %i where the pull request is open again', async (step, left, there, told) => {
    const capgo = await connect()
    stage()
    let asked = 0
    const result = await remove(capgo, { mayGoOn: async () => ++asked < step })
    expect(result.isReopened).toBe(true)
    expect(result.error).toBeNull()
    expect(result.announced).toHaveLength(told)
    expect(channels()).toEqual(left)
    expect(bundles().sort()).toEqual([...there].sort())
  })

  it('a bundle that another channel serves stays, and that is said', async () => {
    const capgo = await connect()
    stage()
    channel('beta', OLD)
    const { removed, error } = await remove(capgo)
    expect(error).toBeNull()
    expect(removed.bundles).toEqual([NEW])
    expect(removed.kept).toEqual([`Bundle ${OLD} is kept: another channel serves it.`])
    expect([channels(), bundles()]).toEqual([['beta'], [OLD]])
  })

  it.each(['app_admin', 'app_preview'] as const)(
    'a channel that was changed meanwhile stays (%s)',
    async role => {
      const capgo = await connect(role)
      stage()
      const { removed } = await remove(capgo, {
        before: () =>
          void server.store.update('channels', server.store.find('channels', { name: 'pr-12' })!, {
            public: true,
          }),
      })
      expect(removed).toMatchObject({ channels: [], devices: 0 })
      expect(removed.kept[0]).toBe('Channel pr-12 is kept: it was changed meanwhile.')
      expect(channels()).toEqual(['pr-12'])
      expect(bundles()).toContain(NEW)
    },
  )

  it('a key for previews takes the channel with the bundle it serves, and leaves older ones', async () => {
    await connect()
    const capgo = client(server.seedKey({ appId: APP, role: 'app_preview' }))
    await capgo.createBundle({
      appId: APP,
      ownerOrg: server.store.find('apps', { app_id: APP })!.owner_org,
      name: NEW,
      checksum: 'x',
      minUpdateVersion: null,
      sessionKey: null,
      keyId: null,
      nativePackages: [],
      link: '',
      comment: line('pr-12'),
    })
    const row = server.store.find('app_versions', { name: NEW })!
    server.store.update('app_versions', row, { storage_provider: 'r2', r2_path: 'x' })
    await capgo.createChannel({ appId: APP, name: 'pr-12', bundleName: NEW, fields: {} })
    bundle(OLD)
    const older = 'One older bundle is kept until'
    const { removed, announced } = await remove(capgo)
    expect(removed).toMatchObject({ channels: ['pr-12'], bundles: [NEW] })
    expect(removed.kept).toEqual([expect.stringContaining(older)])
    expect(announced).toEqual([removed])
    expect([channels(), bundles()]).toEqual([[], [OLD]])
    bundle('1.0.1-pr.12.0.1')
    expect((await remove(capgo)).removed.kept).toEqual([
      expect.stringContaining('2 older bundles are kept until'),
    ])
  })

  it('an unfinished bundle goes as what it is', async () => {
    const capgo = await connect()
    bundle(OLD, line('pr-12'), { storage_provider: 'r2-direct' })
    expect((await remove(capgo)).removed.bundles).toEqual([OLD])
    expect(asked('DELETE').map(path => path!.split('/').at(-1))).toEqual(['delete_failed_version'])
  })

  it('a refusal ends it, what went before counts, and the next run goes on', async () => {
    const capgo = await connect()
    stage()
    server.faults.add({
      match: { method: 'DELETE', path: '/bundle', nth: 2 },
      do: { status: 403, body: { error: 'no' } },
    })
    const { removed, error } = await remove(capgo)
    expect(removed.bundles).toEqual([NEW])
    expect(error?.code).not.toBe('not_deleted')
    expect(bundles()).toEqual([OLD])
  })

  it('what was acknowledged and is still there is an error', async () => {
    const capgo = await connect()
    stage()
    server.faults.add({
      match: { method: 'DELETE', path: '/bundle' },
      do: { status: 200, body: { status: 'ok' } },
    })
    const { removed, error } = await remove(capgo)
    expect(error).toMatchObject({ code: 'not_deleted', message: expect.stringContaining(NEW) })
    expect(removed.bundles).toEqual([OLD])
  })

  it.each([
    ['a stop', new CancelledError('run_timeout', 'late')],
    ['a mistake of ours', new TypeError('oops')],
  ])('%s is not swallowed', async (_what, error) => {
    const capgo = await connect()
    bundle(OLD)
    const broken = { ...capgo, deleteBundle: () => Promise.reject(error) } as Capgo
    await expect(remove(broken)).rejects.toBe(error)
  })

  describe('a channel that was there before', () => {
    const taken = (before: string, more: object = {}) => {
      const old = server.store.find('app_versions', { name: '1.0.0' }) ?? bundle('1.0.0', null, more)
      bundle(NEW, line('pr-12', OURS, ` took ${before.replace('ID', String(old.id))}`))
      channel('pr-12', NEW)
    }
    it.each<[string, string, object, string | null, string]>([
      ['serves again what it served', '1.0.0', {}, '1.0.0', 'It serves 1.0.0 again.'],
      ['by its id', '#ID', {}, '1.0.0', 'It serves 1.0.0 again.'],
      ['nothing where it served nothing', 'builtin', {}, null, 'It serves nothing again.'],
      ['nothing where that is gone', '1.9.9', {}, null, 'It serves nothing.'],
      ['nothing where that is deleted', '1.0.0', { deleted: true }, null, 'It serves nothing.'],
    ])('%s', async (_what, before, more, served, said) => {
      const capgo = await connect()
      taken(before, more)
      const { removed } = await remove(capgo)
      expect(removed.channels).toEqual([])
      expect(removed.kept).toEqual([`Channel pr-12 is kept: no preview created it. ${said}`])
      expect(servedBy('pr-12')).toBe(served)
      expect(bundles()).not.toContain(NEW)
    })

    it('is left where somebody pointed it elsewhere', async () => {
      const capgo = await connect()
      taken('1.0.0')
      const other = bundle('2.0.0', null)
      const { removed } = await remove(capgo, {
        before: () =>
          void server.store.update('channels', server.store.find('channels', { name: 'pr-12' })!, {
            version: other.id,
          }),
      })
      expect(removed.kept).toEqual(['Channel pr-12 is kept: it was changed meanwhile.'])
      expect(servedBy('pr-12')).toBe('2.0.0')
    })

    it('is left where the pull request is open again', async () => {
      const capgo = await connect()
      taken('1.0.0')
      expect(await remove(capgo, { mayGoOn: async () => false })).toMatchObject({ isReopened: true })
      expect(servedBy('pr-12')).toBe(NEW)
    })

    it('is told where the key may not, and another error is not swallowed', async () => {
      const capgo = await connect('app_reader')
      taken('1.0.0')
      const { removed } = await remove(capgo)
      expect(removed.kept[0]).toContain(`It still serves ${NEW}, because the key lacks a permission`)
      server.faults.add({
        match: { method: 'PUT', path: '/bundle' },
        do: { status: 400, body: { error: 'odd' } },
      })
      await expect(remove(client(server.seedKey({ appId: APP, role: 'app_admin' })))).rejects.toThrow('odd')
    })
  })
})

describe('deleteBundle', () => {
  it.each(['', ' ', 'v1.0.0', '1.0', '1.0.0 ', 'null', undefined, null, 1, ['1.0.0'], {}] as string[])(
    'sends no request for the name %j',
    async name => {
      const capgo = await connect()
      bundle('1.0.0', null)
      await expect(capgo.deleteBundle(APP, name)).rejects.toThrow(TypeError)
      await expect(capgo.deleteBundles(APP, [name], () => {})).rejects.toThrow(TypeError)
      expect(asked('DELETE')).toEqual([])
      expect(bundles()).toEqual(['1.0.0'])
    },
  )

  it('says what became of it', async () => {
    const capgo = await connect()
    for (const name of ['1.0.0', '1.0.1']) bundle(name, null)
    channel('production', '1.0.1')
    expect(await capgo.deleteBundle(APP, '1.0.0')).toBe('deleted')
    expect(await capgo.deleteBundle(APP, '1.0.0')).toBe('gone')
    expect(await capgo.deleteBundle(APP, '1.0.1')).toBe('linked')
    expect(bundles()).toEqual(['1.0.1'])
  })

  it.each([
    ['a page of a proxy', 200, '<html>', 'unexpected_response'],
    ['another status', 200, { status: 'later' }, 'unexpected_response'],
    ['a refusal', 400, { error: 'cannot_delete_bundle', message: 'no' }, 'permission_missing'],
  ])('%s is no deletion', async (_what, status, body, code) => {
    const capgo = await connect()
    server.faults.add({ match: { method: 'DELETE' }, do: { status, body } })
    await expect(capgo.deleteBundle(APP, '1.0.0')).rejects.toMatchObject({ code })
  })
})

describe('deleteBundles', () => {
  it('goes on after one that fails, and tells how many were tried', async () => {
    const capgo = await connect()
    for (const name of ['1.0.0', '1.0.1', '1.0.2']) bundle(name, null)
    server.faults.add({
      match: { method: 'DELETE', path: '/bundle', nth: 2 },
      do: { status: 400, body: { error: 'odd' } },
    })
    const tried: number[] = []
    const answers = await capgo.deleteBundles(
      APP,
      ['1.0.0', '1.0.1', '1.0.2'],
      count => void tried.push(count),
    )
    expect(tried.sort()).toEqual([1, 2, 3])
    expect([...answers.values()].filter(answer => answer === 'deleted')).toHaveLength(2)
    expect(bundles()).toHaveLength(1)
    expect(pauses).toEqual([])
  })

  it.each(['permission_missing', 'invalid_apikey'])('%s ends it: the others are not tried', async code => {
    const capgo = await connect(code === 'invalid_apikey' ? 'app_admin' : 'app_reader')
    const names = Array.from({ length: 20 }, (_, n) => `1.0.${n}`)
    for (const name of names) bundle(name, null)
    if (code === 'invalid_apikey')
      for (const { id } of server.store.list('apikeys')) server.store.remove('apikeys', id)
    const answers = await capgo.deleteBundles(APP, names, () => {})
    expect([...new Set([...answers.values()].map(each => (each as { code?: string }).code))]).toEqual([code])
    expect(answers.size).toBe(20)
    expect(asked('DELETE').length).toBeLessThanOrEqual(4)
    expect(bundles()).toHaveLength(20)
  })
})

describe('removeFailedBundle', () => {
  it.each<[string, object | null, boolean]>([
    ['an unfinished one', { storage_provider: 'r2-direct' }, true],
    ['one that is not there', null, true],
    ['a finished one, which is none', {}, true],
  ])('%s', async (_what, more, expected) => {
    const capgo = await connect()
    if (more !== null) bundle('1.0.0', null, more)
    expect(await capgo.removeFailedBundle(APP, '1.0.0')).toBe(expected)
    expect(bundles()).toEqual(more === null || 'storage_provider' in more ? [] : ['1.0.0'])
  })

  it.each([
    ['a page of a proxy', 200, '<html>'],
    ['ok with another status', 500, { status: 'ok' }],
    ['a refusal', 401, { error: 'not_authorized' }],
  ])('%s is no removal', async (_what, status, body) => {
    const capgo = await connect()
    server.faults.add({ match: { method: 'DELETE' }, do: { status, body }, times: Infinity })
    expect(await capgo.removeFailedBundle(APP, '1.0.0').catch(() => false)).toBe(false)
  })
})

describe('deleteChannel', () => {
  const seen = async (capgo: Capgo) => {
    const row = (await capgo.readChannel(APP, 'pr-12'))!
    return { ...row, version: row.version! }
  }
  const stage = async (role: Role = 'app_admin') => {
    const capgo = await connect(role)
    bundle('1.0.0', null)
    bundle('2.0.0', null)
    channel('pr-12', '1.0.0')
    return { capgo, row: server.store.find('channels', { name: 'pr-12' })! }
  }
  /** The one step that deletes a row as it was seen. */
  const AT_ONCE = { method: 'DELETE', path: /\/channels\?/ } as const

  it('is one request, by all that was seen; the bundle stays', async () => {
    const { capgo, row } = await stage()
    channel('other', '1.0.0')
    expect(await capgo.deleteChannel(APP, await seen(capgo), { withBundle: false })).toBe('deleted')
    const requests = server.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path)
    expect(requests).toHaveLength(1)
    const query = Object.fromEntries(new URL(requests[0]!, server.url).searchParams)
    expect(query).toEqual({
      id: `eq.${row.id}`,
      app_id: `eq.${APP}`,
      name: 'eq.pr-12',
      public: 'is.false',
      version: `eq.${row.version}`,
      rollout_version: 'is.null',
      select: 'id',
    })
    expect([channels(), bundles()]).toEqual([['other'], ['1.0.0', '2.0.0']])
  })

  it.each<[string, (other: number) => object]>([
    ['is public', () => ({ public: true })],
    ['has another name', () => ({ name: 'pr-13' })],
    ['serves another bundle', other => ({ version: other })],
    ['serves nothing', () => ({ version: null })],
    ['rolls out another bundle', other => ({ rollout_version: other, rollout_enabled: true })],
  ])('one that %s by now stays, whether the database or the API deletes', async (_what, change) => {
    for (const isRefused of [false, true]) {
      const { capgo, row } = await stage()
      const before = await seen(capgo)
      const other = server.store.find('app_versions', { name: '2.0.0' })!.id
      server.store.update('channels', row, change(other))
      if (isRefused) server.faults.add({ match: AT_ONCE, do: { status: 200, body: [] } })
      expect(await capgo.deleteChannel(APP, before, { withBundle: false })).toBe('changed')
      expect(await capgo.deleteChannel(APP, before, { withBundle: true })).toBe('changed')
      expect(channels()).toHaveLength(1)
      expect(asked('DELETE').filter(path => !path!.endsWith('/channels'))).toEqual([])
      if (!isRefused) await server.stop()
    }
  })

  it('a rollout that was seen is no change', async () => {
    const { capgo, row } = await stage()
    const other = server.store.find('app_versions', { name: '2.0.0' })!.id
    server.store.update('channels', row, { rollout_version: other, rollout_enabled: true })
    expect(await capgo.deleteChannel(APP, await seen(capgo), { withBundle: false })).toBe('deleted')
    expect(asked('DELETE')).toHaveLength(1)
  })

  it('one that is gone is gone', async () => {
    const { capgo, row } = await stage()
    const before = await seen(capgo)
    channel('other', '1.0.0')
    server.store.remove('channels', row.id)
    expect(await capgo.deleteChannel(APP, before, { withBundle: false })).toBe('gone')
    expect(await capgo.deleteChannel(APP, before, { withBundle: true })).toBe('gone')
  })

  it.each([
    ['no row', { status: 200, body: [] }],
    ['another row', { status: 200, body: [{ id: 99 }] }],
    ['a page', { status: 200, body: '<html>' }],
    ['a refusal', { status: 403, body: [] }],
  ])('%s: the API deletes it, right after a look', async (_what, answer) => {
    const { capgo } = await stage()
    server.faults.add({ match: AT_ONCE, do: answer })
    expect(await capgo.deleteChannel(APP, await seen(capgo), { withBundle: false })).toBe('deleted')
    expect(asked('DELETE')).toHaveLength(2)
    expect([channels(), bundles()]).toEqual([[], ['1.0.0', '2.0.0']])
    expect(server.requests.filter(({ method }) => method === 'DELETE').at(-1)?.body).toEqual({
      app_id: APP,
      channel: 'pr-12',
    })
  })

  it.each([
    ['a refusal', { status: 400, body: { error: 'odd' } }, /odd/],
    ['an answer that is not true', { status: 200, body: { status: 'ok' } }, /it still exists/],
    [
      'a channel that is not found and is there',
      { status: 400, body: { error: 'cannot_find_channel' } },
      /still exists/,
    ],
  ])('%s of the API throws', async (_what, answer, message) => {
    const { capgo } = await stage()
    server.faults.add({ match: AT_ONCE, do: { status: 200, body: [] } })
    server.faults.add({ match: { method: 'DELETE', path: '/channel' }, do: answer })
    await expect(capgo.deleteChannel(APP, await seen(capgo), { withBundle: false })).rejects.toThrow(message)
    expect(channels()).toEqual(['pr-12'])
  })

  it('a key that may not delete it is told so', async () => {
    const { capgo } = await stage('app_uploader')
    await expect(capgo.deleteChannel(APP, await seen(capgo), { withBundle: false })).rejects.toMatchObject({
      code: 'permission_missing',
      message: expect.stringContaining('channel.delete'),
    })
  })
})

describe('removeAbandoned', () => {
  const begun = (name: string, hours: number, more: object = {}) =>
    bundle(name, line('production', null), {
      storage_provider: 'r2-direct',
      created_at: new Date(Date.now() - hours * HOUR).toISOString(),
      ...more,
    })

  it('takes what we began more than a day ago, and nothing else', async () => {
    const capgo = await connect()
    expect(await removeAbandoned(APP, capgo)).toEqual([])
    begun('1.0.0', 25)
    begun('1.0.1', 23)
    begun('1.0.2', 25, { storage_provider: 'r2' })
    begun('1.0.3', 25, { comment: 'by hand' })
    expect(await removeAbandoned(APP, capgo)).toEqual(['1.0.0'])
    expect(bundles().sort()).toEqual(['1.0.1', '1.0.2', '1.0.3'])
  })

  it('whose content had arrived is deleted by its name, where the key may', async () => {
    const capgo = await connect()
    const stuck = { status: 400, body: { error: 'error_already_uploaded_to_s3' } }
    const path = /delete_failed_version/
    begun('1.0.0', 25)
    server.faults.add({ match: { method: 'DELETE', path }, do: stuck })
    expect(await removeAbandoned(APP, capgo)).toEqual(['1.0.0'])
    begun('1.0.1', 25)
    server.faults.add({ match: { method: 'DELETE', path }, do: stuck })
    const before = asked('DELETE').length
    expect(await removeAbandoned(APP, client(server.seedKey({ appId: APP, role: 'app_developer' })))).toEqual(
      [],
    )
    expect(asked('DELETE')).toHaveLength(before + 1)
    channel('beta', '1.0.1')
    server.faults.add({ match: { method: 'DELETE', path }, do: stuck })
    expect(await removeAbandoned(APP, capgo)).toEqual([])
    expect(bundles()).toEqual(['1.0.1'])
  })

  it('what was acknowledged and is still there does not count', async () => {
    const capgo = await connect()
    begun('1.0.0', 25)
    server.faults.add({ match: { method: 'DELETE' }, do: { status: 200, body: { status: 'ok' } } })
    expect(await removeAbandoned(APP, capgo)).toEqual([])
  })
})

describe('deleteOldBundles', () => {
  const workspace = makeScratch('keep-house')
  /** As `run` gives it to the operation, without what this one does not touch. */
  const clean = (capgo: Capgo, keep: number, dryRun = false) =>
    deleteOldBundles({ kind: 'delete-old-bundles', keep }, {
      capgo,
      inputs: {
        ...{ appId: APP, dryRun, workingDirectory: '.', hosts: {}, nativeVersion: null },
        ...{ capgoToken: 'key', devicesToken: 'key', githubToken: '', privateKey: '' },
      },
      deps: {
        log: { info() {}, group: (_: string, work: () => unknown) => work() },
        clock: () => 0,
        env: {},
        workspace,
        evaluator: {},
        cancellation: stop,
      },
      trigger: {},
    } as never)
  const stage = (count: number) => {
    for (let n = 1; n <= count; n++) bundle(`1.0.${n}`, line('old', null))
  }
  const names = (removed: readonly { readonly name: string }[]) => removed.map(({ name }) => name)

  it('deletes the oldest, each by its name', async () => {
    const capgo = await connect()
    stage(3)
    bundle('by-hand', null)
    channel('production', '1.0.1')
    const result = await clean(capgo, 1)
    expect(result).toMatchObject({ outcome: 'cleaned', keep: 1, linked: [], reason: '1 old bundle deleted.' })
    expect(names(result.removed)).toEqual(['1.0.2'])
    expect(result.kept).toEqual({ served: 1, rollback: 0, newest: 1, foreign: 1, unfinished: 0 })
    expect(bundles().sort()).toEqual(['1.0.1', '1.0.3', 'by-hand'])
    expect(await clean(capgo, 1)).toMatchObject({ outcome: 'cleaned', removed: [], linked: [] })
    expect(asked('DELETE')).toHaveLength(1)
  })

  it('a dry run deletes none and says which', async () => {
    const capgo = await connect('app_admin')
    stage(3)
    const result = await clean(capgo, 1, true)
    expect(result).toMatchObject({
      outcome: 'planned',
      reason: expect.stringContaining('2 old bundles would'),
    })
    expect(names(result.removed)).toEqual(['1.0.1', '1.0.2'])
    expect(await clean(capgo, 3, true)).toMatchObject({
      removed: [],
      reason: 'Dry run: no old bundle would be deleted.',
    })
    expect(asked('DELETE')).toEqual([])
  })

  it('asks for the permission before it deletes', async () => {
    const capgo = await connect('app_developer')
    stage(2)
    await expect(clean(capgo, 1)).rejects.toMatchObject({ code: 'permission_missing' })
    expect(asked('DELETE')).toEqual([])
  })

  it('one that a channel began to serve meanwhile stays', async () => {
    const capgo = await connect()
    stage(3)
    server.faults.add({
      match: { method: 'DELETE', path: '/bundle' },
      do: () => void channel('beta', '1.0.1'),
    })
    const result = await clean(capgo, 1)
    expect(result.linked).toEqual(['1.0.1'])
    expect(names(result.removed)).toEqual(['1.0.2'])
  })

  it('says which could not be deleted, and which only seemed to be', async () => {
    const capgo = await connect()
    stage(2)
    const odd = { status: 400, body: { error: 'odd', message: 'odd' } }
    server.faults.add({ match: { method: 'DELETE', path: '/bundle' }, do: odd })
    await expect(clean(capgo, 1)).rejects.toMatchObject({
      code: 'cleanup_incomplete',
      message: expect.stringContaining('Could not delete 1 old bundle (0 deleted): '),
      problems: [],
    })
    for (let n = 3; n <= 14; n++) bundle(`1.0.${n}`, line('old', null))
    server.faults.add({ match: { method: 'DELETE', path: '/bundle' }, do: odd, times: 11 })
    server.faults.add({
      match: { method: 'DELETE', path: '/bundle' },
      do: { status: 200, body: { status: 'ok' } },
      times: Infinity,
    })
    const error = await clean(capgo, 1).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'cleanup_incomplete' })
    const { message, problems } = error as { message: string; problems: { message: string }[] }
    expect(message).toContain('Could not delete 13 old bundles (0 deleted): ')
    expect(problems).toHaveLength(10)
    expect(problems[0]!.message).toMatch(/^1\.0\.\d+: /)
  })
})
