/** A clean-up deletes what it made and saw, says what is true, and is done by the next run where it was not. */
import { Agent } from 'undici'
import { describe, expect, it } from 'vitest'
import type { Role } from '../../local/capgo/index.ts'
import type { Files } from '../../local/repository.ts'
import { pullRequestEvent, scheduleEvent } from '../../local/runner/event.ts'
import { createCapgo } from '../../src/capgo/client.ts'
import { openPull } from '../scenarios/pull.ts'
import {
  APP_ID,
  createBuiltWorld,
  REPOSITORY,
  type World,
  type WorldOptions,
  webFolder,
} from '../scenarios/scenario.ts'
import { runHere, type ShortRun } from './in-process.ts'

const HOUR = 3_600_000
const SHA = 'a'.repeat(40)
const line = (pull: string, channel: string, more = '') =>
  `${channel}: feature@${SHA} run 1.1 (id 5) for ${pull}${more} at 2026-10-22T10:15:00.000Z`

interface Stage extends World {
  event(action: 'opened' | 'reopened' | 'synchronize' | 'closed', inputs?: Inputs): Promise<ShortRun>
  sweep(inputs?: Inputs): Promise<ShortRun>
  onCapgo(): { channels: string[]; bundles: string[] }
  /** Headings of the action's comments on #12. */
  headings(): string[]
  /** What a run writes, to either server. */
  writesOf(work: () => Promise<unknown>): Promise<string[]>
}
type Inputs = Readonly<Record<string, string>>

/** A pull request #12 whose preview is ready, unless it is to be opened yet. */
async function stage(
  options: WorldOptions & { role?: Role; opened?: boolean; inputs?: Inputs } = {},
): Promise<Stage> {
  const { opened = true, inputs: all = {}, ...more } = options
  const world = await createBuiltWorld({ role: 'app_admin', ...more })
  const { capgo, github, hosted, key, repo } = world
  const pull = await openPull(world, { files: webFolder('Good evening') })
  const token = github.addToken({
    repository: REPOSITORY,
    permissions: { contents: 'read', deployments: 'write', 'pull-requests': 'write', actions: 'read' },
  })
  let runs = 0
  const run = (event: ReturnType<typeof scheduleEvent>, inputs: Inputs) =>
    runHere({
      repo: repo.path,
      sha: event.sha,
      event: { ...event, repository: hosted.name },
      runId: 9_000_000_000 + ++runs,
      github: { url: github.url, token },
      inputs: {
        build: 'false',
        'capgo-token': key,
        'api-url': capgo.url,
        'console-url': capgo.url,
        ...all,
        ...inputs,
      },
    })
  const built: Stage = {
    ...world,
    event: (action, inputs = {}) => {
      const { head, base } = hosted.pull(pull.number).pull
      const about = { number: pull.number, headSha: head.sha, headRef: head.ref, baseRef: base.ref }
      return run(pullRequestEvent(action, about), inputs)
    },
    sweep: (inputs = {}) => run(scheduleEvent({ sha: repo.head }), inputs),
    onCapgo: () => ({
      channels: capgo.store.list('channels', { app_id: APP_ID }).map(({ name }) => name),
      bundles: capgo.store.list('app_versions', { app_id: APP_ID, deleted: false }).map(({ name }) => name),
    }),
    headings: () => hosted.commentsOf(12).map(({ body }) => /^### (.*)$/m.exec(body)?.[1] ?? ''),
    async writesOf(work) {
      const before = [capgo.requests.length, github.requests.length] as const
      await work()
      const requests = [...capgo.requests.slice(before[0]), ...github.requests.slice(before[1])]
      return requests
        .filter(({ method, path }) => method !== 'GET' && !path.includes('/rpc/'))
        .map(({ method, path }) => `${method} ${path}`)
    },
  }
  if (opened) {
    const first = await built.event('opened')
    expect(first.outputs.outcome, first.errors.join('\n')).toBe('published')
  }
  return built
}

const close = (world: Stage, inputs?: Inputs) => {
  world.hosted.closePull(12)
  return world.event('closed', inputs)
}
const NOTHING = { channels: [], bundles: [] }

describe('closed while its config cannot be read', () => {
  const UNREADABLE: Record<string, Files> = {
    'it imports what is not installed': {
      'capacitor.config.json': null as never,
      'capacitor.config.ts': "import 'dotenv/config'\nexport default { appId: process.env.APP_ID }\n",
    },
    'there is none': { 'capacitor.config.json': null as never },
  }
  const replace = (world: Stage, files: Files) => {
    world.repo.git(['rm', '-q', 'capacitor.config.json'])
    world.repo.commit(Object.fromEntries(Object.entries(files).filter(([, text]) => text !== null)))
  }
  it.each(Object.entries(UNREADABLE))('%s: the app is known from the comment', async (_, files) => {
    const world = await stage({ inputs: { deployments: 'false' } })
    replace(world, { ...files, 'x.txt': '' })
    // Text that others wrote counts for nothing by itself.
    const forged = '<!-- capgo-publish-action com.mallory.app -->\nMine'
    world.hosted.addComment(12, { body: forged, author: 'github-actions[bot]' })
    const run = await close(world)
    expect(run.outputs, run.errors.join('\n')).toMatchObject({
      outcome: 'cleaned',
      reason: '#12 was closed, so its preview is deleted.',
    })
    expect(world.onCapgo()).toEqual(NOTHING)
    expect(world.headings()[0]).toContain('Preview removed')
  })

  it('or from the deployment; and where nothing tells, the error says so', async () => {
    const world = await stage({ inputs: { comment: 'false' } })
    replace(world, { 'x.txt': '' })
    expect((await close(world)).outputs.outcome).toBe('cleaned')
    expect(world.onCapgo()).toEqual(NOTHING)
    world.hosted.deployments.length = 0
    const run = await close(world)
    expect(run.isGreen).toBe(false)
    expect(run.outputs['error-code']).toBe('config_missing')
    expect(run.summary).toContain('Cleanup failed')
  })
})

describe('reopened', () => {
  it('before the channel is deleted: it stays, and its comment too', async () => {
    const world = await stage()
    world.capgo.faults.add({
      match: { method: 'GET', path: /channel_devices/ },
      do: () => world.hosted.reopenPull(12),
    })
    const run = await close(world)
    expect(run.outputs.reason).toBe('#12 is open again, so its preview is kept.')
    expect(world.onCapgo().channels).toEqual(['pr-12'])
    expect(world.headings()[0]).toContain('Preview ready')
  })

  it('while the channel is deleted: the run, the comment and each sweep say that the preview is missing', async () => {
    const world = await stage()
    world.capgo.faults.add({
      match: { method: 'DELETE', path: /channels/ },
      do: () => world.hosted.reopenPull(12),
    })
    const run = await close(world)
    expect(run.outputs.reason).toBe('#12 is open again, so the rest of its preview is kept.')
    expect(world.onCapgo().channels).toEqual([])
    expect(world.headings()[0]).toContain('Preview missing')
    const said = '#12 is open, and its preview has no channel. To make the preview again, push to it'
    const sweep = await world.sweep()
    expect(sweep.outputs.reason).toBe('No leftover preview was found. The preview of #12 is missing.')
    expect(sweep.summary).toContain('To make the preview again, push to it or re-run its workflow')
    expect(sweep.log.join('\n')).toContain(said)
    expect(await world.writesOf(() => world.sweep())).toEqual([])
    const again = await world.event('reopened')
    expect(again.outputs.outcome).toBe('published')
    expect(world.headings()[0]).toContain('Preview ready')
    expect((await world.sweep()).outputs.reason).toBe('No leftover preview was found.')
  })

  it('a head that was never previewed is said, unless a run is on its way or its failure is known', async () => {
    const world = await stage()
    world.repo.commit(webFolder('Good night'))
    const { head } = world.hosted.pull(12).pull
    head.sha = world.repo.head
    const goesOn = world.hosted.addRun({
      headBranch: head.ref,
      headSha: head.sha,
      status: 'queued',
      conclusion: null,
    })
    expect((await world.sweep()).outputs.reason).toBe('No leftover preview was found.')
    goesOn.status = 'completed'
    expect((await world.sweep()).outputs.reason).toContain('The preview of #12 is missing.')
    const [comment] = world.hosted.commentsOf(12)
    expect(comment!.body).toContain('serves')
    comment!.body = comment!.body.replace(
      /### .*/,
      `### ❌ Preview failed: the build broke\n\n${head.sha.slice(0, 7)}`,
    )
    expect((await world.sweep()).outputs.reason).toBe('No leftover preview was found.')
  })
})

describe('what a person did meanwhile stays', () => {
  it.each(['app_admin', 'app_preview'] as const)('a channel that was re-pointed (key %s)', async role => {
    const world = await stage({ role })
    const { store, faults } = world.capgo
    world.capgo.seedBundle({ appId: APP_ID, name: '9.0.0', checksum: 'other' })
    const hotfix = store.find('app_versions', { app_id: APP_ID, name: '9.0.0' })!
    faults.add({
      match: { method: 'GET', path: /channel_devices/ },
      do: () =>
        void store.update('channels', store.find('channels', { app_id: APP_ID, name: 'pr-12' })!, {
          version: hotfix.id,
        }),
    })
    await close(world)
    expect(store.find('channels', { app_id: APP_ID, name: 'pr-12' })?.version).toBe(hotfix.id)
    expect(world.hosted.commentsOf(12)[0]!.body).toContain('it was changed meanwhile')
  })

  it('a channel that became public, or rolls out something else', async () => {
    for (const change of ['public', 'rollout'] as const) {
      const world = await stage()
      const { store } = world.capgo
      world.capgo.seedBundle({ appId: APP_ID, name: '9.0.0', checksum: 'other' })
      const other = store.find('app_versions', { app_id: APP_ID, name: '9.0.0' })!.id
      const fields =
        change === 'public' ? { public: true } : { rollout_version: other, rollout_enabled: true }
      store.update('channels', store.find('channels', { app_id: APP_ID, name: 'pr-12' })!, fields)
      await close(world)
      expect(world.onCapgo().channels, change).toEqual(['pr-12'])
    }
  })

  it('a bundle that has a line of others too', async () => {
    const world = await stage()
    const { store } = world.capgo
    const bundle = store.find('app_versions', { app_id: APP_ID })!
    store.update('app_versions', bundle, { comment: `${bundle.comment}\nchecked by Ada` })
    await close(world)
    expect(world.onCapgo()).toEqual({ channels: [], bundles: [bundle.name] })
  })

  it('a channel that was there before the preview, and served nothing', async () => {
    const world = await stage({ opened: false, inputs: { 'preview-channel': 'qa' } })
    const { store } = world.capgo
    world.capgo.seedChannel({ appId: APP_ID, name: 'qa' })
    world.capgo.seedOverride({
      appId: APP_ID,
      deviceId: 'd0000001-0000-4000-8000-000000000000',
      channel: 'qa',
    })
    await world.event('opened')
    world.repo.commit(webFolder('Good night'))
    world.hosted.pull(12).pull.head.sha = world.repo.head
    expect((await world.event('synchronize')).outputs.outcome).toBe('published')
    await close(world)
    expect(store.find('channels', { app_id: APP_ID, name: 'qa' })?.version).toBeNull()
    expect(store.list('channel_devices', { app_id: APP_ID })).toHaveLength(1)
    expect(world.onCapgo().bundles).toEqual([])
    expect(world.hosted.commentsOf(12)[0]!.body).toContain('no preview created it')
  })
})

describe('an answer that is not true', () => {
  const PAGE = { status: 200, body: '<html>Access through our portal</html>' }
  const OK = { status: 200, body: { status: 'ok' } }
  it.each([
    ['a page for the channel', /\/channels?(\?|$)/, PAGE, 'not_deleted', { channels: ['pr-12'], bundles: 1 }],
    ['ok for the channel', /\/channels?(\?|$)/, OK, 'not_deleted', { channels: ['pr-12'], bundles: 1 }],
    ['a page for the bundle', /\/bundle/, PAGE, 'unexpected_response', { channels: [], bundles: 1 }],
    ['ok for the bundle', /\/bundle/, OK, 'not_deleted', { channels: [], bundles: 1 }],
  ])('%s is no deletion', async (_, path, answer, code, there) => {
    const world = await stage()
    world.capgo.faults.add({ match: { method: 'DELETE', path }, do: answer, times: Infinity })
    const run = await close(world)
    expect(run.outputs['error-code']).toBe(code)
    const { channels, bundles } = world.onCapgo()
    expect({ channels, bundles: bundles.length }).toEqual(there)
    expect(world.hosted.commentsOf(12)[0]!.body).not.toMatch(/Removed[^.]*bundle/)
    world.capgo.faults.clear()
    await world.sweep()
    expect(world.onCapgo()).toEqual(NOTHING)
    expect(world.headings()).toEqual([expect.stringContaining('Preview removed')])
  })

  it('no rows for a key that was revoked meanwhile', async () => {
    const world = await stage()
    const { store } = world.capgo
    world.capgo.faults.add({
      match: { method: 'GET', path: /app_versions/ },
      do() {
        for (const { id } of store.list('role_bindings')) store.remove('role_bindings', id)
      },
    })
    const run = await close(world)
    expect(run.isGreen).toBe(false)
    expect(world.headings()[0]).toContain('Preview ready')
  })
})

describe('the sweep', () => {
  it('sees the oldest of more bundles than one answer has', async () => {
    const world = await stage({ opened: false })
    const seed = (name: string, pull: number) =>
      world.capgo.seedBundle({
        appId: APP_ID,
        name,
        checksum: name,
        comment: line(`${REPOSITORY}#${pull}`, `pr-${pull}`),
      })
    await openPull(world, { number: 13, branch: 'other', files: { 'x.txt': '' } })
    world.hosted.closePull(12)
    seed('1.0.1-pr.12.1.1', 12)
    for (let n = 0; n < 1001; n++) seed(`1.0.1-pr.13.${n}.1`, 13)
    await world.sweep()
    expect(world.onCapgo().bundles).toHaveLength(1001)
    expect(world.onCapgo().bundles).not.toContain('1.0.1-pr.12.1.1')
  })

  it('writes nothing where a key for previews has to leave older bundles', async () => {
    const world = await stage({ role: 'app_preview' })
    world.repo.commit(webFolder('Good night'))
    world.hosted.pull(12).pull.head.sha = world.repo.head
    await world.event('synchronize')
    await close(world)
    const [comment] = world.hosted.commentsOf(12)
    const said = comment!.body
    expect(said).toContain('One older bundle is kept')
    expect(await world.writesOf(() => world.sweep())).toEqual([])
    expect(comment!.body).toBe(said)
  })

  it('knows the repository under its former names, and by its id; another with its name keeps its own', async () => {
    const world = await stage()
    const old = '1.0.1-pr.12.1.1'
    world.capgo.seedBundle({
      appId: APP_ID,
      name: old,
      checksum: old,
      comment: line(`${REPOSITORY}#12`, 'pr-12'),
    })
    const foreign = [line('other/app#12', 'x'), line('octo-org/sunrise#12', 'y', ' repo 77')]
    for (const [at, comment] of foreign.entries())
      world.capgo.seedBundle({ appId: APP_ID, name: `2.0.${at}-pr.12.1.1`, checksum: `${at}`, comment })
    world.github.renameRepository(REPOSITORY, 'octo-org/sunrise')
    world.hosted.closePull(12)
    const run = await world.sweep()
    expect(run.isGreen, run.errors.join('\n')).toBe(true)
    expect(world.onCapgo()).toEqual({ channels: [], bundles: ['2.0.0-pr.12.1.1', '2.0.1-pr.12.1.1'] })
  })

  it("goes by the server's clock", async () => {
    // The runner's is 25 hours ahead of it.
    const now = Date.now() - 25 * HOUR
    const world = await stage({ opened: false, server: { now } })
    const seed = (name: string, hours: number) =>
      world.capgo.seedBundle({
        appId: APP_ID,
        name,
        storage_provider: 'r2-direct',
        comment: `production: main@${SHA} run 7.1 (id 7)`,
        created_at: new Date(now - hours * HOUR).toISOString(),
      })
    seed('1.0.1', 1)
    seed('1.0.2', 25)
    await world.sweep()
    expect(world.onCapgo().bundles).toEqual(['1.0.1'])
  })
})

it('no request deletes a bundle without naming it', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  world.capgo.seedBundle({ appId: APP_ID, name: '1.0.0', checksum: 'x' })
  const dispatcher = new Agent()
  const { deleteBundle, deleteBundles } = createCapgo({
    token: world.key,
    api: world.capgo.url,
    files: world.capgo.url,
    plugin: world.capgo.url,
    database: null,
    dispatcher,
    userAgent: 'test',
    redact: text => text,
    sleep: async () => {},
    signal: new AbortController().signal,
    onRetry: () => {},
  })
  for (const name of ['', ' ', 'v1.0.0', '1.0', '1.0.0 ', 'null', undefined, null] as string[]) {
    await expect(deleteBundle(APP_ID, name), String(name)).rejects.toThrow(TypeError)
    await expect(
      deleteBundles(APP_ID, [name], () => {}),
      String(name),
    ).rejects.toThrow(TypeError)
  }
  expect(world.capgo.requests.filter(({ method }) => method === 'DELETE')).toEqual([])
  await dispatcher.close()
})
