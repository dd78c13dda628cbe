import { describe, expect, it } from 'vitest'
import { dispatchEvent, workflowRunEvent } from '../../local/runner/event.ts'
import { writeRawZip } from '../helpers/raw-zip.ts'
import { openPull } from './pull.ts'
import { APP_ID, createBuiltWorld, type World, webFolder } from './scenario.ts'

const bundleOn = ({ capgo }: World, channel: string) => {
  const row = capgo.store.list('channels', { app_id: APP_ID, name: channel })[0]
  return capgo.store.list('app_versions', { app_id: APP_ID }).find(({ id }) => id === row?.version)?.name
}

it('every mistake in the inputs is an annotation and in the summary, and nothing is asked of Capgo', async () => {
  const world = await createBuiltWorld()
  const run = await world.push('main', {
    inputs: { build: 'yes', delta: 'always', channels: '- main: production\n^next$: beta', rollout: '0' },
  })
  expect(run.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'invalid_input' })
  const errors = run.log.annotations.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(errors).toHaveLength(6)
  for (const said of ['"build"', '"delta"', '"rollout"', 'line 1', 'line 2'])
    for (const text of [errors.join('\n'), run.summary]) expect(text, said).toContain(said)
  expect(world.capgo.requests).toEqual([])
})

it('a repository with another default branch needs no input, and empty inputs have their defaults', async () => {
  const world = await createBuiltWorld({ branch: 'trunk' })
  const inputs = { channels: '', 'dry-run': '', comment: '', verify: '', keep: '', timeout: '', delta: '' }
  const event = (branch: string) =>
    dispatchEvent({ ref: `refs/heads/${branch}`, sha: world.repo.head, defaultBranch: 'trunk' })
  const run = await world.run(event('trunk'), { inputs })
  expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published', channel: 'production' })
  const other = await world.run(event('trunk'), { inputs: { channels: 'main: production' } })
  expect(other.outputs.outcome).toBe('skipped')
  expect(other.outputs.reason).toContain('"trunk: production"')
})

describe('the input version', () => {
  it('is the name, or the run fails: known content too', async () => {
    const world = await createBuiltWorld()
    await world.push('main')
    expect(bundleOn(world, 'production')).toBe('1.2.0')
    const forced = await world.push('main', { inputs: { version: '1.5.0+7' } })
    expect(forced.outputs, forced.visibleLog).toMatchObject({
      outcome: 'published',
      'bundle-version': '1.5.0',
    })
    expect(forced.visibleLog).toContain('input "version": 1.5.0+7')
    expect((await world.push('main', { inputs: { version: '1.5.0' } })).outputs.outcome).toBe('unchanged')
    world.repo.commit(webFolder('Good morning'))
    const taken = await world.push('main', { inputs: { version: '1.5.0' } })
    expect(taken.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'version_taken' })
    expect(bundleOn(world, 'production')).toBe('1.5.0')
  })

  it('names no preview', async () => {
    const world = await createBuiltWorld({ role: 'app_admin' })
    const pull = await openPull(world, { files: webFolder('Evening') })
    const run = await pull.run('opened', {}, { inputs: { version: '1.5.0' } })
    expect(run.outputs['bundle-version']).toBe('1.5.1-pr.12.1.1')
    expect(run.summary).toContain('Input "version" (1.5.0) is for releases')
  })
})

describe('a preview never takes a channel', () => {
  it('on which another repository previews, or that somebody made by hand', async () => {
    const world = await createBuiltWorld({ role: 'app_admin' })
    const pull = await openPull(world, { files: webFolder('Evening') })
    const comment = `pr-12: x@${'a'.repeat(40)} run 3.1 (id 3) for octo-org/daybreak-ios#12`
    world.capgo.seedBundle({ appId: APP_ID, name: '1.0.1-pr.12.3.1', checksum: 'other', comment })
    world.capgo.seedBundle({ appId: APP_ID, name: '1.0.0', checksum: 'by hand' })
    world.capgo.seedChannel({ appId: APP_ID, name: 'pr-12', bundle: '1.0.1-pr.12.3.1' })
    world.capgo.seedChannel({ appId: APP_ID, name: 'qa', bundle: '1.0.0' })
    const run = await pull.run('opened')
    expect(run.outputs['error-code']).toBe('preview_channel_taken')
    expect(run.outputs.reason).toContain('octo-org/daybreak-ios#12')
    expect(run.visibleLog).toContain('preview-channel: daybreak-{number}')
    const fixed = await pull.run('synchronize', {}, { inputs: { 'preview-channel': 'qa' } })
    expect(fixed.outputs['error-code']).toBe('preview_channel_taken')
    expect(bundleOn(world, 'pr-12')).toBe('1.0.1-pr.12.3.1')
    expect(bundleOn(world, 'qa')).toBe('1.0.0')
  })

  it('that became the public one after the first look', async () => {
    const world = await createBuiltWorld({ role: 'app_admin' })
    const pull = await openPull(world, { files: webFolder('Evening') })
    await pull.run('opened')
    const before = bundleOn(world, 'pr-12')
    const [channel] = world.capgo.store.list('channels', { app_id: APP_ID, name: 'pr-12' })
    world.capgo.faults.add({
      match: { method: 'POST', path: /app_versions/ },
      do: () => void world.capgo.store.update('channels', channel!, { public: true }),
    })
    pull.push(webFolder('Night'))
    const run = await pull.run('synchronize')
    expect(run.outputs['error-code'], run.visibleLog).toBe('preview_channel_taken')
    expect(bundleOn(world, 'pr-12')).toBe(before)
  })
})

it('drafts get a preview, unless they are not wanted: then once they are ready', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  const pull = await openPull(world, { files: webFolder('Evening'), draft: true })
  const inputs = { 'preview-drafts': 'false' }
  const draft = await pull.run('opened', {}, { inputs })
  expect(draft.outputs).toMatchObject({ outcome: 'skipped' })
  expect(draft.outputs.reason).toContain('#12 is a draft')
  expect((await pull.run('opened')).outputs.outcome).toBe('published')
  world.hosted.pull(12).pull.draft = false
  expect((await pull.run('synchronize', { draft: false }, { inputs })).outputs.outcome).toBe('unchanged')
})

it('a branch with two pull requests: each gets the build of its own run, or the run says why not', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  world.repo.branch('next')
  world.repo.checkout('main')
  const pull = await openPull(world, { number: 11, files: webFolder('Evening') })
  const { head } = world.hosted.pull(pull.number).pull
  await world.hosted.addPull({ number: 12, head: { ref: head.ref, sha: head.sha }, base: { ref: 'next' } })
  world.repo.checkout('main')
  const follow = (artifact: string, inputs: Record<string, string>, pulls: number[] = []) => {
    const built = world.hosted.addRun({ headBranch: head.ref, headSha: head.sha })
    const zip = writeRawZip(
      Object.entries(webFolder(artifact)).map(([name, content]) => ({
        name: name.slice(4),
        content: content!,
      })),
    )
    world.hosted.addArtifact({ runId: built.id, name: artifact, zip })
    const event = workflowRunEvent({
      sha: world.repo.head,
      headSha: head.sha,
      headBranch: head.ref,
      event: 'pull_request',
      runId: built.id,
    })
    const run = event.payload.workflow_run as Record<string, unknown>
    run.pull_requests = pulls.map(number => ({ number }))
    return world.run(event, { inputs: { 'app-id': APP_ID, ...inputs } })
  }
  const unclear = await follow('web', {}, [11, 12])
  expect(unclear.outputs).toMatchObject({ outcome: 'failed', 'error-code': 'pull_ambiguous' })
  expect((await follow('web', {}, [11])).outputs.channel).toBe('pr-11')
  const named = { artifact: 'web-{number}' }
  expect((await follow('web-12', named)).outputs).toMatchObject({ outcome: 'published', channel: 'pr-12' })
  expect(bundleOn(world, 'pr-11')).toContain('-pr.11.')
})
