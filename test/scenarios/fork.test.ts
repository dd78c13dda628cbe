import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { workflowRunEvent } from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import { type RawEntry, writeRawZip } from '../helpers/raw-zip.ts'
import { openPull, type TestPull } from './pull.ts'
import { APP_ID, BUILT_ACTION, createWorld, type World, type WorldRun } from './scenario.ts'

const FORK = 'mallory/daybreak'
const page: RawEntry = { name: 'index.html', content: '<h1>From a fork</h1><script src="app.js"></script>' }
const app: RawEntry = { name: 'app.js', content: 'CapacitorUpdater.notifyAppReady()' }

/** The second workflow, after a run of the first one that kept this artifact. */
async function follow(
  world: World,
  pull: TestPull,
  entries: readonly RawEntry[] | null,
  options: Omit<WorldRun, 'event'> & {
    event?: Partial<Parameters<typeof workflowRunEvent>[0]>
    expired?: boolean
  } = {},
): Promise<ActionRun> {
  const { event, expired = false, ...more } = options
  const { head } = world.hosted.pull(pull.number).pull
  const built = world.hosted.addRun({ headBranch: head.ref, headSha: head.sha, fork: FORK })
  if (entries !== null)
    world.hosted.addArtifact({
      runId: built.id,
      name: 'web',
      zip: writeRawZip(entries),
      expired,
    })
  // The default branch is what this workflow checks out.
  world.repo.checkout('main')
  return world.run(
    workflowRunEvent({
      sha: world.repo.head,
      headSha: head.sha,
      headBranch: head.ref,
      event: 'pull_request',
      fork: FORK,
      runId: built.id,
      ...event,
    }),
    { ...more, inputs: { build: 'false', 'app-id': APP_ID, ...more.inputs } },
  )
}

async function forkWorld(options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld({ role: 'app_admin', ...options })
  return { world, pull: await openPull(world, { fork: FORK }) }
}

const nothingOn = ({ capgo }: World) => {
  expect(capgo.store.list('app_versions', { app_id: APP_ID })).toEqual([])
  expect(capgo.store.list('channels', { app_id: APP_ID })).toEqual([])
}

describe('what a fork built, published by the second workflow', () => {
  it('is on a phone, with a comment', async () => {
    const { world, pull } = await forkWorld()
    const skipped = await pull.run('opened', {}, { inputs: { 'capgo-token': '' } })
    expect(skipped.outputs.outcome).toBe('skipped')
    world.story(skipped)

    const run = await follow(world, pull, [page, app], BUILT_ACTION)
    expect(world.story(run)).toMatchSnapshot()
    expect(run.outputs).toMatchObject({ outcome: 'published', channel: 'pr-12' })
    const device = new Device({
      capgoUrl: world.capgo.url,
      appId: APP_ID,
      versionBuild: '1.0.0',
      defaultChannel: 'pr-12',
    })
    const installed = await device.update()
    expect(installed?.files.get('index.html')?.toString()).toContain('From a fork')
    expect(pull.comments()).toHaveLength(1)
    expect(pull.comments()[0]).toContain('Preview ready')
  })

  it('goes when the pull request is closed, by pull_request_target', async () => {
    const { world, pull } = await forkWorld()
    await follow(world, pull, [page, app])
    world.hosted.closePull(12)
    const run = await pull.run('closed', { target: true }, { inputs: { build: 'false', 'app-id': APP_ID } })
    expect(run.outputs.outcome).toBe('cleaned')
    expect(world.capgo.store.list('channels', { app_id: APP_ID })).toEqual([])
  })

  it('is left to the newer run when the head has moved on', async () => {
    const { world, pull } = await forkWorld()
    const headSha = 'd'.repeat(40)
    const run = await follow(world, pull, [page, app], { event: { headSha } })
    expect(run.outputs).toMatchObject({ outcome: 'skipped' })
    expect(run.outputs.reason).toContain('newer commit')
  })

  it('is not published when the pull request was closed, or the run failed, or was no pull request', async () => {
    const { world, pull } = await forkWorld()
    for (const event of [{ conclusion: 'failure' }, { event: 'push' }]) {
      const run = await follow(world, pull, [page, app], { event })
      expect(run.outputs.outcome, JSON.stringify(event)).toBe('skipped')
    }
    world.hosted.closePull(12)
    expect((await follow(world, pull, [page, app])).outputs.outcome).toBe('skipped')
    nothingOn(world)
  })

  it('needs the label where one is asked for', async () => {
    const { world, pull } = await forkWorld()
    const run = await follow(world, pull, [page, app], { inputs: { 'preview-label': 'preview' } })
    expect(run.outputs.outcome).toBe('skipped')
    nothingOn(world)
  })
})

describe('a hostile artifact is refused, and nothing is published', () => {
  it.each<[string, readonly RawEntry[]]>([
    ['zip slip', [page, { name: '../../../evil.sh', content: 'evil' }]],
    ['a symbolic link', [page, app, { name: 'passwd', content: '/etc/passwd', mode: 0o120777 }]],
    [
      '100,000 files',
      [page, ...Array.from({ length: 100_000 }, (_, n) => ({ name: `f${n}`, stored: true }))],
    ],
    ['a bomb', [page, { name: 'zeros', content: Buffer.alloc(1_000_000), declaredSize: 4_000_000_000 }]],
  ])('%s', async (_name, entries) => {
    const { world, pull } = await forkWorld()
    const run = await follow(world, pull, entries)
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('artifact_refused')
    nothingOn(world)
    expect(readdirSync(world.repo.path)).not.toContain('evil.sh')
  })

  it('also one whose config and package.json are code', async () => {
    const { world, pull } = await forkWorld()
    const evil = 'require("fs").writeFileSync(process.env.GITHUB_WORKSPACE + "/pwned", "1")'
    const run = await follow(world, pull, [
      page,
      app,
      { name: 'capacitor.config.ts', content: evil },
      {
        name: 'package.json',
        content: JSON.stringify({ scripts: { build: 'touch pwned', install: 'touch pwned' } }),
      },
    ])
    expect(run.outputs.outcome).toBe('published')
    expect(readdirSync(world.repo.path)).not.toContain('pwned')
  })
})

describe('the second workflow says what is wrong', () => {
  it.each<[string, string, Parameters<typeof follow>[3], readonly RawEntry[] | null]>([
    ['a build here', 'unsafe_build', { inputs: { build: 'true' } }, [page]],
    ['another artifact asked for', 'artifact_missing', { inputs: { artifact: 'site' } }, [page]],
    ['no app id', 'unsafe_config', { inputs: { 'app-id': '' } }, [page]],
    ['no artifact', 'artifact_missing', {}, null],
    ['an artifact that is gone', 'artifact_missing', { expired: true }, [page]],
    ['no web build in it', 'artifact_refused', {}, [{ name: 'readme.txt', content: 'hello' }]],
  ])('%s', async (_name, code, options, entries) => {
    const { world, pull } = await forkWorld()
    const run = await follow(world, pull, entries, options)
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe(code)
    nothingOn(world)
  })

  it('a missing permission', async () => {
    const { world, pull } = await forkWorld({ permissions: { 'pull-requests': 'write', contents: 'read' } })
    const run = await follow(world, pull, [page, app])
    expect(run.outputs['error-code']).toBe('permission_missing')
    expect(run.outputs.reason).toContain('actions: read')
  })

  it('sends the token to GitHub alone', async () => {
    const { world, pull } = await forkWorld()
    await follow(world, pull, [page, app])
    const download = world.github.requests.find(({ operation }) => operation === 'actions/download-artifact')
    expect(download?.status).toBe(302)
    // The host of the files answers 400 to whoever brings a token, as GitHub's does.
    expect(pull.comments()).toHaveLength(1)
  })
})
