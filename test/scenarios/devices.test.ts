import { describe, expect, it } from 'vitest'
import { dispatchEvent } from '../../local/runner/event.ts'
import { ADA, BOB, EVE } from '../helpers/device-ids.ts'
import { APP_ID, createWorld, tinyApp, type World } from './scenario.ts'
import { dispatch } from './stages.ts'

const ZOE = '20e00000-0000-4000-8000-000000000004'
const OLD = '01d00000-0000-4000-8000-000000000005'

const timeless = (text: string) =>
  text.replace(/[A-Z][a-z]{2}.\d{1,2},.\d\d:\d\d.UTC/g, 'TIME').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

async function createPhones(): Promise<World> {
  const files = { ...tinyApp(), 'testers.json': JSON.stringify([{ device: ADA, name: "Ada's iPhone" }]) }
  const world = await createWorld({ files, role: 'app_developer' })
  const { capgo } = world
  capgo.seedChannel({ appId: APP_ID, name: 'production', public: true })
  capgo.seedChannel({ appId: APP_ID, name: 'pr-12' })
  const seed = (deviceId: string, change: object) => {
    // The newest is listed first: two of one millisecond would be in either order.
    capgo.clock.advance(1_000)
    capgo.seedDevice({ appId: APP_ID, deviceId, ...change })
  }
  seed(ADA, { versionBuild: '1.4.0', versionName: '1.4.1-pr.12.1.1', channel: 'pr-12' })
  seed(BOB, { platform: 'android', versionBuild: '1.3.0', versionName: 'builtin', default_channel: 'beta' })
  seed(EVE, { versionBuild: '1.4.0', is_emulator: true })
  return world
}

const stamp = (time: number) =>
  new Date(Math.floor(time / 1_000) * 1_000).toISOString().replace('Z', '+00:00')

const inPrivate = (world: World, inputs: Record<string, string>) =>
  world.run(dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.shaOf('main'), isPrivate: true }), {
    inputs: { operation: 'devices', ...inputs },
  })

describe('devices', () => {
  it('are listed with names, versions and channels, ids shortened', async () => {
    const world = await createPhones()
    const run = await dispatch(world, { operation: 'devices' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(timeless(run.summary)).toMatchSnapshot()
    expect(JSON.parse(run.outputs.devices!)).toHaveLength(3)
    const everything = run.summary + run.visibleLog + run.outputs.devices
    for (const id of [ADA, BOB, EVE]) expect(everything).not.toContain(id)
    expect(
      world.capgo.requests.filter(({ method, path }) => method !== 'GET' && path !== '/private/devices'),
    ).toEqual([])
  })

  it('have whole ids, and lines for the testers file, in a private repository alone', async () => {
    const world = await createPhones()
    const refused = await dispatch(world, { operation: 'devices', 'show-ids': 'true' })
    expect(refused.exitCode).toBe(1)
    expect(refused.outputs['error-code']).toBe('invalid_input')
    expect(refused.outputs.reason).toContain('does not say that the repository is private')
    const event = dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.shaOf('main'), isPrivate: true })
    const repository = { ...(event.payload.repository as object), visibility: 'internal' }
    const payload = { ...event.payload, repository }
    const inputs = { operation: 'devices', 'show-ids': 'true' }
    expect((await world.run({ ...event, payload }, { inputs })).exitCode).toBe(1)
    const run = await inPrivate(world, { 'show-ids': 'true' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.summary).toContain(`{"device":"${BOB}","name":"Android"}`)
    expect(run.summary).not.toContain(`{"device":"${ADA}"`)
    expect(
      JSON.parse(run.outputs.devices!)
        .map(({ device }: { device: string }) => device)
        .sort(),
    ).toEqual([ADA, BOB, EVE])
  })

  it('of the testers file that were not seen are named, unless a filter may have left them out', async () => {
    const world = await createPhones()
    world.repo.commit({
      'testers.json': JSON.stringify([
        { device: ADA, name: 'Ada' },
        { device: ZOE, name: 'Zoë <b>' },
        { device: OLD, github: 'old-phone' },
      ]),
    })
    world.capgo.seedDevice({ appId: APP_ID, deviceId: OLD, updated_at: stamp(Date.parse('2026-01-01')) })
    const run = await dispatch(world, { operation: 'devices' })
    const { summary } = run
    expect(summary).toContain('<b>2 testers not seen</b>')
    expect(summary).toContain('- Zoë &#60;b&#62; <code>20e00000…</code>\n- old-phone <code>01d00000…</code>')
    for (const line of ['platform: ios', 'id: ada', 'channel: pr-12', 'version: 1']) {
      const { summary } = await dispatch(world, { operation: 'devices', 'device-filter': line })
      expect(summary).not.toContain('not seen')
    }
  })

  it('are filtered', async () => {
    const world = await createPhones()
    const run = await inPrivate(world, {
      'show-ids': 'true',
      'device-filter': 'platform: android\nversion: 1.3',
    })
    expect(JSON.parse(run.outputs.devices!)).toMatchObject([
      {
        device: BOB,
        platform: 'android',
        native: '1.3.0',
        bundle: 'builtin',
        channel: 'beta',
        by: 'app',
        listed: false,
      },
    ])
  })

  it('a mistake in the filter is not called a failed publish', async () => {
    const world = await createPhones()
    const run = await dispatch(world, { operation: 'devices', 'device-filter': 'platfrom: ios' })
    expect(run.outputs['error-code']).toBe('invalid_input')
    expect(run.summary).toContain('### ❌ Run failed')
    expect(run.summary).toContain('Did you mean "platform"?')
  })

  it('are read with few requests, however many there are', async () => {
    const world = await createPhones()
    for (let index = 0; index < 10_500; index++)
      world.capgo.seedDevice({
        appId: APP_ID,
        deviceId: `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
      })
    const run = await dispatch(world, { operation: 'devices' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.summary).toContain('10,000 devices were seen')
    expect(run.visibleLog).toContain('the newest 10,000 were read')
    // GitHub counts two bytes a character.
    expect(run.outputs.devices!.length).toBeLessThan(1024 * 512)
    const { length } = JSON.parse(run.outputs.devices!)
    expect(length).toBeGreaterThan(1_500)
    expect(run.visibleLog).toContain(`has the newest ${length.toLocaleString('en-US')} of 10,000 devices`)
    expect(run.summary).toContain(`${(length - 200).toLocaleString('en-US')} more devices in the output`)
    expect(run.summary.length).toBeLessThan(60_000)
    expect(world.capgo.requests.length).toBeLessThan(20)
  })

  it('are all read, one that reports between two pages too, and those of one second each once', async () => {
    const world = await createPhones()
    const { capgo } = world
    const deviceId = (index: number) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`
    for (let index = 0; index < 1_500; index++) {
      // Some second ends in the middle of a page.
      if (index % 700 === 0) capgo.clock.advance(1_000)
      capgo.seedDevice({ appId: APP_ID, deviceId: deviceId(index), updated_at: stamp(capgo.clock.now()) })
    }
    const report = () => {
      capgo.clock.advance(5_000)
      const oldest = capgo.store.find('devices', { app_id: APP_ID, device_id: ADA })!
      capgo.store.update('devices', oldest, { updated_at: stamp(capgo.clock.now()) })
    }
    capgo.faults.add({ match: { path: '/private/devices', nth: 2 }, do: report })
    const run = await inPrivate(world, { 'show-ids': 'true' })
    const listed = JSON.parse(run.outputs.devices!).map(({ device }: { device: string }) => device)
    expect(listed).toHaveLength(1_503)
    expect(new Set(listed)).toHaveLength(1_503)
    expect(listed[0], 'the newest').toBe(ADA)
  })

  it('of a server without pages are as many as it gives, and that is said', async () => {
    const world = await createPhones()
    const of = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        device_id: `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
        platform: 'ios',
        updated_at: new Date(world.capgo.clock.now()).toISOString(),
      }))
    const read = async (body: object) => {
      world.capgo.faults.clear()
      world.capgo.faults.add({ match: { path: '/private/devices' }, do: { status: 200, body }, times: 3 })
      const run = await dispatch(world, { operation: 'devices' })
      expect(run.exitCode, run.visibleLog).toBe(0)
      const [, warned = null] = /the newest ([\d,]+) were read/.exec(run.visibleLog) ?? []
      return [JSON.parse(run.outputs.devices!).length, warned]
    }
    expect(await read({ data: of(999) })).toEqual([999, '999'])
    expect(await read({ data: of(999), nextCursor: 'again', hasMore: true })).toEqual([999, '999'])
    expect(await read({ data: of(998) }), 'all of them').toEqual([998, null])
    expect(await read({ data: of(999), hasMore: false }), 'all of them').toEqual([999, null])
    const old = { ...of(999).at(-1), updated_at: '2020-01-01T00:00:00.000Z' }
    expect(await read({ data: [...of(998), old] }), 'all that were seen').toEqual([998, null])
  })

  it('are none where the filter lets none through', async () => {
    const world = await createPhones()
    const run = await dispatch(world, { operation: 'devices', 'device-filter': 'channel: nightly' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.outputs.reason).toBe('No device was seen in the last 30 days (channel nightly).')
    expect(run.outputs.devices).toBe('[]')
  })

  it('say which permission is missing', async () => {
    const world = await createPhones()
    const key = world.capgo.seedKey({ appId: APP_ID, role: 'app_preview' })
    const run = await dispatch(world, { operation: 'devices', 'capgo-token': key })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('permission_missing')
    expect(run.outputs.reason).toContain('app.read_devices')
  })
})
