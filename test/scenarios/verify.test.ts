import { describe, expect, it } from 'vitest'
import { APP_ID, BUILT_ACTION, createWorld, type World, withoutChance } from './scenario.ts'
import { bundlesOf, dispatch, publish, servedBy } from './stages.ts'

const verified = { inputs: { verify: 'true' } }

/** The answer that a server gives that does not know of the change yet; as often as told. */
function answerFromBefore({ capgo }: World, times: number, body: object): void {
  capgo.faults.add({
    match: { method: 'POST', path: '/updates' },
    do: { status: 200, headers: { 'content-type': 'application/json' }, body },
    times,
  })
}

describe('verify', () => {
  it('asks as a device until the bundle is offered, and checks what it downloads', async () => {
    const world = await createWorld()
    await world.push('main')
    world.story(await world.push('main'))
    answerFromBefore(world, 1, {
      error: 'no_new_version_available',
      message: 'No new version available',
      kind: 'up_to_date',
    })
    const run = await publish(world, 'Next', { ...BUILT_ACTION, ...verified })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(world.story(run)).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    const asked = world.capgo.requests.filter(({ path }) => path === '/updates')
    expect(asked).toHaveLength(2)
    for (const { headers, body } of asked) {
      expect(Object.keys(headers)).not.toContain('capgkey')
      expect(body).toMatchObject({ platform: 'android', version_build: '1.0', version_name: 'builtin' })
    }
    // One device, however often: Capgo counts it once a month.
    await publish(world, 'And next', verified)
    expect(world.capgo.store.list('devices', { app_id: APP_ID })).toHaveLength(1)
  })

  it('fails when devices are refused the bundle', async () => {
    const world = await createWorld({ role: 'app_admin' })
    await world.push('main')
    const channel = world.capgo.store.find('channels', { name: 'production' })!
    world.capgo.store.update('channels', channel, { allow_prod: false })
    answerFromBefore(world, 1, {
      error: 'disable_prod_build',
      message: 'Cannot update, prod build is disabled',
      kind: 'blocked',
      version: '1.2.1-production.2.1',
      old: '1.0.0',
    })
    const run = await publish(world, 'Next', verified)
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code'], run.visibleLog).toBe('not_offered')
    expect(run.outputs.reason).toContain('disable_prod_build')
  })

  it('fails when the download differs from the published file', async () => {
    const world = await createWorld()
    world.capgo.faults.add({
      match: { method: 'GET', path: /\/files\/read\/.*key=/ },
      do: { status: 200, headers: { 'content-type': 'application/zip' }, body: 'something else' },
    })
    const run = await world.push('main', verified)
    expect(run.outputs['error-code'], run.visibleLog).toBe('download_differs')
    expect(run.outputs.reason).toContain('its SHA-256 is')
  })

  it('needs a native version and a channel that answers, and says so before anything is built', async () => {
    const world = await createWorld()
    world.repo.commit({ 'android/app/build.gradle': null })
    const without = await world.push('main', verified)
    expect(without.outputs['error-code']).toBe('verify_impossible')
    const given = await world.push('main', { inputs: { verify: 'true', 'native-version': '1.1' } })
    expect(given.outputs.outcome, given.visibleLog).toBe('published')
    expect(given.visibleLog).toContain('native 1.1 (android): offered 1.2.0')
    expect(given.visibleLog).toContain('native 1.1 (ios): offered 1.2.0')
    world.capgo.seedChannel({ appId: APP_ID, name: 'closed' })
    const before = bundlesOf(world).length
    const closed = await world.push('main', {
      inputs: { verify: 'true', 'native-version': '1.1', channel: 'closed' },
    })
    expect(closed.outputs['error-code']).toBe('verify_impossible')
    expect(bundlesOf(world)).toHaveLength(before)
  })

  it('works after a roll-back, on a self-hosted server too; a rollout is warned about', async () => {
    const world = await createWorld({ role: 'app_admin', server: { runtime: 'edge' } })
    await world.push('main')
    await publish(world, 'Bad', verified)
    const back = await dispatch(world, { operation: 'rollback', channel: 'production', verify: 'true' })
    expect(back.outputs, back.visibleLog).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.0' })
    expect(back.visibleLog).toContain('offered 1.2.0')
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')
    const some = await publish(world, 'Some', { inputs: { verify: 'true', rollout: '10' } })
    expect(some.exitCode, some.visibleLog).toBe(0)
    expect(some.visibleLog).toContain('Not verified')
  })
})
