/** Several apps in one repository: one comment on the pull request, written by runs that do not know each other. */
import { describe, expect, it } from 'vitest'
import { scheduleEvent } from '../../local/runner/event.ts'
import { parseSections } from '../../src/report/comment-sections.ts'
import { openPull } from './pull.ts'
import { APP_ID, builtApp, createBuiltWorld, type WorldRun } from './scenario.ts'

const OTHER = 'com.example.other'
const both = [APP_ID, OTHER].toSorted()

/** Two apps, each with a key of its own, as the jobs of a matrix publish them. */
async function createWorld() {
  const world = await createBuiltWorld({
    role: 'app_admin',
    files: {
      'other/capacitor.config.json': JSON.stringify({ appId: OTHER, appName: 'Other', webDir: '../www' }),
      'other/package.json': JSON.stringify({ name: 'other', version: '3.0.0', scripts: {} }),
    },
  })
  world.capgo.seedApp({ appId: OTHER })
  const key = world.capgo.seedKey({ appId: OTHER, role: 'app_admin' })
  const pull = await openPull(world, { files: builtApp('Good evening') })
  const inputsOf: Readonly<Record<string, Record<string, string>>> = {
    [APP_ID]: { 'working-directory': '.' },
    [OTHER]: { 'working-directory': 'other', 'capgo-token': key, 'web-dir': '../www' },
  }
  const of = (app: string, inputs: Record<string, string> = {}): WorldRun => ({
    inputs: { ...inputsOf[app], ...inputs },
  })
  return {
    ...world,
    pull,
    of,
    /** The jobs of one run, at once. */
    async matrix(action: 'opened' | 'synchronize' | 'closed', inputs: Record<string, string> = {}) {
      if (action === 'closed') world.hosted.closePull(pull.number, { merged: true })
      const runs = await Promise.all(both.map(app => pull.run(action, {}, of(app, inputs))))
      for (const run of runs) expect(run.exitCode, run.visibleLog).toBe(0)
      return runs
    },
    ours: () => pull.comments().map(body => parseSections(body).map(({ appId }) => appId)),
    heading: () => /^### .*$/m.exec(pull.comments()[0] ?? '')?.[0],
  }
}

describe('the apps of a repository', () => {
  it('have one comment with a row each, from the first moment to the last', async () => {
    const world = await createWorld()
    const runs = await world.matrix('opened')
    expect(world.ours()).toEqual([both])
    expect(world.heading()).toBe('### 📱 2 previews: 2 ready')
    const [body] = world.pull.comments()
    for (const run of runs) {
      const { outputs } = run
      expect(body).toContain(`| 📱 ready |  | <code>${outputs['bundle-version']}</code> |`)
      expect(body).toContain(`bundle ${outputs['bundle-version']} (id ${outputs['bundle-id']})`)
      expect(outputs['comment-url']).toBe(runs[0]?.outputs['comment-url'])
    }
    world.pull.push({ 'www/index.html': '<h1>Good night</h1><script src="app.js"></script>' })
    await world.matrix('synchronize')
    expect(world.heading()).toBe('### 📱 2 previews: 2 ready')
    await world.matrix('closed')
    expect(world.ours()).toEqual([both])
    expect(world.heading()).toBe('### 🧹 2 previews: 2 removed')
  })

  it('one that fails says so in its own row', async () => {
    const world = await createWorld()
    await world.matrix('opened')
    world.pull.push({ 'www/index.html': '<h1>No script</h1>' })
    await world.pull.run(
      'synchronize',
      {},
      world.of(OTHER, { 'working-directory': 'other', 'web-dir': 'nowhere' }),
    )
    expect(world.heading()).toBe('### ❌ 2 previews: 1 failed, 1 ready')
    const before = parseSections(world.pull.comments()[0] ?? '')[0]
    await world.run(scheduleEvent({ sha: world.repo.shaOf('main') }), world.of(OTHER))
    expect(parseSections(world.pull.comments()[0] ?? '')[0]).toEqual(before)
  })

  it('have one comment each with comment: separate, and one again without', async () => {
    const world = await createWorld()
    await world.matrix('opened', { comment: 'separate' })
    expect(world.ours().toSorted()).toEqual(both.map(app => [app]))
    await world.matrix('synchronize', { comment: 'true' })
    expect(world.ours()).toEqual([both])
  })
})
