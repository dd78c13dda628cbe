/** What heals: whatever became of the runs before, devices are where the newest file says, and no person's move is lost. */
import { Agent } from 'undici'
import { describe, expect, it } from 'vitest'
import { pullRequestEvent, pushEvent, scheduleEvent, tagPushEvent } from '../../local/runner/event.ts'
import { createCapgo } from '../../src/capgo/client.ts'
import { ADA, BOB, EVE } from '../helpers/device-ids.ts'
import { openPull } from '../scenarios/pull.ts'
import {
  APP_ID,
  builtApp,
  createWorld,
  REPOSITORY,
  type World,
  type WorldOptions,
  webFolder,
} from '../scenarios/scenario.ts'
import { runHere, type ShortRunOptions } from './in-process.ts'

const NO_COMMIT = '0'.repeat(40)
/** No branch publishes: a run is about the testers alone. */
const NOTHING_PUBLISHED = { channels: 'live: production' }

const file = (testers: unknown) => ({ 'testers.json': JSON.stringify(testers) })
const on = (device: string, channel: string) => ({ device, channel })

async function createTesterWorld(testers: unknown, options: WorldOptions = {}) {
  const files = { ...builtApp(), ...(testers === null ? {} : file(testers)) }
  const world = await createWorld({ role: 'app_admin', ...options, files })
  for (const name of ['alpha', 'beta', 'gamma', 'support'])
    world.capgo.seedChannel({ appId: APP_ID, name, public: false })
  const token = world.github.addToken({
    repository: REPOSITORY,
    permissions: { contents: 'read', deployments: 'write', 'pull-requests': 'write' },
  })
  let runs = 0
  const run = (event: ShortRunOptions['event'], more: Partial<ShortRunOptions> = {}) =>
    runHere({
      repo: world.repo.path,
      sha: event!.sha === NO_COMMIT ? world.repo.head : event!.sha,
      event: event!,
      runId: 9_000_000_001 + runs++,
      github: { url: world.github.url, token },
      ...more,
      inputs: {
        'capgo-token': world.key,
        'api-url': world.capgo.url,
        build: 'false',
        deployments: 'false',
        ...more.inputs,
      },
    })
  const unpublished = (more: Partial<ShortRunOptions> = {}) => ({
    ...more,
    inputs: { ...NOTHING_PUBLISHED, ...more.inputs },
  })
  return {
    ...world,
    world,
    run,
    /** A commit on main whose run never comes. */
    commit: (testers: unknown) =>
      testers === null ? world.repo.commit({ 'testers.json': null }) : world.repo.commit(file(testers)),
    push(files: Parameters<World['repo']['commit']>[0], more: Partial<ShortRunOptions> = {}) {
      const before = world.repo.head
      const sha = world.repo.commit(files)
      return run(pushEvent({ branch: 'main', sha, before }), unpublished(more))
    },
    schedule: (more: Partial<ShortRunOptions> = {}) =>
      run(scheduleEvent({ sha: world.repo.shaOf('main') }), unpublished(more)),
    hand: (deviceId: string, channel: string) =>
      void world.capgo.seedOverride({ appId: APP_ID, deviceId, channel }),
    overrides: () => overridesOf(world),
  }
}

function overridesOf({ capgo }: Pick<World, 'capgo'>): Record<string, string> {
  const names = new Map(capgo.store.list('channels', { app_id: APP_ID }).map(({ id, name }) => [id, name]))
  const rows = capgo.store.list('channel_devices', { app_id: APP_ID })
  return Object.fromEntries(rows.map(row => [row.device_id, names.get(row.channel_id) ?? '?']).sort())
}

describe('a push whose run came late, was replaced or failed', () => {
  it('the first of three pushes wrote last: the schedule puts the device right', async () => {
    const world = await createTesterWorld([])
    for (const channel of ['beta', 'alpha', 'gamma']) world.commit([on(ADA, channel)])
    world.hand(ADA, 'beta')
    // Never in the file, so somebody put it there.
    world.hand(EVE, 'beta')
    const run = await world.schedule()
    expect(run.errors).toEqual([])
    expect(world.overrides()).toEqual({ [ADA]: 'gamma', [EVE]: 'beta' })
    expect(JSON.parse(run.outputs.testers!)).toEqual({ assigned: 1, released: 0, renewed: 0, failed: 0 })
  })

  it('a removal was replaced in the queue: the next push makes it, and so does the schedule', async () => {
    const world = await createTesterWorld([on(ADA, 'beta'), on(BOB, 'beta'), on(EVE, 'beta')])
    for (const device of [ADA, BOB, EVE]) world.hand(device, 'beta')
    world.commit([on(BOB, 'beta'), on(EVE, 'beta')])
    await world.push({ 'greeting.txt': 'Hi' })
    expect(world.overrides()).toEqual({ [BOB]: 'beta', [EVE]: 'beta' })
    world.commit([on(EVE, 'beta')])
    await world.schedule({ inputs: { prune: 'never' } })
    expect(world.overrides()).toEqual({ [BOB]: 'beta', [EVE]: 'beta' })
    await world.schedule({ inputs: { prune: 'removed' } })
    expect(world.overrides()).toEqual({ [EVE]: 'beta' })
    // The whole file goes, and no push run saw it.
    world.commit(null)
    await world.schedule()
    expect(world.overrides()).toEqual({})
  })

  it('a move failed: the next push makes it, though it does not change the file', async () => {
    const world = await createTesterWorld([on(ADA, 'beta')])
    world.hand(ADA, 'beta')
    world.capgo.faults.add({
      match: { method: 'POST', path: '/device' },
      do: { status: 400, body: { error: 'channel_device_error', message: 'no' } },
    })
    const failed = await world.push(file([on(ADA, 'alpha')]))
    expect(failed.isGreen).toBe(false)
    expect(failed.outputs['error-code']).toBe('channel_device_error')
    world.capgo.faults.clear()
    world.capgo.clock.advance(61_000)
    const next = await world.push({ 'greeting.txt': 'Hi' })
    expect(next.isGreen).toBe(true)
    expect(world.overrides()).toEqual({ [ADA]: 'alpha' })
    // Then there is nothing to do: one look at GitHub, two at Capgo, no write.
    const [github, capgo] = [world.github.requests.length, world.capgo.requests.length]
    const quiet = await world.push({ 'greeting.txt': 'Hi again' })
    expect(JSON.parse(quiet.outputs.testers!)).toEqual({ assigned: 0, released: 0, renewed: 0, failed: 0 })
    expect(world.github.requests.slice(github).map(({ operation }) => operation)).toEqual([
      'repos/get-content',
    ])
    const asked = world.capgo.requests.slice(capgo).map(({ path }) => path.split('?')[0])
    expect(asked.filter(path => path !== '/private/config').sort()).toEqual([
      '/rest/v1/channel_devices',
      '/rest/v1/channels',
    ])
  })

  it('what was force-pushed away is released too', async () => {
    const world = await createTesterWorld([])
    const first = world.repo.head
    const before = world.commit([on(ADA, 'beta')])
    world.hand(ADA, 'beta')
    world.repo.git(['reset', '--quiet', '--hard', first])
    await world.run(pushEvent({ branch: 'main', sha: first, before }), { inputs: NOTHING_PUBLISHED })
    expect(world.overrides()).toEqual({})
  })

  it('GitHub does not tell: the checkout counts, nobody is released, and that is said', async () => {
    const world = await createTesterWorld([on(ADA, 'beta')])
    world.hand(BOB, 'beta')
    const blind = world.github.addToken({ repository: REPOSITORY, permissions: { 'pull-requests': 'write' } })
    const run = await world.push(file([on(ADA, 'alpha')]), {
      github: { url: world.github.url, token: blind },
    })
    expect(run.isGreen).toBe(true)
    expect(world.overrides()).toEqual({ [ADA]: 'alpha', [BOB]: 'beta' })
    expect(run.log.join('\n')).toContain(
      'Could not read testers.json of the default branch, and its removed devices: the job\'s token lacks the permission "contents: read"',
    )
  })
})

describe('whose file counts', () => {
  it("a fork's decides nothing, though secrets are sent to forks", async () => {
    const world = await createTesterWorld([on(ADA, 'beta')])
    world.hand(ADA, 'beta')
    const pull = await openPull(world.world, {
      fork: 'mallory/daybreak',
      files: { ...webFolder('Evil'), ...file([BOB, { device: EVE, channel: 'alpha' }]) },
    })
    const { sha } = world.hosted.pull(12).pull.head
    const options = {
      number: pull.number,
      headSha: sha,
      headRef: 'feature/evening',
      fork: 'mallory/daybreak',
    }
    const run = await world.run(pullRequestEvent('opened', options), { inputs: { 'assign-testers': 'all' } })
    expect(run.errors).toEqual([])
    expect(world.overrides()).toEqual({ [ADA]: 'pr-12' })
    expect(pull.comments()[0]).not.toContain('Merging changes the testers:')
  })

  it('on pull_request_target the newest of the default branch does, not the one that is checked out', async () => {
    const world = await createTesterWorld([on(ADA, 'beta'), on(BOB, 'beta')])
    const old = world.repo.head
    const pull = await openPull(world.world, { files: webFolder('Evening') })
    const { sha } = world.hosted.pull(12).pull.head
    world.repo.checkout('main')
    world.commit([on(ADA, 'alpha'), EVE])
    world.hand(BOB, 'beta')
    world.repo.checkout(old)
    const options = { number: 12, headSha: sha, headRef: 'feature/evening', target: true, baseSha: old }
    const inputs = { 'assign-testers': 'all', 'app-id': APP_ID, 'web-dir': 'www' }
    const run = await world.run(pullRequestEvent('opened', options), { inputs })
    expect(run.errors).toEqual([])
    expect(run.outputs.outcome).toBe('published')
    expect(world.overrides()).toEqual({ [ADA]: 'pr-12', [BOB]: 'beta', [EVE]: 'pr-12' })
    expect(pull.comments()[0]).not.toContain('Merging changes the testers:')
  })

  it('a pull request that deletes it: nobody is on its preview, which is said, and closing brings everybody home', async () => {
    const world = await createTesterWorld([on(ADA, 'beta'), BOB])
    const pull = await openPull(world.world, { files: { ...webFolder('Evening'), 'testers.json': null } })
    const options = () => ({
      number: 12,
      headSha: world.hosted.pull(12).pull.head.sha,
      headRef: 'feature/evening',
    })
    const deleting = await world.run(pullRequestEvent('opened', options()))
    expect(deleting.errors).toEqual([])
    expect(world.overrides()).toEqual({ [ADA]: 'beta' })
    expect(pull.comments()[0]).toContain('Merging changes the testers:</b> removes 2')
    // The file is back; then the checkout of the closing run has none.
    pull.push(file([on(ADA, 'beta'), BOB]))
    await world.run(pullRequestEvent('synchronize', options()))
    expect(world.overrides()).toEqual({ [ADA]: 'pr-12', [BOB]: 'pr-12' })
    pull.push({ 'testers.json': null })
    world.hosted.closePull(12, { merged: false })
    world.capgo.clock.advance(61_000)
    const closed = await world.run(pullRequestEvent('closed', options()))
    expect(closed.errors).toEqual([])
    expect(world.overrides()).toEqual({ [ADA]: 'beta' })
  })

  it('a branch from before there was one has the default branch’s testers, and proposes nothing', async () => {
    const world = await createTesterWorld(null)
    const pull = await openPull(world.world, { files: webFolder('Evening') })
    world.repo.checkout('main')
    world.commit([ADA])
    world.repo.checkout('feature/evening')
    const { sha } = world.hosted.pull(12).pull.head
    await world.run(pullRequestEvent('opened', { number: 12, headSha: sha, headRef: 'feature/evening' }))
    expect(world.overrides()).toEqual({ [ADA]: 'pr-12' })
    expect(pull.comments()[0]).not.toContain('Merging changes the testers:')
  })

  it('one that the workflow names and nobody has is an error on every branch, and none where main has it', async () => {
    const world = await createTesterWorld(null)
    const inputs = { 'testers-file': 'team/testers.json' }
    world.repo.branch('develop')
    const develop = () => world.run(pushEvent({ branch: 'develop', sha: world.repo.head }), { inputs })
    const missing = await develop()
    expect(missing.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'testers_file_missing' })
    await openPull(world.world, { files: webFolder('Evening') })
    const { sha } = world.hosted.pull(12).pull.head
    const opened = pullRequestEvent('opened', { number: 12, headSha: sha, headRef: 'feature/evening' })
    const pull = await world.run(opened, { inputs })
    expect(pull.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'testers_file_missing' })
    expect(world.capgo.store.find('channels', { name: 'pr-12' })).toBeUndefined()
    world.repo.checkout('main')
    world.repo.commit({ 'team/testers.json': JSON.stringify([ADA]) })
    world.repo.checkout('feature/evening')
    const found = await world.run(opened, { inputs })
    expect(found.errors).toEqual([])
    expect(world.overrides()).toEqual({ [ADA]: 'pr-12' })
    expect(found.log.join('\n')).toContain(
      "team/testers.json is not in this checkout. The default branch's file is used.",
    )
  })

  it("a tag's is not even read", async () => {
    const world = await createTesterWorld([])
    world.repo.commit({ 'testers.json': 'broken' })
    world.repo.tag('v1.5.0')
    const event = tagPushEvent({ tag: 'v1.5.0', sha: world.repo.head })
    const run = await world.run(event, { inputs: { channels: 'v*: production', version: '1.5.0' } })
    expect(run.outputs.outcome, run.errors.join('\n')).toBe('published')
  })
})

describe('before anything is written', () => {
  it.each([
    ['channels that no device can be put on', [on(ADA, 'nowhere'), on(BOB, 'live')], {}, 'channel_unknown'],
    [
      'what the key may not',
      [on(ADA, 'beta')],
      { without: ['channel.manage_forced_devices'] },
      'permission_missing',
    ],
  ] as const)('a push is told of %s', async (_, testers, options, code) => {
    const world = await createTesterWorld(testers, {
      ...options,
      ...('without' in options ? { without: [...options.without] } : {}),
    } as WorldOptions)
    world.capgo.seedChannel({ appId: APP_ID, name: 'live', public: true })
    const run = await world.run(pushEvent({ branch: 'main', sha: world.repo.head }))
    expect(run.outputs).toMatchObject({ outcome: 'failed', 'error-code': code })
    expect(run.errors.join('\n')).toContain('Nothing was changed')
    expect(
      world.capgo.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/rpc/')),
    ).toEqual([])
  })
})

describe('a person in the console', () => {
  it('moves devices between our look and our writes: they stay there', async () => {
    const world = await createTesterWorld([on(ADA, 'beta'), on(BOB, 'beta'), on(EVE, 'beta')])
    for (const device of [ADA, BOB, EVE]) world.hand(device, 'beta')
    world.capgo.faults.add({
      match: { method: 'GET', path: /channel_devices.*device_id=in/, nth: 1 },
      do: () => {
        const { store } = world.capgo
        for (const device_id of [ADA, BOB])
          store.remove('channel_devices', store.find('channel_devices', { device_id })!.id)
        world.hand(ADA, 'support')
        world.hand(BOB, 'support')
      },
    })
    const run = await world.push(file([on(ADA, 'alpha'), on(EVE, 'alpha')]))
    expect(run.errors).toEqual([])
    // Ada would be moved, Bob released.
    expect(world.overrides()).toEqual({ [ADA]: 'support', [BOB]: 'support', [EVE]: 'alpha' })
    expect(JSON.parse(run.outputs.testers!)).toEqual({ assigned: 1, released: 0, renewed: 0, failed: 0 })
  })
})

it('a renewal without effect is failed, and not renewed', async () => {
  const world = await createTesterWorld([on(ADA, 'beta')])
  world.hand(ADA, 'beta')
  world.capgo.store.db
    .prepare('UPDATE channel_devices SET updated_at = ?')
    .run('2020-01-01T00:00:00.000+00:00')
  world.capgo.faults.add({
    match: { method: 'PATCH', path: /channel_devices/ },
    do: { status: 200, body: [] as never },
  })
  const run = await world.schedule()
  expect(run.isGreen).toBe(false)
  expect(run.outputs['error-code']).toBe('permission_missing')
  expect(JSON.parse(run.outputs.testers!)).toEqual({ assigned: 0, released: 0, renewed: 0, failed: 1 })
})

it('2,500 overrides are counted, and read whole while others come and go', async () => {
  const world = await createTesterWorld([])
  const { capgo, key } = world
  const idOf = (n: number) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
  capgo.store.transaction(() => {
    for (let n = 0; n < 2_500; n++) world.hand(idOf(n), 'beta')
  })
  const dispatcher = new Agent()
  const client = createCapgo({
    token: key,
    api: capgo.url,
    files: capgo.url,
    plugin: capgo.url,
    database: null,
    dispatcher,
    userAgent: 'test',
    redact: text => text,
    signal: new AbortController().signal,
    onRetry: () => {},
    sleep: async () => {},
  })
  const { id } = capgo.store.find('channels', { name: 'beta' })!
  expect(await client.countOverrides(APP_ID, id)).toBe(2_500)
  capgo.faults.add({
    match: { method: 'GET', path: /channel_devices/, nth: 1 },
    at: 'after',
    do: () => {
      const gone = capgo.store.find('channel_devices', { device_id: idOf(0) })!
      capgo.store.remove('channel_devices', gone.id)
      world.hand(idOf(2_500), 'beta')
    },
  })
  const devices = new Set((await client.listOverrides(APP_ID)).map(({ device_id }) => device_id))
  for (let n = 1; n <= 2_500; n++) expect(devices.has(idOf(n)), String(n)).toBe(true)
  await dispatcher.destroy()
})
