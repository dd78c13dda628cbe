import { describe, expect, it } from 'vitest'
import { readServedCommit } from '../../src/plan/bundle-comment.ts'
import { APP_ID, BUILT_ACTION, createWorld, type World, type WorldRun, withoutChance } from './scenario.ts'
import { bundlesOf, channelOf, deviceOn, dispatch, publish, servedBy } from './stages.ts'

const rollBack = (world: World, inputs: Record<string, string> = {}, more: WorldRun = {}) =>
  dispatch(world, { operation: 'rollback', channel: 'production', ...inputs }, more)

/** Production served two good bundles, and serves a bad one. */
async function createAccident(options: Parameters<typeof createWorld>[0] = {}): Promise<World> {
  const world = await createWorld({ role: 'app_admin', ...options })
  await world.push('main')
  await publish(world, 'Good')
  world.story(await publish(world, 'Bad'))
  return world
}

describe('a roll-back', () => {
  it('goes to what the channel served before, and says how many devices run the bad one', async () => {
    const world = await createAccident()
    const [, good, bad] = bundlesOf(world)
    const phone = deviceOn(world, 'production')
    expect((await phone.update())?.version).toBe(bad!.name)
    world.story(await world.push('main'))
    const run = await rollBack(world, {}, BUILT_ACTION)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(world.story(run)).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': good!.name })
    expect((await phone.update())?.version, 'the device goes back').toBe(good!.name)
    expect(readServedCommit(servedBy(world, 'production')!, 'production')).toMatchObject({
      sha: world.repo.git(['rev-parse', 'main~1']),
      previous: '1.2.0',
      rolledBackFrom: { name: bad!.name, sha: world.repo.shaOf('main') },
    })
    const after = bundlesOf(world).find(({ id }) => id === bad!.id)!
    expect(readServedCommit(after, 'production')?.rolledBackBy?.runId).toBe(9_000_000_005)
  })

  it('holds: neither the old run nor a new one of the same commit brings the bad bundle back; a newer commit publishes', async () => {
    const world = await createAccident()
    const [, good, bad] = bundlesOf(world)
    await rollBack(world)
    const rerun = await world.push('main', { runId: 9_000_000_003, runNumber: 3, runAttempt: 2 })
    expect(rerun.outputs).toMatchObject({ outcome: 'stale', 'bundle-version': good!.name })
    expect(rerun.outputs.reason).toContain(`rolled the channel back from ${bad!.name}`)
    const anew = await world.push('main')
    expect(anew.outputs).toMatchObject({ outcome: 'stale', 'bundle-version': good!.name })
    // A commit that changes nothing of the web build has the same bytes.
    world.repo.commit({ 'README.md': 'Read me' })
    const same = await world.push('main')
    expect(same.outputs).toMatchObject({ outcome: 'published', 'bundle-version': bad!.name })
    expect(same.visibleLog).toContain(`Run 4.1 rolled back ${bad!.name}, which has the same content.`)
    const mended = await publish(world, 'Mended')
    expect(mended.outputs, mended.visibleLog).toMatchObject({ outcome: 'published' })
  })

  it('run again does not go back further; a new one does', async () => {
    const world = await createAccident()
    const [first, good] = bundlesOf(world)
    const options = { runId: 9_000_000_100, runNumber: 100 }
    expect((await rollBack(world, {}, options)).outputs['bundle-id']).toBe(String(good!.id))
    const again = await rollBack(world, {}, { ...options, runAttempt: 2 })
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', 'bundle-id': String(good!.id) })
    const further = await rollBack(world, {}, { runId: 9_000_000_101, runNumber: 101 })
    expect(further.outputs).toMatchObject({ outcome: 'published', 'bundle-id': String(first!.id) })
    const none = await rollBack(world, {}, { runId: 9_000_000_102, runNumber: 102 })
    expect(none.outputs['error-code']).toBe('no_earlier_bundle')
  })

  it('goes where it is told, by name or id, and is undone with force', async () => {
    const world = await createAccident()
    const [first, good, bad] = bundlesOf(world)
    expect((await rollBack(world, { to: '1.2.0' })).outputs['bundle-id']).toBe(String(first!.id))
    expect((await rollBack(world, { to: String(good!.id) })).outputs['bundle-id']).toBe(String(good!.id))
    expect((await rollBack(world, { to: bad!.name })).outputs['error-code']).toBe('bundle_rolled_back')
    const back = await rollBack(world, { to: bad!.name, force: 'true' })
    expect(back.outputs).toMatchObject({ outcome: 'published', 'bundle-id': String(bad!.id) })
  })

  it('undone, the good bundle is still what would be gone back to', async () => {
    const world = await createAccident()
    const [, good, bad] = bundlesOf(world)
    await rollBack(world)
    await rollBack(world, { to: bad!.name, force: 'true' })
    expect((await rollBack(world)).outputs['bundle-id']).toBe(String(good!.id))
  })

  it('passes over a bundle that never was on the channel', async () => {
    const world = await createWorld({ role: 'app_admin' })
    await world.push('main')
    const good = servedBy(world, 'production')!
    // This run uploads, and dies before it points the channel at its bundle.
    world.capgo.faults.add({
      match: { method: 'PUT', path: '/bundle' },
      do: { status: 400, body: { error: 'no' } },
    })
    expect((await publish(world, 'Never seen')).exitCode).toBe(1)
    await publish(world, 'Bad')
    const run = await rollBack(world)
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published', 'bundle-id': String(good.id) })
  })

  it('tells of devices that would refuse the older bundle, and does not go where none would take it', async () => {
    const world = await createAccident()
    const [, good, bad] = bundlesOf(world)
    const device = (n: number, versionBuild: string) =>
      world.capgo.seedDevice({
        appId: APP_ID,
        deviceId: `ada00000-0000-4000-8000-00000000000${n}`,
        versionBuild,
        versionName: bad!.name,
      })
    device(1, '3.0.0')
    const refused = await rollBack(world)
    expect(refused.outputs['error-code']).toBe('rollback_refused')
    expect(refused.outputs.reason).toContain('none of the known devices')
    expect(servedBy(world, 'production')?.id).toBe(bad!.id)
    device(2, '1.0.0')
    const run = await rollBack(world)
    expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-id': String(good!.id) })
    expect(run.visibleLog).toContain('1 of 2 checked devices would reject')
    expect(run.visibleLog).toContain('2 devices still run')
  })

  it('on a dry run writes nothing', async () => {
    const world = await createAccident()
    const [, good, bad] = bundlesOf(world)
    const run = await rollBack(world, { 'dry-run': 'true' })
    expect(run.outputs).toMatchObject({ outcome: 'planned', 'bundle-version': good!.name })
    expect(servedBy(world, 'production')?.id).toBe(bad!.id)
    expect(world.story(run)).not.toContain('PATCH')
  })

  it('does not end a rollout by the way', async () => {
    const world = await createAccident()
    await publish(world, 'Next', { inputs: { rollout: '10' } })
    const refused = await rollBack(world)
    expect(refused.outputs['error-code']).toBe('rollout_active')
    const run = await rollBack(world, { 'on-active-rollout': 'replace' })
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(channelOf(world, 'production')).toMatchObject({ rollout_version: null, rollout_enabled: false })
  })

  it('killed at any request and run again ends the same', async () => {
    for (let nth = 1; nth <= 4; nth++) {
      const world = await createAccident()
      const [, good, bad] = bundlesOf(world)
      const kill = {
        match: { method: nth <= 2 ? 'PATCH' : 'PUT', nth: nth <= 2 ? nth : 1 },
        at: nth === 3 ? 'before' : 'after',
      } as const
      const options = { runId: 9_000_000_100, runNumber: 100 }
      let process: ReturnType<typeof rollBack> | undefined
      world.capgo.faults.add({
        ...kill,
        do: () => (process as unknown as { kill(signal: string): void }).kill('SIGKILL'),
      })
      process = rollBack(world, {}, { ...options, ...BUILT_ACTION })
      expect((await process).signal).toBe('SIGKILL')
      const run = await rollBack(world, {}, { ...options, runAttempt: 2 })
      expect(run.exitCode, run.visibleLog).toBe(0)
      expect(servedBy(world, 'production')?.id).toBe(good!.id)
      const noted = bundlesOf(world).find(({ id }) => id === bad!.id)!
      expect(readServedCommit(noted, 'production')?.rolledBackBy).not.toBeNull()
    }
  })
})
