import { describe, expect, it } from 'vitest'
import type { RunOptions } from '../../local/runner/runner.ts'
import { BUILT_ACTION, createWorld, type World, withoutChance } from './scenario.ts'
import { bundlesOf, channelOf, deviceOn, dispatch, publish, servedBy } from './stages.ts'

const change = (
  world: World,
  rollout: string,
  inputs: Record<string, string> = {},
  more: Partial<RunOptions> = {},
) => dispatch(world, { operation: 'rollout', channel: 'production', rollout, ...inputs }, more)

/** How many of 200 devices are offered each bundle. */
async function offers(world: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < 200; n++) {
    const device = deviceOn(world, 'production', `ada00000-0000-4000-8000-${String(n).padStart(12, '0')}`)
    const answer = await device.checkForUpdate()
    const name = answer.kind === 'update' ? answer.version : answer.error
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

const rolloutOf = (world: World) => {
  const { rollout_version, rollout_percentage_bps, rollout_enabled, rollout_paused_at } = channelOf(
    world,
    'production',
  )
  return {
    id: rollout_version,
    bps: rollout_percentage_bps,
    on: rollout_enabled,
    paused: rollout_paused_at !== null,
  }
}
const NONE = { id: null, bps: 0, on: false, paused: false }

describe.each(['base', 'new'] as const)('a rollout on a server of the profile %s', profile => {
  const create = async () => {
    const world = await createWorld({ role: 'app_admin', server: { profile } })
    await world.push('main')
    return world
  }

  it('begins at a percentage, is raised, paused, resumed and finished', async () => {
    const world = await create()
    world.story(await world.push('main'))
    const run = await publish(world, 'Next', { ...BUILT_ACTION, inputs: { rollout: '25' } })
    expect(run.exitCode, run.visibleLog).toBe(0)
    if (profile === 'base') {
      expect(world.story(run)).toMatchSnapshot()
      expect(withoutChance(run.summary)).toMatchSnapshot()
    }
    const next = run.outputs['bundle-version']!
    expect(run.outputs).toMatchObject({ outcome: 'published', channel: 'production', rollout: '25' })
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')
    const some = await offers(world)
    expect(some[next]).toBeGreaterThan(20)
    expect(some[next]).toBeLessThan(90)
    expect(some['1.2.0']).toBe(200 - some[next]!)

    world.story(run)
    const raised = await change(world, '50')
    if (profile === 'base') expect(world.story(raised)).toMatchSnapshot()
    expect(raised.outputs).toMatchObject({ outcome: 'published', 'bundle-version': next, rollout: '50' })
    expect((await offers(world))[next]).toBeGreaterThan(some[next]!)
    expect((await change(world, '50')).outputs.outcome).toBe('unchanged')

    const paused = await change(world, 'pause')
    expect(paused.outputs).toMatchObject({ outcome: 'published', rollout: '50' })
    expect(rolloutOf(world)).toMatchObject({ bps: 5000, on: true, paused: true })
    expect((await offers(world))[next]).toBeUndefined()
    expect((await change(world, 'pause')).outputs.outcome).toBe('unchanged')
    expect((await change(world, 'resume')).outputs.outcome).toBe('published')
    expect(rolloutOf(world).paused).toBe(false)

    const options = { runId: 9_000_000_100, runNumber: 100 }
    const finished = await change(world, 'finish', {}, options)
    expect(finished.outputs).toMatchObject({ outcome: 'published', 'bundle-version': next, rollout: '' })
    expect(await offers(world)).toEqual({ [next]: 200 })
    expect(rolloutOf(world)).toEqual(NONE)
    const again = await change(world, 'finish', {}, { ...options, runAttempt: 2 })
    expect(again.outputs.outcome).toBe('unchanged')
    expect((await change(world, 'finish')).outputs['error-code']).toBe('no_rollout')
  })

  it('is taken back, and stays so when the run that began it is run again', async () => {
    const world = await create()
    const began = await publish(world, 'Next', { inputs: { rollout: '25' } })
    const cancelled = await change(world, 'cancel')
    expect(cancelled.outputs, cancelled.visibleLog).toMatchObject({
      outcome: 'published',
      'bundle-version': '1.2.0',
      rollout: '',
    })
    expect(cancelled.outputs.reason).toContain(began.outputs['bundle-version'])
    expect(rolloutOf(world)).toEqual(NONE)
    const again = await world.push('main', {
      inputs: { rollout: '25' },
      runId: 9_000_000_002,
      runNumber: 2,
      runAttempt: 2,
    })
    expect(again.outputs).toMatchObject({ outcome: 'stale', 'bundle-version': '1.2.0' })
    expect(rolloutOf(world)).toEqual(NONE)
    expect((await publish(world, 'Mended', { inputs: { rollout: '25' } })).outputs.rollout).toBe('25')
  })

  it('is never reset in silence: a publish fails, replaces it or goes on with it, as the workflow says', async () => {
    const world = await create()
    const first = await publish(world, 'Next', { inputs: { rollout: '25' } })
    await change(world, '50')
    // The run that began it, once more: the percentage that was reached stays.
    const again = await world.push('main', { inputs: { rollout: '25' } })
    expect(again.outputs).toMatchObject({ outcome: 'unchanged', rollout: '50' })
    const before = bundlesOf(world).length
    const refused = await publish(world, 'More')
    expect(refused.outputs['error-code'], refused.visibleLog).toBe('rollout_active')
    expect(bundlesOf(world)).toHaveLength(before)
    expect(rolloutOf(world)).toMatchObject({ bps: 5000, on: true })

    const advanced = await world.push('main', { inputs: { rollout: '10', 'on-active-rollout': 'advance' } })
    expect(advanced.outputs).toMatchObject({ outcome: 'published', rollout: '50' })
    expect(advanced.outputs['bundle-id']).not.toBe(first.outputs['bundle-id'])
    expect(rolloutOf(world)).toMatchObject({ id: Number(advanced.outputs['bundle-id']), bps: 5000 })

    const anew = await publish(world, 'Anew', { inputs: { rollout: '10', 'on-active-rollout': 'replace' } })
    expect(anew.outputs).toMatchObject({ outcome: 'published', rollout: '10' })
    expect(servedBy(world, 'production')?.name).toBe('1.2.0')

    const all = await publish(world, 'For all', { inputs: { 'on-active-rollout': 'replace' } })
    expect(all.outputs, all.visibleLog).toMatchObject({ outcome: 'published', rollout: '' })
    expect(rolloutOf(world)).toEqual(NONE)
    expect(await offers(world)).toEqual({ [all.outputs['bundle-version']!]: 200 })
  })

  it('stops a publish before its build, unless the publish would leave it alone', async () => {
    const world = await createWorld({
      role: 'app_admin',
      server: { profile },
      builds: true,
      builtAction: false,
    })
    await world.push('main')
    const old = world.repo.commit({ 'greeting.txt': '<h1>Older</h1>\n' })
    world.repo.commit({ 'greeting.txt': '<h1>Next</h1>\n' })
    await world.push('main', { inputs: { rollout: '25' } })
    const again = await world.push('main', { inputs: { rollout: '25' } })
    expect(again.outputs, again.visibleLog).toMatchObject({ outcome: 'unchanged', rollout: '25' })
    world.repo.commit({ 'README.md': 'the same content\n' })
    const same = await world.push('main', { inputs: { rollout: '25' } })
    expect(same.outputs, same.visibleLog).toMatchObject({ outcome: 'unchanged', rollout: '25' })
    world.repo.detach(old)
    const late = await world.push('main', { sha: old })
    expect(late.outputs, late.visibleLog).toMatchObject({ outcome: 'stale' })
    world.repo.checkout('main')
    world.repo.commit({ 'greeting.txt': '<h1>More</h1>\n' })
    const refused = await world.push('main')
    expect(refused.outputs['error-code'], refused.visibleLog).toBe('rollout_active')
    expect(refused.visibleLog).not.toContain('Build (build)')
  })

  it('is not moved backwards by an older commit', async () => {
    const world = await create()
    const old = world.repo.commit({ 'greeting.txt': '<h1>Older</h1>\n' })
    await publish(world, 'Next', { inputs: { rollout: '25' } })
    world.repo.detach(old)
    const late = await world.push('main', { sha: old, inputs: { 'on-active-rollout': 'replace' } })
    expect(late.outputs, late.visibleLog).toMatchObject({ outcome: 'stale' })
    expect(rolloutOf(world)).toMatchObject({ bps: 2500, on: true })
  })

  it('that somebody else begins meanwhile is left alone', async () => {
    const world = await create()
    const other = world.capgo.seedBundle({ appId: 'com.example.app', name: '1.9.0' })
    world.capgo.faults.add({
      match: { method: 'POST', path: /upload/ },
      do: () => {
        const channel = channelOf(world, 'production')
        const rollout = { rollout_version: other.id, rollout_enabled: true, rollout_percentage_bps: 100 }
        world.capgo.store.update('channels', channel, rollout)
      },
    })
    const run = await publish(world, 'Next')
    expect(run.outputs['error-code'], run.visibleLog).toBe('rollout_changed')
    expect(rolloutOf(world)).toMatchObject({ id: other.id, on: true, bps: 100 })
  })
})

it('a channel that serves nothing gives the first bundle to everybody', async () => {
  const world = await createWorld({ role: 'app_admin' })
  const run = await world.push('main', { inputs: { rollout: '10' } })
  expect(run.outputs).toMatchObject({ outcome: 'published', rollout: '' })
  expect(run.visibleLog).toContain('serves nothing yet, so all devices get the bundle')
})

it('a rollout on a dry run is told and not begun', async () => {
  const world = await createWorld({ role: 'app_admin' })
  await world.push('main')
  const run = await publish(world, 'Next', { inputs: { rollout: '10', 'dry-run': 'true' } })
  expect(run.outputs).toMatchObject({ outcome: 'planned', rollout: '10' })
  expect(rolloutOf(world)).toEqual(NONE)
  const began = await publish(world, 'Next', { inputs: { rollout: '10' } })
  const raised = await change(world, '20', { 'dry-run': 'true' })
  expect(raised.outputs).toMatchObject({ outcome: 'planned', 'bundle-id': began.outputs['bundle-id'] })
  expect(rolloutOf(world).bps).toBe(1000)
})

it('a key without channel.update_settings learns so before anything is written', async () => {
  const world = await createWorld({ role: 'app_developer' })
  await world.push('main')
  const before = bundlesOf(world).length
  const run = await publish(world, 'Next', { inputs: { rollout: '10' } })
  expect(run.outputs['error-code']).toBe('permission_missing')
  expect(run.outputs.reason).toContain('channel.update_settings')
  expect(bundlesOf(world)).toHaveLength(before)
})
