import { describe, expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { scheduleEvent } from '../../local/runner/event.ts'
import type { ActionProcess } from '../../local/runner/runner.ts'
import { openPull } from './pull.ts'
import { APP_ID, BUILT_ACTION, createWorld, type World, withoutChance } from './scenario.ts'

const admin = { role: 'app_admin' } as const

/** What a phone gets that chose this channel. */
async function onPhone({ capgo }: World, channel: string): Promise<string> {
  const device = new Device({
    capgoUrl: capgo.url,
    appId: APP_ID,
    versionBuild: '1.0.0',
    defaultChannel: channel,
  })
  const answer = await device.checkForUpdate()
  if (answer.kind !== 'update') return `${answer.kind} ${answer.error}`
  const { files } = await device.download(answer)
  return files.get('index.html')!.toString()
}

function onCapgo({ capgo }: World) {
  return {
    channels: capgo.store.list('channels', { app_id: APP_ID }).map(({ name }) => name),
    bundles: capgo.store.list('app_versions', { app_id: APP_ID, deleted: false }).map(({ name }) => name),
    overrides: capgo.store.list('channel_devices', { app_id: APP_ID }).length,
  }
}

const states = ({ hosted }: World, environment: string) =>
  hosted.deployments
    .filter(each => each.environment === environment)
    .map(({ statuses }) => statuses.at(-1)?.state)

const REMOVED = expect.stringContaining('### 🧹 Preview removed')
const firstLine = (comment: string | undefined) => comment?.split('\n').find(line => line.startsWith('### '))

describe('a pull request', () => {
  it('gets a channel, a bundle, a deployment and one comment', async () => {
    const world = await createWorld({ ...admin, builds: true })
    await world.push('main')
    world.story(await world.push('main'))
    const pull = await openPull(world)
    const run = await pull.run('opened')
    expect(world.story(run)).toMatchSnapshot()
    expect(pull.comments().map(text => withoutChance(text))).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(states(world, 'preview/pr-12')).toEqual(['success'])
    expect(await onPhone(world, 'pr-12')).toContain('Good evening')
  })

  it('has its comment changed in place with each push, and the deployment before retired', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
    world.repo.checkout('main')
    await world.push('main')
    world.repo.checkout('feature/evening')
    const run = await pull.run('synchronize', {}, BUILT_ACTION)
    expect(world.story(run)).toMatchSnapshot()
    expect(pull.comments().map(firstLine)).toEqual(['### 📱 Preview ready'])
    expect(states(world, 'preview/pr-12')).toEqual(['inactive', 'success'])
    expect(await onPhone(world, 'pr-12')).toContain('Good night')
  })

  it('has its comment found behind 250 others', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    for (let n = 0; n < 250; n++) world.hosted.addComment(12, { body: `Comment ${n}` })
    await pull.run('opened')
    pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
    await pull.run('synchronize')
    expect(pull.comments()).toHaveLength(1)
    expect(world.hosted.commentsOf(12)).toHaveLength(251)
  })

  it('gets a new comment when a person deleted the old one', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    world.hosted.comments.length = 0
    await pull.run('synchronize')
    expect(pull.comments().map(firstLine)).toEqual(['### 📱 Preview ready'])
  })

  it('keeps the comments that people write with our marker', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    const body = `<!-- capgo-publish-action ${APP_ID} -->\nMine!`
    world.hosted.addComment(12, { body, author: 'mallory' })
    await pull.run('opened')
    expect(world.hosted.commentsOf(12).map(({ author }) => author)).toEqual([
      'mallory',
      'github-actions[bot]',
    ])
    expect(world.hosted.commentsOf(12)[0]!.body).toBe(body)
  })

  it('is told of a failed build, and what its channel still serves', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    pull.push({
      'build.js':
        'console.log("::set-output name=x::y\\n@everyone <script>alert(1)</script> ```")\nthrow new Error("No such word: good afternoon")\n',
    })
    const run = await pull.run('synchronize', {}, BUILT_ACTION)
    expect(run.exitCode).toBe(1)
    const [comment = ''] = pull.comments()
    expect(firstLine(comment)).toBe('### ❌ Preview failed: the build broke')
    expect(comment).toContain('No such word: good afternoon')
    expect(comment).toContain('1.2.1-pr.12.1.1')
    expect(await onPhone(world, 'pr-12')).toContain('Good evening')
    expect(run.outputs.y).toBeUndefined()
  })

  it('is told of what commit the preview is, by whom, and since when', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    world.repo.commit({ 'greeting.txt': '<h1>Good night</h1>\n' }, 'Say good night\n\nNot part of the title.')
    world.hosted.pull(12).pull.head.sha = world.repo.head
    await pull.run('opened')
    const [comment = ''] = pull.comments()
    expect(withoutChance(comment)).toMatch(/ Say good night · by .+ · live since TIME, took N s · \[log\]/)
    expect(comment).not.toContain('Not part of')
    const asked = world.github.requests.filter(({ operation }) => operation === 'repos/list-commits')
    expect(asked).toHaveLength(1)
  })

  it('loses no more than the title where the job may not read commits', async () => {
    const world = await createWorld({
      ...admin,
      permissions: { 'pull-requests': 'write', deployments: 'write' },
    })
    const pull = await openPull(world, { actor: 'ada' })
    const run = await pull.run('opened')
    expect(run.outputs.outcome).toBe('published')
    const commit = `[<code>${world.repo.head.slice(0, 7)}</code>](<https://github.com/octo-org/daybreak/commit/${world.repo.head}>)`
    expect(pull.comments()[0]).toContain(`${commit} · by <span>@</span>ada · live since`)
    expect(run.log.annotations.filter(({ message }) => message.includes('commit'))).toEqual([])
  })

  it('gets a preview as a draft too', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world, { draft: true })
    expect((await pull.run('opened')).outputs.outcome).toBe('published')
  })

  it('is compared with the channel of its new base branch', async () => {
    const world = await createWorld(admin)
    await world.push('main')
    world.repo.branch('develop')
    world.repo.commit({ 'greeting.txt': '<h1>Next</h1>\n' })
    await world.push('develop')
    const pull = await openPull(world)
    await pull.run('opened')
    expect(pull.comments()[0]).toContain('<code>production</code>')
    world.hosted.pull(12).pull.base.ref = 'develop'
    await pull.run('synchronize')
    expect(pull.comments()[0]).toContain('<code>development</code>')
    expect(pull.comments()[0]).not.toContain('<code>production</code>')
  })

  it('is published anew after a force push', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    world.repo.git(['reset', '--hard', 'main'])
    pull.push({ 'greeting.txt': '<h1>Another evening</h1>\n' })
    const run = await pull.run('synchronize')
    expect(run.outputs.outcome).toBe('published')
    expect(await onPhone(world, 'pr-12')).toContain('Another evening')
  })

  it('ends with the newer commit when two pushes run at once', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    let newer: Promise<unknown> | undefined
    world.capgo.faults.add({
      match: { method: 'POST', path: '/files/upload/attachments/' },
      do: async () => {
        pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
        newer = pull.run('synchronize')
        await newer
      },
    })
    const older = await pull.run('opened')
    await newer
    expect(older.outputs.outcome).toBe('stale')
    expect(await onPhone(world, 'pr-12')).toContain('Good night')
    expect(pull.comments().map(firstLine)).toEqual(['### 📱 Preview ready'])
  })

  it('has one comment when two runs write the first one at once', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    world.github.faults.add({
      match: { method: 'POST', path: /\/issues\/12\/comments/ },
      do: async () => {
        await pull.run('synchronize')
      },
    })
    await pull.run('opened')
    expect(pull.comments()).toHaveLength(1)
    expect(firstLine(pull.comments()[0])).toContain('Preview ready')
    expect(pull.comments()[0]).toContain('<!-- run 9000000002.1 -->')
  })

  it('has one comment again when a run was stopped before it took its own back', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    const [comment] = world.hosted.commentsOf(12)
    world.hosted.addComment(12, { body: comment!.body, author: 'github-actions[bot]' })
    await pull.run('synchronize')
    expect(pull.comments()).toHaveLength(1)
  })

  it('leaves nothing behind when it is closed while its preview is made', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    world.capgo.faults.add({
      match: { method: 'POST', path: '/files/upload/attachments/' },
      do: async () => {
        await pull.close()
      },
    })
    const run = await pull.run('opened')
    expect(run.outputs.outcome).toBe('cleaned')
    expect(onCapgo(world)).toEqual({ channels: [], bundles: [], overrides: 0 })
    expect(pull.comments().map(firstLine)).toEqual([REMOVED])
  })
})

describe('with preview-label', () => {
  const inputs = { 'preview-label': 'preview' }

  it('a pull request gets a preview while it has the label', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    const without = await pull.run('opened', {}, { inputs })
    expect(without.outputs).toMatchObject({ outcome: 'skipped' })
    expect(without.outputs.reason).toMatchSnapshot()

    world.hosted.pull(12).issue.labels.push('preview')
    const on = await pull.run('labeled', { label: 'preview' }, { inputs })
    expect(on.outputs.outcome).toBe('published')

    const other = await pull.run('labeled', { label: 'bug' }, { inputs })
    expect(other.outputs.outcome).toBe('unchanged')

    world.hosted.pull(12).issue.labels.length = 0
    const off = await pull.run('unlabeled', { label: 'preview' }, { inputs })
    expect(off.outputs.outcome).toBe('cleaned')
    expect(onCapgo(world)).toEqual({ channels: [], bundles: [], overrides: 0 })
    expect(pull.comments().map(firstLine)).toEqual([REMOVED])
  })
})

describe('a closed pull request', () => {
  it('leaves nothing behind', async () => {
    const world = await createWorld(admin)
    await world.push('main')
    const pull = await openPull(world)
    await pull.run('opened')
    pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
    world.story(await pull.run('synchronize'))
    const deviceId = crypto.randomUUID()
    world.capgo.seedDevice({ appId: APP_ID, deviceId })
    world.capgo.seedOverride({ appId: APP_ID, deviceId, channel: 'pr-12' })

    const run = await pull.close(true, BUILT_ACTION)
    expect(world.story(run)).toMatchSnapshot()
    expect(pull.comments().map(text => withoutChance(text))).toMatchSnapshot()
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect(onCapgo(world)).toEqual({ channels: ['production'], bundles: ['1.2.0'], overrides: 0 })
    expect(states(world, 'preview/pr-12')).toEqual(['inactive', 'inactive'])
    expect(states(world, 'production')).toEqual(['success'])
  })

  it('may be closed twice', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    await pull.close()
    const run = await pull.close()
    expect(run.exitCode).toBe(0)
    expect(run.outputs).toMatchObject({ outcome: 'cleaned' })
    expect(run.outputs.reason).toMatchSnapshot()
  })

  it('gets its preview again when it is reopened', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    await pull.close()
    world.hosted.reopenPull(12)
    const run = await pull.run('reopened')
    expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.1-pr.12.3.1' })
    expect(await onPhone(world, 'pr-12')).toContain('Good evening')
    expect(pull.comments()).toHaveLength(1)
  })

  it('keeps the preview that it got again, when the closing job is run again', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    const options = { runId: 9_000_000_100, runNumber: 100 }
    await pull.close(false, options)
    world.hosted.reopenPull(12)
    await pull.run('reopened', {}, { runId: 9_000_000_101, runNumber: 101 })
    const run = await pull.run('closed', {}, { ...options, runAttempt: 2 })
    expect(run.outputs).toMatchObject({
      outcome: 'skipped',
      reason: '#12 is open again, so its preview is kept.',
    })
    expect(await onPhone(world, 'pr-12')).toContain('Good evening')
    expect(pull.comments().map(firstLine)[0]).toContain('Preview ready')
  })

  it("is cleaned up with Capgo's key for previews", async () => {
    const world = await createWorld({ role: 'app_preview' })
    const pull = await openPull(world)
    const opened = await pull.run('opened')
    expect(opened.exitCode, opened.visibleLog).toBe(0)
    const run = await pull.close()
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(onCapgo(world)).toEqual({ channels: [], bundles: [], overrides: 0 })
  })

  it("keeps a key's older bundles and says so, when the key may not delete them", async () => {
    const world = await createWorld({ role: 'app_preview' })
    const pull = await openPull(world)
    await pull.run('opened')
    pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
    await pull.run('synchronize')
    await pull.close()
    expect(onCapgo(world)).toEqual({ channels: [], bundles: ['1.2.1-pr.12.1.1'], overrides: 0 })
    expect(pull.comments()[0]).toContain('One older bundle is kept')
  })

  it('names the permission that the key lacks', async () => {
    const world = await createWorld({ role: 'app_developer' })
    const pull = await openPull(world)
    await pull.run('opened')
    const run = await pull.close()
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('permission_missing')
    expect(run.outputs.reason).toContain('channel.delete')
  })

  it('keeps a bundle that another channel serves, and a channel that serves something else', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    const { store } = world.capgo
    const [bundle] = store.list('app_versions', { app_id: APP_ID })
    world.capgo.seedChannel({ appId: APP_ID, name: 'qa', bundle: bundle!.name })
    await pull.close()
    expect(onCapgo(world)).toEqual({ channels: ['qa'], bundles: ['1.2.1-pr.12.1.1'], overrides: 0 })
    expect(pull.comments()[0]).toContain('another channel serves it')
  })

  it('removes nothing on a dry run', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    const before = onCapgo(world)
    const run = await pull.close(false, { inputs: { 'dry-run': 'true' } })
    expect(run.outputs.outcome).toBe('planned')
    expect(onCapgo(world)).toEqual(before)
    expect(firstLine(pull.comments()[0])).toContain('Preview ready')
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })
})

describe('the sweep', () => {
  it('removes the previews of closed pull requests and keeps those of open ones', async () => {
    const world = await createWorld(admin)
    await world.push('main')
    const first = await openPull(world, {
      number: 12,
      branch: 'one',
      files: { 'greeting.txt': '<h1>1</h1>\n' },
    })
    await first.run('opened')
    const second = await openPull(world, {
      number: 13,
      branch: 'two',
      files: { 'greeting.txt': '<h1>2</h1>\n' },
    })
    await second.run('opened')
    // Not made by this action: the name alone proves nothing.
    world.capgo.seedChannel({ appId: APP_ID, name: 'pr-99' })
    world.hosted.closePull(12)
    world.story(await second.run('synchronize'))

    const run = await world.run(scheduleEvent({ sha: world.repo.head }), BUILT_ACTION)
    expect(world.story(run)).toMatchSnapshot()
    expect(onCapgo(world)).toEqual({
      channels: ['production', 'pr-13', 'pr-99'],
      bundles: ['1.2.0', '1.2.1-pr.13.3.1'],
      overrides: 0,
    })
    expect(first.comments().map(firstLine)).toEqual([REMOVED])
    expect(second.comments().map(firstLine)[0]).toContain('Preview ready')
    const again = await world.run(scheduleEvent({ sha: world.repo.head }))
    expect(again.outputs).toMatchObject({ outcome: 'cleaned', reason: 'No leftover preview was found.' })
  })

  it('finishes a clean-up that was stopped, comment and deployment too', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    await pull.run('opened')
    let closing: ActionProcess | undefined
    world.capgo.faults.add({
      match: { method: 'DELETE', path: /\/channels?\b/ },
      at: 'after',
      do: () => closing?.kill('SIGKILL'),
    })
    closing = pull.close(false, BUILT_ACTION) as ActionProcess
    expect((await closing).signal).toBe('SIGKILL')
    world.repo.checkout('main')
    await world.run(scheduleEvent({ sha: world.repo.head }))
    expect(onCapgo(world)).toEqual({ channels: [], bundles: [], overrides: 0 })
    expect(pull.comments().map(firstLine)).toEqual([REMOVED])
    expect(states(world, 'preview/pr-12')).toEqual(['inactive'])
  })

  it('removes what a run began to upload a day ago and nobody finished', async () => {
    const world = await createWorld(admin)
    await world.push('main')
    const [bundle] = world.capgo.store.list('app_versions', { app_id: APP_ID })
    const unfinished = (name: string, hours: number, ours = true) =>
      world.capgo.seedBundle({
        appId: APP_ID,
        name,
        storage_provider: 'r2-direct',
        comment: ours ? bundle!.comment : 'by hand',
        created_at: new Date(Date.now() - hours * 3_600_000).toISOString(),
      })
    unfinished('1.2.1-production.7.1', 25)
    unfinished('1.2.1-production.8.1', 23)
    unfinished('2.0.0', 500, false)
    const run = await world.run(scheduleEvent({ sha: world.repo.head }))
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(onCapgo(world).bundles).toEqual(['1.2.0', '1.2.1-production.8.1', '2.0.0'])
  })
})

describe('without secrets', () => {
  const inputs = { 'capgo-token': '' }

  it("a fork's pull request ends neutral and says what to do", async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world, { fork: 'mallory/daybreak' })
    const run = await pull.run('opened', {}, { inputs })
    expect(run.exitCode).toBe(0)
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })

  it("Dependabot's pull request ends neutral and says what to do", async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world, { actor: 'dependabot[bot]', branch: 'dependabot/npm/x-1' })
    const run = await pull.run('opened', {}, { inputs })
    expect(run.exitCode).toBe(0)
    expect(withoutChance(run.summary)).toMatchSnapshot()
  })

  it("a pull request of one's own fails: the secret is missing", async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world)
    const run = await pull.run('opened', {}, { inputs })
    expect(run.outputs['error-code']).toBe('capgo_token_missing')
  })
})

describe('what a preview must never do', () => {
  it('run on pull_request_target with a build', async () => {
    const world = await createWorld({ ...admin, builds: true })
    const pull = await openPull(world, { fork: 'mallory/daybreak' })
    const run = await pull.run('opened', { target: true })
    expect(run.outputs['error-code']).toBe('unsafe_build')
    expect(world.capgo.requests).toEqual([])
  })

  it('evaluate a config on pull_request_target', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world, { fork: 'mallory/daybreak' })
    const run = await pull.run('opened', { target: true }, { inputs: { build: 'false' } })
    expect(run.outputs['error-code']).toBe('unsafe_config')
  })

  it('land on the channel that a branch publishes to', async () => {
    const world = await createWorld(admin)
    const pull = await openPull(world, { branch: 'production' })
    const run = await pull.run('opened', {}, { inputs: { 'preview-channel': '{branch}' } })
    expect(run.outputs['error-code']).toBe('preview_channel_taken')
  })

  it("land on the app's public channel, or on one that is not a preview's", async () => {
    const world = await createWorld(admin)
    world.capgo.seedBundle({ appId: APP_ID, name: '1.1.0', checksum: 'other' })
    world.capgo.seedChannel({ appId: APP_ID, name: 'everyone', public: true })
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', bundle: '1.1.0' })
    for (const branch of ['everyone', 'beta']) {
      const pull = await openPull(world, { branch, number: branch.length })
      const run = await pull.run('opened', {}, { inputs: { 'preview-channel': '{branch}' } })
      expect(run.outputs['error-code'], branch).toBe('preview_channel_taken')
    }
  })
})

it('a hiccup of GitHub is tried again, and one that stays costs a warning', async () => {
  const world = await createWorld(admin)
  const pull = await openPull(world)
  world.github.faults.add({ match: { method: 'GET', path: /comments/ }, do: { status: 502, body: {} } })
  await pull.run('opened')
  expect(pull.comments()).toHaveLength(1)
  world.github.faults.add({ match: { path: /comments/ }, do: { status: 502, body: {} }, times: Infinity })
  pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
  const run = await pull.run('synchronize')
  expect(run.exitCode).toBe(0)
  expect(run.summary).toContain('Could not write the comment: GitHub answered 502.')
})

describe('missing permissions of the job', () => {
  it('cost a warning that names them; the publish is green', async () => {
    const world = await createWorld({ ...admin, permissions: { contents: 'read' } })
    const pull = await openPull(world)
    const run = await pull.run('opened')
    expect(run.exitCode).toBe(0)
    expect(run.outputs.outcome).toBe('published')
    const warnings = run.log.annotations
      .filter(({ level }) => level === 'warning')
      .map(({ message }) => message)
    expect(warnings).toMatchSnapshot()
  })
})

it('a fixed channel is shared by pull requests', async () => {
  const world = await createWorld(admin)
  const inputs = { 'preview-channel': 'preview' }
  const one = await openPull(world, { number: 12, branch: 'one', files: { 'greeting.txt': '<h1>1</h1>\n' } })
  await one.run('opened', {}, { inputs })
  world.repo.checkout('main')
  const two = await openPull(world, { number: 13, branch: 'two', files: { 'greeting.txt': '<h1>2</h1>\n' } })
  await two.run('opened', {}, { inputs })
  expect(await onPhone(world, 'preview')).toContain('<h1>2')
  await one.close(false, { inputs })
  expect(await onPhone(world, 'preview')).toContain('<h1>2')
  expect(onCapgo(world).bundles).toEqual(['1.2.1-pr.13.2.1'])
  await two.close(false, { inputs })
  expect(onCapgo(world)).toEqual({ channels: [], bundles: [], overrides: 0 })
})
