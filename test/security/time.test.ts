/**
 * Every wait has a bound, and so has the whole run. However a run is ended before its time, it says so with one error,
 * leaves no process, and the next run repairs what it left. docs/development/security.md has the table of all bounds.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FaultInput } from '../../local/capgo/faults.ts'
import type { ActionProcess, ActionRun } from '../../local/runner/runner.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { APP_ID, createWorld, tinyApp, type World } from '../scenarios/scenario.ts'

/** Between the first signal and the kill (`ProcessInvoker.cs` of actions/runner). */
const SIGTERM_AFTER = 7_500
const KILLED_AFTER = 10_000
/** For a machine with other things to do: starting the action, and saying good-bye. */
const LEEWAY = 15_000

const PUBLISHED = /^(published|unchanged)$/

/** A web app that is built already. */
const built = {
  ...tinyApp(),
  '.gitignore': '',
  'www/index.html': '<script src="app.js"></script>',
  'www/app.js': 'CapacitorUpdater.notifyAppReady()',
}

/** A build that starts others, notes all their ids, and never ends; it also takes no notice of being asked to. */
function endlessBuild(folder: string): string {
  return `const { spawn } = require('node:child_process'), fs = require('node:fs')
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
const child = spawn('sh', ['-c', 'trap "" INT TERM HUP; sleep 300 & wait; sleep 300'], { stdio: 'inherit' })
fs.writeFileSync(${JSON.stringify(join(folder, 'pids'))} , [process.pid, child.pid].join(' '))
console.log('building')
setInterval(() => {}, 1000)`
}

/** Processes, with all that they started, that still run. */
function survivors(folder: string): string[] {
  const groups = readFileSync(join(folder, 'pids'), 'latin1').split(' ')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : ''
      const [state, parent, group] = stat.split(') ').at(-1)?.split(' ') ?? []
      return state !== 'Z' && [pid, parent, group].some(id => id !== undefined && groups.includes(id))
    })
}

function ended(run: ActionRun, code: string): void {
  expect(run.signal, run.visibleLog).toBeNull()
  expect(run.exitCode).toBe(1)
  expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'failed', 'error-code': code })
  expect(run.log.annotations.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect(run.summary).not.toBe('')
}

function served({ capgo }: World): string | null {
  const channel = capgo.store.find('channels', { app_id: APP_ID, name: 'production' })
  return channel?.version == null
    ? null
    : (capgo.store.find('app_versions', { id: channel.version })?.checksum ?? null)
}

/** The next run, with a build that works; what is served then is its bundle. */
async function repaired(world: World, inputs = {}): Promise<void> {
  if (world.repo.git(['show', 'HEAD:build.js']).includes('setInterval'))
    world.repo.commit({ 'build.js': tinyApp()['build.js'] ?? null })
  const again = await world.push('main', { builtAction: false, inputs, runAttempt: 2 })
  expect(again.outputs.outcome, again.visibleLog).toMatch(PUBLISHED)
  expect(served(world)).toBe(again.outputs.checksum)
  const unfinished = world.capgo.store
    .list('app_versions', { app_id: APP_ID, storage_provider: 'r2-direct' })
    .filter(({ deleted }) => !deleted)
  expect(unfinished).toEqual([])
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the input timeout ends a run', () => {
  const SECONDS = 6
  const inputs = { timeout: String(SECONDS / 60) }
  const longest = SECONDS * 1000 + KILLED_AFTER + LEEWAY

  it('whose build never ends, with all that the build started', async () => {
    const folder = makeScratch('pids')
    const world = await createWorld({ files: { ...tinyApp(), 'build.js': endlessBuild(folder) } })
    const run = await world.push('main', { inputs })
    ended(run, 'run_timeout')
    expect(run.outputs.reason).toContain('during "Build (build)"')
    expect(run.durationMs).toBeLessThan(longest)
    expect(survivors(folder)).toEqual([])
    await repaired(world)
  })

  it.each<[string, RequestListener]>([
    ['never answers', () => {}],
    [
      'answers a byte at a time',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const timer = setInterval(() => response.write(' '), 200)
        response.on('close', () => clearInterval(timer))
      },
    ],
    [
      'sends headers without an end',
      (_request, response) => {
        response.socket?.write('HTTP/1.1 200 OK\r\n')
        const timer = setInterval(() => response.socket?.write('x-more: 1\r\n'), 200)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('whose Capgo server %s', async (_name, listener) => {
    const world = await createWorld({ builtAction: true, files: built })
    const url = await serve(listener)
    const run = await world.push('main', { inputs: { ...inputs, build: 'false', 'api-url': url } })
    ended(run, 'run_timeout')
    expect(run.durationMs).toBeLessThan(longest)
    await repaired(world, { build: 'false' })
  })

  it('whose GitHub never answers, after the publish', async () => {
    const world = await createWorld({ builtAction: true, files: built })
    const url = await serve(() => {})
    const run = await world.push('main', { inputs: { ...inputs, build: 'false' }, apiUrl: url })
    expect(run.signal).toBeNull()
    expect(run.durationMs).toBeLessThan(longest)
    await repaired(world, { build: 'false' })
  })

  it.each<[string, FaultInput['match']]>([
    ['in an upload', { path: /files\/upload\/attachments/ }],
    ['before the promotion', { method: 'PATCH', path: /app_versions/ }],
  ])('%s', async (_name, match) => {
    const world = await createWorld({ builtAction: true, files: built })
    world.capgo.faults.add({ match, do: () => sleep(120_000, undefined, { ref: false }), times: 1 })
    const run = await world.push('main', { inputs: { ...inputs, build: 'false' } })
    ended(run, 'run_timeout')
    expect(served(world)).toBeNull()
    expect(run.durationMs).toBeLessThan(longest)
    world.capgo.faults.clear()
    await repaired(world, { build: 'false' })
  })
})

/** Cancels as the runner does, as soon as `begun` is there. */
async function cancel(action: ActionProcess, begun: Promise<void>) {
  await Promise.race([begun, action])
  const from = performance.now()
  action.kill('SIGINT')
  const timer = setTimeout(() => action.kill('SIGTERM'), SIGTERM_AFTER)
  const run = await action
  clearTimeout(timer)
  return { run, took: performance.now() - from }
}

describe('a run that is cancelled (SIGINT, then SIGTERM)', () => {
  it('in the build', async () => {
    const folder = makeScratch('pids')
    const world = await createWorld({ files: { ...tinyApp(), 'build.js': endlessBuild(folder) } })
    const begun = Promise.withResolvers<void>()
    const action = world.push('main', {
      onLine: line => {
        if (line === 'building') begun.resolve()
      },
    }) as ActionProcess
    const { run, took } = await cancel(action, begun.promise)
    ended(run, 'cancelled')
    expect(took).toBeLessThan(KILLED_AFTER)
    expect(survivors(folder)).toEqual([])
    await repaired(world)
  })

  it.each<[string, FaultInput['match'], FaultInput['at']]>([
    ['before anything is written', { path: '/rest/v1/apps' }, 'before'],
    ['in an upload', { path: /files\/upload\/attachments/ }, 'middle'],
    ['after the upload', { path: /files\/upload\/attachments/ }, 'after'],
    ['before the promotion', { method: 'PATCH', path: /app_versions/ }, 'before'],
    ['after the promotion', { method: 'PATCH', path: /app_versions/ }, 'after'],
  ])('%s', async (_name, match, at = 'before') => {
    const world = await createWorld({ builtAction: true, files: built })
    const begun = Promise.withResolvers<void>()
    world.capgo.faults.add({
      match,
      at,
      times: 1,
      do: () => {
        begun.resolve()
        return sleep(60_000, undefined, { ref: false })
      },
    })
    const action = world.push('main', { inputs: { build: 'false' } }) as ActionProcess
    const { run, took } = await cancel(action, begun.promise)
    ended(run, 'cancelled')
    expect(took).toBeLessThan(KILLED_AFTER)
    world.capgo.faults.clear()
    await repaired(world, { build: 'false' })
  })

  it('by SIGTERM alone, as containers are', async () => {
    const world = await createWorld({ builtAction: true, files: built })
    const begun = Promise.withResolvers<void>()
    world.capgo.faults.add({
      match: { path: /files\/upload/ },
      do: () => {
        begun.resolve()
        return sleep(60_000, undefined, { ref: false })
      },
    })
    const action = world.push('main', { inputs: { build: 'false' } }) as ActionProcess
    await begun.promise
    const from = performance.now()
    action.kill('SIGTERM')
    const run = await action
    ended(run, 'cancelled')
    expect(performance.now() - from).toBeLessThan(KILLED_AFTER)
    world.capgo.faults.clear()
    await repaired(world, { build: 'false' })
  })
})
