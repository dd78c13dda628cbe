import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import type { Files } from '../../local/repository.ts'
import { dispatchEvent, pushEvent, scheduleEvent } from '../../local/runner/event.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { ADA, BOB, EVE } from '../helpers/device-ids.ts'
import { openPull } from './pull.ts'
import {
  APP_ID,
  BUILT_ACTION,
  createWorld,
  tinyApp,
  type World,
  type WorldOptions,
  type WorldRun,
  withoutChance,
} from './scenario.ts'
import { dispatch } from './stages.ts'

const withTesters = (testers: unknown): Files => ({
  ...tinyApp(),
  'testers.json': typeof testers === 'string' ? testers : JSON.stringify(testers, null, 2),
})

/** Overrides as Capgo has them: the channel of each device. */
function overridesOf({ capgo }: World): Record<string, string> {
  const names = new Map(capgo.store.list('channels', { app_id: APP_ID }).map(({ id, name }) => [id, name]))
  return Object.fromEntries(
    capgo.store
      .list('channel_devices', { app_id: APP_ID })
      .map(({ device_id, channel_id }) => [device_id, names.get(channel_id) ?? '?'])
      .sort(),
  )
}

const createTesterWorld = (testers: unknown, more: WorldOptions = {}) =>
  createWorld({ files: withTesters(testers), role: 'app_admin', ...more })

/** A push to main that changes the testers file. */
async function pushFile(
  world: World,
  testers: unknown,
  inputs: Record<string, string> = {},
  more: WorldRun = {},
) {
  const { repo } = world
  const before = repo.shaOf('main')
  repo.checkout('main')
  repo.commit({ 'testers.json': typeof testers === 'string' ? testers : JSON.stringify(testers) })
  return world.run(pushEvent({ branch: 'main', sha: repo.head, before }), { ...more, inputs })
}

const schedule = (world: World, inputs: Record<string, string> = {}) =>
  world.run(scheduleEvent({ sha: world.repo.shaOf('main') }), { inputs })

const section = (comment = '') =>
  comment.slice(comment.indexOf('<!-- testers -->'), comment.indexOf('<!-- /testers -->'))

describe('the preview of a pull request', () => {
  it('is on the devices of the file, and on no other', async () => {
    const world = await createTesterWorld([ADA, BOB])
    await world.push('main')
    world.story(await world.push('main'))
    const pull = await openPull(world)
    const run = await pull.run('opened', {}, BUILT_ACTION)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(world.story(run)).toMatchSnapshot()
    expect(pull.comments().map(text => withoutChance(text))).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [BOB]: 'pr-12' })
    expect(JSON.parse(run.outputs.testers ?? '')).toEqual({ assigned: 2, released: 0, renewed: 0, failed: 0 })
    world.capgo.clock.advance(15_000)
    const device = new Device({ capgoUrl: world.capgo.url, appId: APP_ID, deviceId: ADA })
    expect((await device.update())?.version).toBe(run.outputs['bundle-version'])
    const other = new Device({ capgoUrl: world.capgo.url, appId: APP_ID })
    expect((await other.update())?.version).toBe('1.2.0')
    // Again, nothing changes.
    const again = await pull.run('synchronize')
    expect(JSON.parse(again.outputs.testers ?? '')).toMatchObject({ assigned: 0, released: 0 })
    expect(section(pull.comments()[0])).toContain('gets it, but Capgo never saw this id')
    expect(section(pull.comments()[0])).toContain('/octo-org/daybreak/blob/main/testers.json#L3>)')
    expect(section(pull.comments()[0])).toContain(
      '[Add a phone](<https://github.com/octo-org/daybreak/edit/main/testers.json>)',
    )
    const closed = await pull.close()
    expect(closed.exitCode, closed.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({})
    expect(pull.comments().map(text => withoutChance(text))).toMatchSnapshot()
    expect((await device.update())?.version).toBe('1.2.0')
  })

  it('goes to its author where the file has logins; the newest takes a device, and both comments say so', async () => {
    const world = await createTesterWorld([
      { device: ADA, name: "Ada's iPhone", github: 'octocat' },
      { device: BOB, github: 'bob', channel: 'beta' },
    ])
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    await world.push('main')
    const first = await openPull(world, { number: 12 })
    const author = world.hosted.pull(12).issue.author
    world.repo.checkout('main')
    await pushFile(world, [
      { device: ADA, name: "Ada's *iPhone* @everyone", github: author },
      { device: BOB, github: 'bob', channel: 'beta' },
    ])
    await first.run('opened')
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [BOB]: 'beta' })
    world.repo.checkout('main')
    const second = await openPull(world, {
      number: 14,
      branch: 'feature/night',
      files: { 'greeting.txt': 'Night' },
    })
    await second.run('opened')
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-14', [BOB]: 'beta' })
    world.repo.checkout('main')
    const third = await openPull(world, {
      number: 16,
      branch: 'feature/noon',
      files: { 'greeting.txt': 'Noon' },
    })
    await third.run('opened')
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-16', [BOB]: 'beta' })
    expect(section(third.comments()[0])).toContain('moved here from #14')
    expect(section(second.comments()[0])).toContain('on #16, which is newer')
    expect(section(third.comments()[0])).not.toContain('@everyone')
    // The older one is pushed to: the newer keeps the device.
    await second.run('synchronize')
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-16', [BOB]: 'beta' })
    expect(section(second.comments()[0])).toContain('on #16, which is newer')
    world.capgo.clock.advance(61_000)
    const closed = await third.close(true)
    expect(overridesOf(world), closed.visibleLog).toEqual({ [ADA]: 'pr-14', [BOB]: 'beta' })
    expect(section(second.comments()[0])).not.toContain('which is newer')
    expect(third.comments()[0]).toContain('1 follows <code>pr-14</code>')
    await second.close()
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [BOB]: 'beta' })
    await first.close()
    expect(overridesOf(world)).toEqual({ [BOB]: 'beta' })
  })

  it('goes to reviewers and groups when the workflow says so', async () => {
    const world = await createTesterWorld([
      { device: ADA, github: 'ada' },
      { device: BOB, github: 'bob' },
      { device: EVE, groups: ['qa'] },
    ])
    await world.push('main')
    const pull = await openPull(world)
    world.hosted.pull(12).pull.reviewers.push('Ada')
    const inputs = { 'assign-testers': 'reviewers, group:qa' }
    // The event says nothing of reviewers; the pull request on GitHub does.
    await pull.run('opened', {}, { inputs })
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [EVE]: 'pr-12' })
    const none = await pull.run('synchronize', {}, { inputs: { 'assign-testers': 'none' } })
    expect(overridesOf(world), none.visibleLog).toEqual({})
    const unknown = await pull.run('synchronize', {}, { inputs: { 'assign-testers': 'group:ops' } })
    expect(unknown.outputs.reason).toContain('testers.json has no group "ops"')
  })

  it('says what will not install, and who was never seen', async () => {
    const world = await createTesterWorld([ADA, BOB, { device: EVE, until: '2020-01-01' }])
    await world.push('main')
    world.capgo.seedDevice({ appId: APP_ID, deviceId: ADA, platform: 'android', versionBuild: '1.0.0' })
    const pull = await openPull(world)
    await pull.run('opened')
    world.capgo.store.update('channels', world.capgo.store.find('channels', { name: 'pr-12' })!, {
      android: false,
    })
    await pull.run('synchronize')
    expect(section(pull.comments()[0])).toMatchSnapshot()
  })

  it('leaves a device where a person put it', async () => {
    const world = await createTesterWorld([ADA])
    world.capgo.seedChannel({ appId: APP_ID, name: 'support', public: false })
    world.capgo.seedOverride({ appId: APP_ID, deviceId: ADA, channel: 'support' })
    world.capgo.seedOverride({ appId: APP_ID, deviceId: EVE, channel: 'support' })
    await world.push('main')
    const pull = await openPull(world)
    const run = await pull.run('opened')
    expect(run.exitCode).toBe(0)
    expect(overridesOf(world)).toEqual({ [ADA]: 'support', [EVE]: 'support' })
    expect(section(pull.comments()[0])).toContain('stays on')
  })

  it('that changes the file decides about its own preview only, and says what merging would do', async () => {
    const world = await createTesterWorld([{ device: ADA, channel: 'beta' }, { device: BOB }])
    for (const name of ['beta', 'alpha']) world.capgo.seedChannel({ appId: APP_ID, name, public: false })
    await pushFile(world, [{ device: ADA, channel: 'beta' }, BOB])
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta' })
    const pull = await openPull(world, {
      files: { 'testers.json': JSON.stringify([{ device: ADA, name: 'Ada', channel: 'alpha' }, EVE]) },
    })
    const run = await pull.run('opened', {}, { inputs: { 'assign-testers': 'all' } })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [EVE]: 'pr-12' })
    expect(withoutChance(pull.comments()[0] ?? '')).toMatchSnapshot()
    // Capgo takes the same device and channel once a minute.
    world.capgo.clock.advance(61_000)
    await pull.close(false)
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta' })
  })
})

describe('a branch that is behind', () => {
  it('removes nobody who came later, and brings nobody back', async () => {
    const world = await createTesterWorld([ADA, BOB])
    await world.push('main')
    const pull = await openPull(world)
    await pushFile(world, [BOB, EVE])
    world.repo.checkout('feature/evening')
    const run = await pull.run('opened')
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [BOB]: 'pr-12', [EVE]: 'pr-12' })
    expect(pull.comments()[0]).not.toContain('changes the testers:</b> removes 1')
    pull.push({ 'testers.json': JSON.stringify([ADA]) })
    const removing = await pull.run('synchronize')
    expect(removing.exitCode, removing.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [EVE]: 'pr-12' })
    expect(pull.comments()[0]).toContain('changes the testers:</b> removes 1')
  })
})

describe('a push that changes the file', () => {
  it('sets, moves and removes; what a person did stays', async () => {
    const world = await createTesterWorld([])
    for (const name of ['beta', 'alpha']) world.capgo.seedChannel({ appId: APP_ID, name, public: false })
    await world.push('main')
    await pushFile(world, [
      { device: ADA, channel: 'beta' },
      { device: BOB, channel: 'beta' },
    ])
    world.capgo.seedOverride({ appId: APP_ID, deviceId: EVE, channel: 'beta' })
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta', [BOB]: 'beta', [EVE]: 'beta' })
    world.story(await world.push('main'))
    const run = await pushFile(world, [{ device: ADA, channel: 'alpha' }], {}, BUILT_ACTION)
    expect(overridesOf(world), run.visibleLog).toEqual({ [ADA]: 'alpha', [EVE]: 'beta' })
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(world.story(run)).toMatchSnapshot()
    world.capgo.clock.advance(61_000)
    await pushFile(world, [], { prune: 'never' })
    expect(overridesOf(world)).toEqual({ [ADA]: 'alpha', [EVE]: 'beta' })
    await pushFile(world, [{ device: BOB, channel: 'beta' }], { prune: 'exclusive' })
    // Ada's entry had left already, and the file's history knows that it put her there.
    expect(overridesOf(world)).toEqual({ [BOB]: 'beta' })
  })

  it('and is run again after a later one brings nothing of the old file back', async () => {
    const world = await createTesterWorld([])
    for (const name of ['beta', 'alpha']) world.capgo.seedChannel({ appId: APP_ID, name, public: false })
    const before = world.repo.head
    await pushFile(world, [
      { device: ADA, channel: 'beta' },
      { device: BOB, channel: 'beta' },
    ])
    const sha = world.repo.head
    await pushFile(world, [{ device: ADA, channel: 'alpha' }])
    // What the later push could not know: somebody's run of the first one came after it.
    world.capgo.seedOverride({ appId: APP_ID, deviceId: BOB, channel: 'beta' })
    world.repo.checkout(sha)
    world.capgo.clock.advance(61_000)
    const run = await world.run(pushEvent({ branch: 'main', sha, before }), { runAttempt: 2 })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(overridesOf(world), run.visibleLog).toEqual({ [ADA]: 'alpha' })
  })

  it('is applied where the branch publishes nothing too', async () => {
    const world = await createTesterWorld([])
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    const run = await pushFile(world, [{ device: ADA, channel: 'beta' }], { channels: 'live: production' })
    expect(run.outputs).toMatchObject({ outcome: 'skipped' })
    expect(overridesOf(world), run.visibleLog).toEqual({ [ADA]: 'beta' })
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })

  it('is not applied on another branch, nor on a dry run', async () => {
    const world = await createTesterWorld([])
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    world.repo.branch('develop')
    const before = world.repo.head
    world.repo.commit({ 'testers.json': JSON.stringify([{ device: ADA, channel: 'beta' }]) })
    await world.run(pushEvent({ branch: 'develop', sha: world.repo.head, before }))
    expect(overridesOf(world)).toEqual({})
    const dry = await pushFile(world, [{ device: ADA, channel: 'beta' }], { 'dry-run': 'true' })
    expect(overridesOf(world)).toEqual({})
    expect(dry.summary).toContain('would follow <code>beta</code>')
  })

  it('must not be a link out of the checkout', async () => {
    const world = await createTesterWorld([ADA])
    const outside = join(makeScratch('outside'), 'list.json')
    await writeFile(outside, JSON.stringify([BOB]))
    await rm(join(world.repo.path, 'testers.json'))
    await symlink(outside, join(world.repo.path, 'testers.json'))
    const run = await world.push('main')
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('testers_file_invalid')
    expect(run.visibleLog).toContain('outside of the checkout')
    expect(run.visibleLog).not.toContain(BOB)
  })

  it('with mistakes changes nothing and tells them all', async () => {
    const world = await createTesterWorld([ADA])
    await world.push('main')
    const requests = world.capgo.requests.length
    const run = await pushFile(world, `[\n  "${ADA}",\n  "${ADA}",\n  "x"\n]`)
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('testers_file_invalid')
    expect(world.capgo.requests.length).toBe(requests)
    expect(withoutChance(run.visibleLog)).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })

  it('tells of channels that are not there or public, before anything is published', async () => {
    const world = await createTesterWorld([])
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    await world.push('main')
    const run = await pushFile(world, [
      { device: ADA, channel: 'production' },
      { device: BOB, channel: 'nowhere' },
      { device: EVE, channel: 'beta' },
    ])
    expect(run.exitCode).toBe(1)
    expect(run.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'public_channel' })
    expect(overridesOf(world)).toEqual({})
    expect(run.log.annotations.map(({ message }) => message.split('\n')[0])).toEqual([
      '1 device (ada00000…): Channel "production" is public, and Capgo does not allow overrides to a public channel.',
      '1 device (b0b00000…): Channel "nowhere" does not exist, or the key cannot see it.',
      "2 errors prevent the assignment of testers' devices.",
    ])
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })
})

describe('a key that may not', () => {
  it('put devices on channels: that is told before anything is published', async () => {
    const world = await createTesterWorld([ADA, BOB], { without: ['channel.manage_forced_devices'] })
    await world.push('main')
    const pull = await openPull(world)
    const run = await pull.run('opened')
    expect(run.exitCode).toBe(1)
    expect(run.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'permission_missing' })
    expect(run.outputs.reason).toContain('channel.manage_forced_devices')
    expect(run.visibleLog).toContain('as the input "devices-token"')
    expect(world.capgo.store.find('channels', { name: 'pr-12' })).toBeUndefined()
    // A key of its own for devices.
    const devices = world.capgo.seedKey({ appId: APP_ID, role: 'app_developer' })
    const again = await pull.run('synchronize', {}, { inputs: { 'devices-token': devices } })
    expect(again.exitCode, again.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [BOB]: 'pr-12' })
    expect(again.visibleLog + again.summary).not.toContain(devices)
  })

  it('take devices off: Capgo would say ok, and the run does not', async () => {
    const world = await createTesterWorld([{ device: ADA, channel: 'beta' }])
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    world.capgo.seedOverride({ appId: APP_ID, deviceId: ADA, channel: 'beta' })
    const weak = world.capgo.seedKey({
      appId: APP_ID,
      role: 'app_developer',
      without: ['channel.manage_forced_devices'],
    })
    const run = await pushFile(world, [], { 'devices-token': weak })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('permission_missing')
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta' })
  })
})

describe('the scheduled run', () => {
  it('renews what is near its end, in one request and without a gap, and puts right what was missed', async () => {
    const world = await createTesterWorld([
      { device: ADA, channel: 'beta' },
      { device: BOB, channel: 'beta' },
      { device: EVE, channel: 'beta', until: '2020-01-01' },
    ])
    const { store } = world.capgo
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    for (const deviceId of [ADA, EVE]) {
      const row = world.capgo.seedOverride({ appId: APP_ID, deviceId, channel: 'beta' })
      store.db
        .prepare('UPDATE channel_devices SET updated_at = ? WHERE id = ?')
        .run('2020-01-01T00:00:00.000+00:00', row.id)
    }
    const run = await schedule(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta', [BOB]: 'beta' })
    expect(store.find('channel_devices', { device_id: ADA })!.updated_at > '2026').toBe(true)
    const writes = world.capgo.requests.filter(
      ({ method, path }) => method !== 'GET' && !path.includes('/rpc/'),
    )
    expect(writes.map(({ method, path }) => `${method} ${path.split('?')[0]}`).sort()).toEqual([
      'DELETE /device',
      'PATCH /rest/v1/channel_devices',
      'POST /device',
    ])
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })
})

/** What changes something, on the wire. */
const writesOf = ({ capgo, github }: World) =>
  [...capgo.requests, ...github.requests]
    .filter(({ method, path }) => method !== 'GET' && !path.includes('/rpc/'))
    .map(({ method, path }) => `${method} ${path.split('?')[0]}`)

describe('testers on demand', () => {
  const files = [
    { device: ADA, channel: 'beta' },
    { device: BOB, channel: 'beta' },
  ]
  /** Ada's assignment ends soon, Bob has none. */
  async function createDemand() {
    const world = await createTesterWorld(files)
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', public: false })
    world.capgo.seedOverride({ appId: APP_ID, deviceId: ADA, channel: 'beta' })
    world.capgo.clock.advance(20 * 86_400_000)
    return world
  }

  it('are a dry run that writes nothing, where a preview and its devices are left too', async () => {
    const world = await createDemand()
    const pull = await openPull(world)
    await pull.run('opened')
    world.hosted.closePull(12, { merged: false })
    world.capgo.clock.advance(20 * 86_400_000)
    const before = [overridesOf(world), pull.comments(), writesOf(world)]
    const run = await dispatch(world, { operation: 'testers', 'dry-run': 'true' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect([overridesOf(world), pull.comments(), writesOf(world)]).toEqual(before)
    expect(run.summary).toContain('Dry run: would delete the preview of #12')
    expect(run.summary).toContain('2 testers: 2 to assign')
  })

  it('are counted before they are changed', async () => {
    const world = await createDemand()
    const dry = await dispatch(world, { operation: 'testers', 'dry-run': 'true' })
    expect(dry.summary).toContain('### 🧪 Dry run: 2 testers: 1 to assign, 1 to renew')
    expect(dry.visibleLog).toContain('Dry run: 2 testers: 1 to assign, 1 to renew. Nothing was written.')
    expect(JSON.parse(dry.outputs.testers!)).toEqual({ assigned: 1, released: 0, renewed: 1, failed: 0 })
    expect(writesOf(world)).toEqual([])
    const run = await dispatch(world, { operation: 'testers' })
    expect(run.summary).toContain('### 👥 2 testers: 1 assigned, 1 renewed')
    expect(run.outputs.testers).toBe(dry.outputs.testers)
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta', [BOB]: 'beta' })
  })

  it('are those of the default branch, whichever branch runs', async () => {
    const world = await createDemand()
    world.repo.branch('other')
    const sha = world.repo.commit({ 'testers.json': '[]' })
    const event = dispatchEvent({ ref: 'refs/heads/other', sha })
    const run = await world.run(event, { inputs: { operation: 'testers' } })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(overridesOf(world)).toEqual({ [ADA]: 'beta', [BOB]: 'beta' })
  })

  it('are none without a file, and that is said', async () => {
    const world = await createWorld({ role: 'app_admin' })
    const run = await dispatch(world, { operation: 'testers' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.visibleLog).toContain('testers.json was not found, so no device was looked at.')
    expect(run.summary).toContain('testers.json was not found, so no device was looked at.')
    expect((await schedule(world)).summary).not.toContain('testers.json')
    expect(writesOf(world)).toEqual([])
  })
})

it('one device that fails does not hide the others; the run is red, and the next one goes on', async () => {
  const world = await createTesterWorld([ADA, BOB])
  await world.push('main')
  world.capgo.faults.add({
    match: { method: 'POST', path: '/device', nth: 1 },
    do: { status: 400, body: { error: 'channel_device_error', message: 'no' } },
  })
  const pull = await openPull(world)
  const run = await pull.run('opened')
  expect(Object.values(overridesOf(world)), run.visibleLog).toEqual(['pr-12'])
  expect(run.exitCode).toBe(1)
  expect(run.outputs).toMatchObject({ outcome: 'published', 'error-code': 'channel_device_error' })
  expect(section(pull.comments()[0])).toContain('❌')
  world.capgo.faults.clear()
  world.capgo.clock.advance(61_000)
  expect((await pull.run('synchronize')).exitCode).toBe(0)
  expect(overridesOf(world)).toEqual({ [ADA]: 'pr-12', [BOB]: 'pr-12' })
})
