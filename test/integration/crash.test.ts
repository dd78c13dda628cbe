/** The action is killed at every single request of a publish; run again, it ends as if nothing had happened. */
import { describe, expect, it } from 'vitest'
import type { ActionProcess } from '../../local/runner/runner.ts'
import { APP_ID, createWorld, tinyApp, type World, type WorldOptions } from '../scenarios/scenario.ts'

const BUILT = {
  ...tinyApp(),
  '.gitignore': '',
  'www/index.html': '<script src="app.js"></script>',
  'www/app.js': 'CapacitorUpdater.notifyAppReady()',
}
const INPUTS = { build: 'false' }

/** Cases of a publish whose requests differ. */
const CASES: Record<string, { options: WorldOptions; prepare?: (world: World) => Promise<void> }> = {
  'a new channel': { options: {} },
  'an existing channel': {
    options: {},
    async prepare(world) {
      await world.push('main', { inputs: INPUTS })
      world.repo.commit({ 'www/index.html': '<h1>Next</h1><script src="app.js"></script>' })
    },
  },
  'a server with presigned uploads': {
    options: { server: { filesConfig: { TUSUpload: false, TUSUploadForced: false, partialUpload: false } } },
  },
  'content that is there already': {
    options: {},
    async prepare(world) {
      await world.push('main', { inputs: INPUTS })
      world.repo.commit({ 'www/index.html': '<h1>Next</h1><script src="app.js"></script>' })
      await world.push('main', { inputs: INPUTS })
      world.repo.commit({ 'www/index.html': '<script src="app.js"></script>' })
    },
  },
}

describe.each(Object.entries(CASES))('killed while it publishes to %s', (_title, { options, prepare }) => {
  it('is repaired by running it again, at every request', async () => {
    const undisturbed = await createWorld({ files: BUILT, ...options })
    await prepare?.(undisturbed)
    const before = undisturbed.capgo.requests.length
    const whole = await undisturbed.push('main', { inputs: INPUTS })
    expect(whole.outputs.outcome, whole.visibleLog).toBe('published')
    const requests = undisturbed.capgo.requests.slice(before)
    expect(requests.length).toBeGreaterThan(5)

    // Before a request, everything is as after the one before it.
    for (const index of requests.keys())
      for (const at of index === 0 ? (['before', 'after'] as const) : (['after'] as const)) {
        const nth = index + 1
        const world = await createWorld({ files: BUILT, ...options })
        await prepare?.(world)
        const killedAt = await pushAndKill(world, nth, at)
        const again = await world.push('main', { inputs: INPUTS, runAttempt: 2 })
        const where = `killed ${at} request ${nth}, ${killedAt}`
        expect(again.exitCode, `${where}\n${again.visibleLog}`).toBe(0)
        expect(['published', 'unchanged'], where).toContain(again.outputs.outcome)
        expect(again.outputs.checksum, where).toBe(whole.outputs.checksum)
        expect(state(world), where).toEqual({ served: whole.outputs.checksum, inProgress: [] })
      }
  }, 300_000)
})

async function pushAndKill(world: World, nth: number, at: 'before' | 'after'): Promise<string> {
  let action: ActionProcess | undefined
  let killedAt = ''
  const first = world.capgo.requests.length
  world.capgo.faults.add({
    match: { path: /.*/, nth },
    at,
    times: 1,
    async do(request) {
      killedAt = `${request.method} ${request.path}`
      action?.kill('SIGKILL')
      throw new Error('the client is gone')
    },
  })
  action = world.push('main', { inputs: INPUTS }) as ActionProcess
  const run = await action
  world.capgo.faults.clear()
  expect(run.signal, `request ${nth} of ${world.capgo.requests.length - first}`).toBe('SIGKILL')
  return killedAt
}

/** What devices see, and what nobody should find. */
function state({ capgo }: World) {
  const channel = capgo.store.find('channels', { app_id: APP_ID, name: 'production' })
  const served = channel?.version == null ? null : capgo.store.find('app_versions', { id: channel.version })
  return {
    served: served?.checksum,
    inProgress: capgo.store
      .list('app_versions', { app_id: APP_ID })
      .filter(bundle => bundle.storage_provider === 'r2-direct')
      .map(bundle => bundle.name),
  }
}
