/** What is true now decides, not the event: force-pushes, resets, closed pull requests, re-runs, people in the console. */
import { describe, expect, it } from 'vitest'
import { dispatchEvent, pushEvent } from '../../local/runner/event.ts'
import { openPull } from './pull.ts'
import { createBuiltWorld, type World, webFolder } from './scenario.ts'
import { bundlesOf, servedBy } from './stages.ts'

const admin = { role: 'app_admin' } as const

/** The commit that a channel's bundle was built from, by its note. */
const commitOn = (world: World, channel: string) =>
  new RegExp(`^${channel}: \\S+@([0-9a-f]+)`, 'm').exec(servedBy(world, channel)?.comment ?? '')?.[1]

const headline = (comment: string | undefined) => /^### .*$/m.exec(comment ?? '')?.[0]

/** Two commits of main, each published. */
async function twoCommits(): Promise<{ world: World; first: string; second: string }> {
  const world = await createBuiltWorld(admin)
  const first = world.repo.head
  await world.push('main')
  const second = world.repo.commit(webFolder('Second'))
  await world.push('main')
  return { world, first, second }
}

describe('the newest word on a branch is its head', () => {
  it('also after a reset to the commit before; the dropped commit is stale from then on', async () => {
    const { world, first, second } = await twoCommits()
    world.repo.git(['reset', '--quiet', '--hard', first])
    const back = await world.run(pushEvent({ branch: 'main', sha: first, before: second }))
    expect(back.outputs, back.visibleLog).toMatchObject({ outcome: 'published', channel: 'production' })
    expect(commitOn(world, 'production')).toBe(first)
    world.repo.detach(second)
    const dropped = await world.push('main', { sha: second })
    expect(dropped.outputs).toMatchObject({ outcome: 'stale' })
    expect(dropped.outputs.reason).toContain('whose history does not include')
    expect(commitOn(world, 'production')).toBe(first)
  })

  it('so an old job cannot move the channel back, whatever line of the note says what is served', async () => {
    const { world, first, second } = await twoCommits()
    // Somebody puts a bundle of the newest commit there by hand: its note has no line for this channel.
    const served = servedBy(world, 'production')!
    world.capgo.store.update('app_versions', served, {
      comment: served.comment!.replace(/^production:/, 'beta:'),
    })
    world.repo.detach(first)
    const old = await world.push('main', { sha: first, runId: 9_000_000_001, runNumber: 1, runAttempt: 2 })
    expect(old.outputs).toMatchObject({ outcome: 'stale' })
    expect(servedBy(world, 'production')!.id).toBe(served.id)
    expect(served.comment).toContain(second)
    const forced = await world.push('main', { sha: first, inputs: { force: 'true' } })
    expect(forced.outputs, forced.visibleLog).toMatchObject({ outcome: 'published' })
  })

  it('and a commit behind it is published where the head has no run of its own', async () => {
    const world = await createBuiltWorld(admin)
    await world.push('main')
    const behind = world.repo.commit(webFolder('Behind'))
    world.repo.commit({ 'README.md': 'No run for this one' })
    world.repo.detach(behind)
    const run = await world.push('main', { sha: behind })
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published' })
    expect(commitOn(world, 'production')).toBe(behind)
  })

  it('and a branch that was deleted publishes nothing', async () => {
    const world = await createBuiltWorld(admin)
    world.repo.branch('develop')
    const sha = world.repo.commit(webFolder('Develop'))
    world.repo.detach(sha)
    world.repo.git(['branch', '--quiet', '-D', 'develop'])
    const run = await world.push('develop', { sha })
    expect(run.outputs).toMatchObject({ outcome: 'skipped' })
    expect(run.outputs.reason).toContain('develop was deleted')
    expect(world.capgo.store.find('channels', { name: 'development' })).toBeUndefined()
  })

  it('and what is checked out is what is published', async () => {
    const world = await createBuiltWorld(admin)
    const main = world.repo.head
    world.repo.branch('hotfix')
    const hotfix = world.repo.commit(webFolder('Hotfix'))
    const run = await world.run(dispatchEvent({ ref: 'refs/heads/main', sha: main }))
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published' })
    expect(commitOn(world, 'production')).toBe(hotfix)
    expect(run.visibleLog).toContain(`instead of main at ${main.slice(0, 7)}`)
  })
})

describe('a pull request is what GitHub says now', () => {
  it('and its preview follows a force-push back', async () => {
    const world = await createBuiltWorld(admin)
    const pull = await openPull(world, { files: webFolder('One') })
    const one = world.repo.head
    await pull.run('opened')
    pull.push(webFolder('Two'))
    await pull.run('synchronize')
    world.repo.git(['reset', '--quiet', '--hard', one])
    world.hosted.pull(12).pull.head.sha = one
    const back = await pull.run('synchronize')
    expect(back.outputs, back.visibleLog).toMatchObject({ outcome: 'published' })
    expect(commitOn(world, 'pr-12')).toBe(one)
    expect(pull.comments().map(headline)).toEqual([expect.stringContaining('Preview ready')])
  })

  it('so an event of a closed one publishes nothing, and removes what is left', async () => {
    const world = await createBuiltWorld(admin)
    const pull = await openPull(world, { files: webFolder('One') })
    await pull.run('opened')
    world.hosted.closePull(12, { merged: false })
    // The run of "closed" was replaced by that of a label.
    const labelled = await pull.run('labeled', { label: 'bug' })
    expect(labelled.outputs, labelled.visibleLog).toMatchObject({ outcome: 'cleaned' })
    expect(world.capgo.store.find('channels', { name: 'pr-12' })).toBeUndefined()
    const edited = await pull.run('edited')
    expect(edited.outputs).toMatchObject({ outcome: 'skipped' })
    expect(bundlesOf(world).filter(({ name, deleted }) => !deleted && name.includes('-pr.12.'))).toEqual([])
    expect(pull.comments().map(headline)).toEqual([expect.stringContaining('Preview removed')])
  })

  it('so any event makes the preview that is missing, and one that changes nothing builds nothing', async () => {
    const world = await createBuiltWorld(admin)
    const pull = await openPull(world, { files: webFolder('One') })
    const first = await pull.run('labeled', { label: 'bug' })
    expect(first.outputs, first.visibleLog).toMatchObject({ outcome: 'published', channel: 'pr-12' })
    const requests = world.capgo.requests.length
    const again = await pull.run('labeled', { label: 'help' })
    expect(again.outputs).toMatchObject({
      outcome: 'unchanged',
      channel: 'pr-12',
      'bundle-id': expect.stringMatching(/\d/),
    })
    expect(again.outputs.reason).toContain('changes no content')
    const writes = world.capgo.requests
      .slice(requests)
      .filter(({ method }) => /PATCH|PUT|DELETE/.test(method))
    expect(writes).toEqual([])
  })

  it('and the comment says when its newest commit has no preview, also where the config cannot be read', async () => {
    const world = await createBuiltWorld(admin)
    const pull = await openPull(world, { files: webFolder('One') })
    await pull.run('opened')
    pull.push({ 'capacitor.config.json': '{ "appId": ' })
    const broken = await pull.run('synchronize')
    expect(broken.exitCode).toBe(1)
    expect(pull.comments().map(headline)).toEqual([expect.stringContaining('Preview failed')])
    expect(pull.comments()[0]).toContain('still works')
  })

  it('so what is built when it is closed is shown to nobody', async () => {
    const world = await createBuiltWorld(admin)
    const pull = await openPull(world, { files: webFolder('Two') })
    world.capgo.faults.add({
      match: { method: 'POST', path: /\/files\/upload/ },
      at: 'after',
      do: () => void world.hosted.closePull(12, { merged: false }),
    })
    const run = await pull.run('opened')
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'cleaned' })
    expect(
      world.capgo.requests.filter(({ path }) => path === '/channel').map(({ method }) => method),
    ).not.toContain('POST')
    expect(pull.comments().map(headline).join()).not.toContain('Building')
  })
})

it('a note that another run writes at the same moment stays', async () => {
  const { world } = await twoCommits()
  const bundle = servedBy(world, 'production')!
  const line = `beta: develop@${'d'.repeat(40)} run 9.1 (id 9)`
  world.capgo.faults.add({
    match: { method: 'PATCH', path: /comment=eq\./ },
    do: () =>
      void world.capgo.store.update('app_versions', bundle, { comment: `${bundle.comment}\n${line}` }),
  })
  const third = world.repo.commit({ 'README.md': 'Same content' })
  const run = await world.push('main')
  expect(run.outputs).toMatchObject({ outcome: 'unchanged' })
  expect(commitOn(world, 'production')).toBe(third)
  expect(servedBy(world, 'production')!.comment).toContain(line)
})
