import { describe, expect, it } from 'vitest'
import { writesOf } from '../../local/app.ts'
import { ADA, BOB } from '../helpers/device-ids.ts'
import { openPull } from './pull.ts'
import { APP_ID, BUILT_ACTION, createWorld, timeless, type World } from './scenario.ts'
import { bundlesOf, createStages, dispatch, publish, servedBy } from './stages.ts'

describe('status', () => {
  it('tells what every channel serves since when, from which commit and pull request, and to how many', async () => {
    const world = await createStages()
    const pull = await openPull(world)
    await pull.run('opened')
    await publish(world, 'Next', { inputs: { rollout: '10' } })
    world.repo.checkout('main')
    const seedDevice = (deviceId: string, versionName: string, channel?: string) =>
      world.capgo.seedDevice({ appId: APP_ID, deviceId, versionName, ...(channel ? { channel } : {}) })
    seedDevice(ADA, servedBy(world, 'pr-12')!.name, 'pr-12')
    seedDevice(BOB, '1.2.0')
    world.capgo.seedChannel({ appId: APP_ID, name: 'empty', ios: false })
    const byHand = world.capgo.seedBundle({ appId: APP_ID, name: '0.9.0' })
    world.capgo.seedChannel({ appId: APP_ID, name: 'by-hand', bundle: byHand.id })
    const before = world.capgo.requests.length
    const run = await dispatch(world, { operation: 'status' }, BUILT_ACTION)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(timeless(run.visibleLog)).toMatchSnapshot()
    expect(timeless(run.summary)).toMatchSnapshot()
    expect(run.outputs.outcome).toBe('read')
    const channels = JSON.parse(run.outputs.status!)
    expect(JSON.parse(timeless(JSON.stringify(channels)))).toMatchSnapshot()
    expect(channels.map(({ channel }: { channel: string }) => channel)).toEqual([
      'production',
      'by-hand',
      'development',
      'empty',
      'pr-12',
    ])
    const asked = world.capgo.requests.slice(before)
    expect(writesOf(asked).filter(({ path }) => path !== '/private/devices')).toEqual([])
  })

  it('leaves open what the key may not read', async () => {
    const world = await createStages()
    const key = world.capgo.seedKey({ appId: APP_ID, role: 'app_reader', without: ['app.read_devices'] })
    const run = await dispatch(world, { operation: 'status', 'capgo-token': key })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.visibleLog).toContain('app.read_devices')
    expect(JSON.parse(run.outputs.status!)[0]).toMatchObject({
      channel: 'production',
      bundle: { devices: null },
    })
  })
})

describe('cleanup', () => {
  /** Production has served seven bundles, one of which somebody else made. */
  async function createOldBundles(): Promise<World> {
    const world = await createWorld({ role: 'app_admin' })
    await world.push('main')
    for (const greeting of ['Two', 'Three', 'Four', 'Five', 'Six']) await publish(world, greeting)
    world.capgo.seedBundle({ appId: APP_ID, name: '0.1.0', comment: 'made by hand' })
    return world
  }
  const left = (world: World) =>
    bundlesOf(world)
      .filter(({ deleted }) => !deleted)
      .map(({ name }) => name)

  it('deletes old bundles by name, and none that is served, needed, new or not ours', async () => {
    const world = await createOldBundles()
    const all = left(world)
    world.story(await dispatch(world, { operation: 'status' }))
    const dry = await dispatch(world, { operation: 'cleanup', keep: '2', 'dry-run': 'true' })
    expect(dry.outputs).toMatchObject({ outcome: 'planned' })
    expect(left(world)).toEqual(all)
    world.story(dry)
    const run = await dispatch(world, { operation: 'cleanup', keep: '2' }, BUILT_ACTION)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(timeless(world.story(run))).toMatchSnapshot()
    expect(timeless(run.summary)).toMatchSnapshot()
    // Six is served, Five is what it would be rolled back to, Four and Three are the newest two.
    expect(left(world)).toEqual([...all.slice(2, 6), '0.1.0'])
    const back = await dispatch(world, { operation: 'rollback', channel: 'production' })
    expect(back.outputs.outcome, back.visibleLog).toBe('published')
    const nothing = await dispatch(world, { operation: 'cleanup', keep: '20' })
    expect(nothing.outputs.reason).toBe('No old bundle to delete.')
  })

  it('keeps what is rolled out, and both bundles between which a channel was moved', async () => {
    const world = await createOldBundles()
    const rolled = await publish(world, 'Rolled out', { inputs: { rollout: '10' } })
    const [served, out] = [servedBy(world, 'production')!.name, rolled.outputs['bundle-version']!]
    await dispatch(world, { operation: 'cleanup', keep: '0' })
    expect(left(world)).toHaveLength(4)
    expect(left(world)).toEqual(expect.arrayContaining([served, out, '0.1.0']))
  })

  it('leaves a bundle that a channel came to serve meanwhile', async () => {
    const world = await createOldBundles()
    const old = bundlesOf(world)[0]!
    world.capgo.faults.add({
      match: { method: 'DELETE', path: '/bundle' },
      do: () => void world.capgo.seedChannel({ appId: APP_ID, name: 'old', bundle: old.id }),
    })
    const run = await dispatch(world, { operation: 'cleanup', keep: '0' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(left(world)).toContain(old.name)
    expect(run.summary).toContain('a channel serves it now')
  })

  it('needs the permission, and goes on after one that fails', async () => {
    const world = await createOldBundles()
    const developer = world.capgo.seedKey({ appId: APP_ID, role: 'app_developer' })
    const refused = await dispatch(world, { operation: 'cleanup', keep: '0', 'capgo-token': developer })
    expect(refused.outputs['error-code']).toBe('permission_missing')
    world.capgo.faults.add({
      match: { method: 'DELETE', path: '/bundle' },
      do: { status: 400, body: { error: 'cannot_check_linked_channels', message: 'no' } },
    })
    const run = await dispatch(world, { operation: 'cleanup', keep: '0' })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('cleanup_incomplete')
    expect(left(world)).toHaveLength(4)
    expect((await dispatch(world, { operation: 'cleanup', keep: '0' })).exitCode).toBe(0)
    expect(left(world)).toHaveLength(3)
  })
})
