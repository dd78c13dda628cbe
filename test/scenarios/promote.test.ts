import { describe, expect, it } from 'vitest'
import { readServedCommit } from '../../src/plan/bundle-comment.ts'
import { APP_ID, BUILT_ACTION, type World, type WorldRun, withoutChance } from './scenario.ts'
import { bundlesOf, channelOf, createStages, deviceOn, dispatch, servedBy } from './stages.ts'

const promote = (world: World, inputs: Record<string, string> = {}, more: WorldRun = {}) =>
  dispatch(world, { operation: 'promote', from: 'development', to: 'production', ...inputs }, more)

describe('a promotion', () => {
  it('takes what one channel serves to another, byte for byte and without a build', async () => {
    const world = await createStages()
    const tested = servedBy(world, 'development')!
    const before = world.capgo.requests.length
    const run = await promote(world, {}, BUILT_ACTION)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(world.story(run)).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(run.outputs).toMatchObject({
      outcome: 'published',
      channel: 'production',
      'bundle-id': String(tested.id),
      checksum: tested.checksum,
    })
    expect(bundlesOf(world)).toHaveLength(2)
    expect(world.capgo.requests.slice(before).filter(({ path }) => path.includes('/upload'))).toEqual([])
    expect((await deviceOn(world, 'production').update())?.checksum).toBe(tested.checksum)
    // Which commit it is of, by which run, and what was there before.
    expect(readServedCommit(servedBy(world, 'production')!, 'production')).toMatchObject({
      sha: world.repo.git(['rev-parse', 'develop']),
      refName: 'develop',
      run: '3.1',
      previous: '1.2.0',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
    expect(readServedCommit(servedBy(world, 'production')!, 'development')).toMatchObject({ run: '2.1' })
    // GitHub shows it where it is.
    const deployed = world.hosted.deployments.at(-1)!
    expect(deployed).toMatchObject({
      environment: 'production',
      sha: world.repo.git(['rev-parse', 'develop']),
    })
    expect(deployed.statuses.at(-1)?.state).toBe('success')
    expect((await promote(world)).outputs.outcome).toBe('unchanged')
  })

  it('works without a checkout, and says that nobody looked whether devices take it', async () => {
    const world = await createStages()
    const files = { 'android/app/build.gradle': null, 'capacitor.config.json': null }
    world.repo.branch('main', world.repo.shaOf('main'))
    world.repo.write(files)
    const run = await promote(world, { 'app-id': APP_ID })
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(run.visibleLog).toContain('no native version is known')
  })

  it('on a dry run prints the plan and writes nothing', async () => {
    const world = await createStages()
    const run = await promote(world, { 'dry-run': 'true' })
    expect(world.story(run)).toMatchSnapshot()
    expect(run.outputs).toMatchObject({ outcome: 'planned', channel: 'production' })
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')
  })

  it('does not take back what is newer, unless it is forced to', async () => {
    const world = await createStages()
    world.repo.checkout('main')
    world.repo.merge('develop')
    world.repo.commit({ 'greeting.txt': '<h1>Newer</h1>\n' })
    await world.push('main')
    const newer = servedBy(world, 'production')!
    const refused = await promote(world)
    expect(refused.exitCode).toBe(1)
    expect(refused.outputs['error-code']).toBe('promotion_older')
    expect(servedBy(world, 'production')?.id).toBe(newer.id)
    const forced = await promote(world, { force: 'true' })
    expect(forced.outputs).toMatchObject({ outcome: 'published', channel: 'production' })
    expect(servedBy(world, 'production')?.id).not.toBe(newer.id)
    // The run that published the newer one does not bring it back by being run again.
    const again = await world.push('main', { runId: 9_000_000_003, runNumber: 3, runAttempt: 2 })
    expect(again.outputs).toMatchObject({ outcome: 'stale', channel: 'production' })
    // A new commit does.
    world.repo.commit({ 'greeting.txt': '<h1>Newest</h1>\n' })
    expect((await world.push('main')).outputs.outcome).toBe('published')
  })

  it('does not take native code to apps that lack it, unless that is only to be warned about', async () => {
    const world = await createStages()
    const camera = (version: string) => [{ name: '@capacitor/camera', version }]
    for (const [channel, version] of [
      ['production', '7.0.1'],
      ['development', '8.0.0'],
    ] as const)
      world.capgo.store.update('app_versions', servedBy(world, channel)!, {
        native_packages: camera(version),
      })
    const refused = await promote(world)
    expect(refused.outputs['error-code'], refused.visibleLog).toBe('native_incompatible')
    expect(refused.outputs.reason).toContain('@capacitor/camera 7.0.1 -> 8.0.0')
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')
    const warned = await promote(world, { 'on-incompatible': 'warn' })
    expect(warned.outputs.outcome).toBe('published')
    expect(warned.visibleLog).toContain(
      'Warning: Installed apps on channel production (with 1.2.0) lack native code',
    )
  })

  it('says so when somebody changes the channel meanwhile', async () => {
    const world = await createStages()
    const other = world.capgo.seedBundle({ appId: APP_ID, name: '1.9.0', bytes: Buffer.from('zip') })
    world.capgo.faults.add({
      match: { method: 'PATCH', path: /app_versions/ },
      at: 'after',
      do: () => {
        const channel = channelOf(world, 'production')
        world.capgo.store.update('channels', channel, { version: other.id })
      },
    })
    const run = await promote(world)
    expect(run.outputs['error-code']).toBe('channel_changed')
    expect(servedBy(world, 'production')?.name).toBe('1.9.0')
  })

  it.each(['base', 'new'] as const)('to a part of the devices (%s)', async profile => {
    const world = await createStages({ server: { profile } })
    const run = await promote(world, { rollout: '30' })
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published', rollout: '30' })
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')
    expect(channelOf(world, 'production')).toMatchObject({
      rollout_version: servedBy(world, 'development')!.id,
      rollout_percentage_bps: 3000,
      rollout_enabled: true,
    })
  })

  it.each(['base', 'new'] as const)(
    'without app.upload_bundle is done, and warned about (%s)',
    async profile => {
      const world = await createStages({ server: { profile } })
      const key = world.capgo.seedKey({
        appId: APP_ID,
        role: 'app_admin',
        without: ['app.upload_bundle', 'bundle.delete'],
      })
      const run = await promote(world, { 'capgo-token': key })
      expect(run.outputs.outcome, run.visibleLog).toBe('published')
      expect(run.visibleLog).toContain('Could not record this run')
    },
  )
})
