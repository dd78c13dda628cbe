/**
 * The action is killed at every single request of a publish; run again, it ends as if nothing had happened. In this
 * process a run that is killed is cut off from everything; the built action is really killed at some of the requests.
 */
import { describe, expect, it } from 'vitest'
import type { ActionProcess } from '../../local/runner/runner.ts'
import {
  APP_ID,
  createWorld,
  tinyApp,
  type World,
  type WorldOptions,
  type WorldRun,
} from '../scenarios/scenario.ts'

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
        await killAndRepair(world, { nth, at }, whole.outputs.checksum)
      }
  })
})

describe('the built action, killed', () => {
  it.each([
    ['after it made the row of the bundle', 'POST', /app_versions/],
    ['after the upload', 'POST', /files\/upload/],
    ['after the channel was made', 'POST', /^\/channel/],
  ])('%s, is repaired by running it again', async (_title, method, path) => {
    const world = await createWorld({ files: BUILT })
    await killAndRepair(world, { method, path, nth: 1, at: 'after' }, null, { builtAction: true })
  })
})

interface Kill {
  readonly method?: string
  readonly path?: RegExp
  readonly nth: number
  readonly at: 'before' | 'after'
}

/** `checksum` = what has to be served in the end; null = whatever the second run says. */
async function killAndRepair(
  world: World,
  kill: Kill,
  checksum: string | undefined | null,
  how: WorldRun = {},
) {
  const killedAt = await pushAndKill(world, kill, how)
  const again = await world.push('main', { ...how, inputs: INPUTS, runAttempt: 2 })
  const where = `killed ${kill.at} request ${kill.nth}, ${killedAt}`
  expect(again.exitCode, `${where}\n${again.visibleLog}`).toBe(0)
  expect(['published', 'unchanged'], where).toContain(again.outputs.outcome)
  if (checksum !== null) expect(again.outputs.checksum, where).toBe(checksum)
  expect(state(world), where).toEqual({ served: again.outputs.checksum, inProgress: [] })
}

async function pushAndKill(world: World, kill: Kill, how: WorldRun): Promise<string> {
  const { nth, at, method, path = /.*/ } = kill
  let action: ActionProcess | undefined
  let killedAt = ''
  const first = world.capgo.requests.length
  world.capgo.faults.add({
    match: { path, nth, ...(method === undefined ? {} : { method }) },
    at,
    times: 1,
    async do(request) {
      killedAt = `${request.method} ${request.path}`
      action?.kill('SIGKILL')
      throw new Error('the client is gone')
    },
  })
  action = world.push('main', { ...how, inputs: INPUTS }) as ActionProcess
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
