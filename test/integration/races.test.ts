/** What another run or a person does between this run's first look and its last write. */
import { describe, expect, it } from 'vitest'
import { pullRequestEvent } from '../../local/runner/event.ts'
import { openPull } from '../scenarios/pull.ts'
import { APP_ID, createBuiltWorld, REPOSITORY, webFolder } from '../scenarios/scenario.ts'
import { runHere } from './in-process.ts'

const settings = { build: 'false', deployments: 'false', comment: 'false' }
/** The first write of a publish: the row of the bundle. */
const FIRST_WRITE = { method: 'POST', path: /\/app_versions/ } as const

it('a newer commit arrives on the channel: nothing is put over it', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  const { capgo, repo, key } = world
  const seed = (name: string, sha: string, run: number) =>
    capgo.seedBundle({
      appId: APP_ID,
      name,
      checksum: name,
      comment: `production: main@${sha} run ${run}.1 (id ${9_000_000_000 + run})`,
    })
  seed('1.0.0', repo.head, 1)
  capgo.seedChannel({ appId: APP_ID, name: 'production', public: true, bundle: '1.0.0' })
  const ours = repo.commit(webFolder('Good evening'))
  const newer = repo.commit(webFolder('Good night'))
  repo.checkout(ours)
  capgo.faults.add({
    match: FIRST_WRITE,
    do() {
      const { id } = seed('1.1.0', newer, 3)
      const channel = capgo.store.find('channels', { app_id: APP_ID, name: 'production' })!
      capgo.store.update('channels', channel, { version: id })
    },
  })
  const run = await runHere({
    repo: repo.path,
    sha: ours,
    runId: 9_000_000_002,
    inputs: { ...settings, 'capgo-token': key, 'api-url': capgo.url, channels: 'main: production' },
  })
  expect(run.outputs, run.errors.join('\n')).toMatchObject({ outcome: 'stale' })
  const { version } = capgo.store.find('channels', { app_id: APP_ID, name: 'production' })!
  expect(capgo.store.find('app_versions', { id: version! })?.name).toBe('1.1.0')
  expect(capgo.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/bundle'))).toEqual(
    [],
  )
})

describe('the channel of a preview serves what is not its own', () => {
  it.each([
    ['what a branch published', 'since the first write', `pr-12: main@${'a'.repeat(40)} run 1.1 (id 5)`],
    ['what was made by hand', 'from the start', 'by hand'],
  ])('%s, %s: it stays', async (_what, when, comment) => {
    const world = await createBuiltWorld({ role: 'app_admin' })
    const { capgo, github, hosted, repo, key } = world
    await openPull(world, { files: webFolder('Good evening') })
    const seed = () => {
      capgo.seedBundle({ appId: APP_ID, name: '1.0.0', checksum: 'x', comment })
      capgo.seedChannel({ appId: APP_ID, name: 'pr-12', bundle: '1.0.0' })
    }
    if (when === 'from the start') seed()
    else capgo.faults.add({ match: FIRST_WRITE, do: seed })
    const token = github.addToken({
      repository: REPOSITORY,
      permissions: { contents: 'read', 'pull-requests': 'write' },
    })
    const run = await runHere({
      repo: repo.path,
      sha: repo.head,
      event: {
        ...pullRequestEvent('opened', { number: 12, headSha: repo.head, headRef: 'feature/evening' }),
        repository: hosted.name,
      },
      github: { url: github.url, token },
      inputs: { ...settings, 'capgo-token': key, 'api-url': capgo.url, 'console-url': capgo.url },
    })
    expect(run.outputs['error-code']).toBe('preview_channel_taken')
    const { version } = capgo.store.find('channels', { app_id: APP_ID, name: 'pr-12' })!
    expect(capgo.store.find('app_versions', { id: version! })?.name).toBe('1.0.0')
    if (when === 'from the start')
      expect(capgo.store.list('app_versions', { app_id: APP_ID }).map(({ name }) => name)).toEqual(['1.0.0'])
  })
})
