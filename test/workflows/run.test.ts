/**
 * Every workflow that users take or call is run here, step by step, with the built action against the local Capgo and
 * the local GitHub: the callers as docs/reference.md shows them, and the files of docs/workflows.
 */
import { describe, expect, it } from 'vitest'
import type { Files } from '../../local/repository.ts'
import {
  dispatchEvent,
  issuesEvent,
  type PullRequestAction,
  type PullRequestOptions,
  pullRequestEvent,
  pushEvent,
  releaseEvent,
  scheduleEvent,
  type WorkflowEvent,
  workflowRunEvent,
} from '../../local/runner/event.ts'
import { readServedCommit } from '../../src/plan/bundle-comment.ts'
import { openPull, type PullOptions } from '../scenarios/pull.ts'
import { APP_ID, createWorld, tinyApp, type World, type WorldOptions } from '../scenarios/scenario.ts'
import { bundlesOf, channelOf, deviceOn, servedBy } from '../scenarios/stages.ts'
import { yamlBlocks } from '../workflow-runner/page.ts'
import { executed, runWorkflow, type Started, type WorkflowRun } from '../workflow-runner/run.ts'
import {
  isReadyMade,
  loadWorkflow,
  readWorkflow,
  type Workflow,
  workflowFiles,
} from '../workflow-runner/workflow.ts'

const FORK = 'mallory/daybreak'
const ADA = 'ada00000-0000-4000-8000-000000000001'

/** By its name; as docs/reference.md shows it. */
const callers = new Map(
  yamlBlocks('docs/reference.md')
    .filter(({ text }) => text.startsWith('name:'))
    .map(({ text, line }) => readWorkflow(`docs/reference.md:${line}`, text))
    .map(workflow => [workflow.name, workflow]),
)

function caller(name: string): Workflow {
  const workflow = callers.get(name)
  if (workflow === undefined) throw new Error(`docs/reference.md has no caller "${name}".`)
  return workflow
}

/** Its build leaves the folder that the workflows in the documents name. */
function distApp(): Files {
  return Object.fromEntries(
    Object.entries(tinyApp()).map(([path, content]) => [
      path,
      content?.toString().replaceAll('www', 'dist') ?? null,
    ]),
  )
}

const createApp = (options: WorldOptions = {}) =>
  createWorld({ role: 'app_admin', files: distApp(), ...options })

async function run(workflow: Workflow, world: World, event: WorkflowEvent, more: Partial<Started> = {}) {
  const secrets = { CAPGO_TOKEN: world.key, CAPGO_PREVIEW_TOKEN: world.key }
  return runWorkflow(workflow, { world, event, secrets, ...more })
}

const logs = (result: WorkflowRun) =>
  result.jobs
    .flatMap(({ steps }) => steps.map(step => `${step.what}\n${step.run?.visibleLog ?? ''}`))
    .join('\n')

function expectGreen(result: WorkflowRun): void {
  expect(result.result, logs(result)).toBe('success')
  // A permission that is missing costs a warning.
  for (const { log } of result.actions)
    expect(log.annotations.filter(({ message }) => /permission|may not|lacks/i.test(message))).toEqual([])
}

const pushOf = (world: World, branch: string) =>
  pushEvent({ branch, sha: world.repo.git(['rev-parse', branch]) })
const dispatchOf = (world: World, inputs: Record<string, string> = {}) =>
  dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.shaOf('main'), inputs })
const scheduleOf = (world: World) => scheduleEvent({ sha: world.repo.shaOf('main') })

function pullEvent(
  world: World,
  action: PullRequestAction,
  more: Partial<PullRequestOptions> = {},
): WorkflowEvent {
  const { issue, pull } = world.hosted.pull(12)
  return pullRequestEvent(action, {
    number: 12,
    headSha: pull.head.sha,
    headRef: pull.head.ref,
    baseRef: pull.base.ref,
    baseSha: world.repo.git(['rev-parse', pull.base.ref]),
    title: issue.title,
    labels: issue.labels,
    merged: pull.mergedAt !== null,
    ...(pull.head.repository === world.hosted.name ? {} : { fork: pull.head.repository }),
    ...more,
  })
}

const pullOn = async (world: World, options: PullOptions = {}) => openPull(world, options)

/** What a newly installed app gets from a channel. */
async function greetingOn(world: World, channel: string): Promise<string | undefined> {
  const installed = await deviceOn(world, channel).update()
  return installed?.files.get('index.html')?.toString()
}

/** Production serves main, development what was built on it since. */
async function createStages(): Promise<World> {
  const world = await createApp()
  expectGreen(await run(caller('Publish'), world, pushOf(world, 'main')))
  world.repo.branch('develop')
  world.repo.commit({ 'greeting.txt': '<h1>Tested</h1>\n' })
  expectGreen(await run(caller('Publish'), world, pushOf(world, 'develop')))
  return world
}

describe('publish', () => {
  it('puts each branch on its channel, and tells the caller', async () => {
    const world = await createStages()
    expect(await greetingOn(world, 'production')).toContain('Hello')
    expect(await greetingOn(world, 'development')).toContain('Tested')
    world.repo.checkout('main')
    world.repo.commit({ 'greeting.txt': '<h1>Next</h1>\n' })
    const result = await run(caller('Publish'), world, pushOf(world, 'main'), {
      with: { channels: 'main: beta', 'api-url': world.capgo.url, verify: true },
    })
    expectGreen(result)
    expect(result.outputs.publish).toEqual({
      outcome: 'published',
      channel: 'beta',
      'bundle-id': String(servedBy(world, 'beta')!.id),
      'bundle-version': servedBy(world, 'beta')!.name,
    })
    expect(logs(result)).toContain('Verify the update as a device')
    expect(result.jobs.flatMap(({ groups }) => groups)).toEqual([
      { group: 'capgo-publish-.-push-refs/heads/main', cancels: false },
    ])
    expect(world.hosted.deployments.map(({ environment }) => environment)).toContain('beta')
  })

  it('is red where the action is, and says no outcome but that', async () => {
    const world = await createApp()
    world.repo.commit({ 'build.js': 'process.exit(3)' })
    const result = await run(caller('Publish'), world, pushOf(world, 'main'))
    expect(result.result).toBe('failure')
    expect(result.outputs.publish?.outcome).toBe('failed')
    expect(bundlesOf(world)).toEqual([])
  })

  it('takes a whole workflow of several events in one, each with the weakest key: live-update.yml', async () => {
    const world = await createApp({ role: 'app_developer' })
    const preview = world.capgo.seedKey({ appId: APP_ID, role: 'app_preview' })
    const workflow = loadWorkflow('docs/workflows/live-update.yml')
    const started = {
      secrets: { CAPGO_PREVIEW_TOKEN: preview },
      environments: { 'live-update': { CAPGO_TOKEN: world.key } },
    }
    const go = (event: WorkflowEvent) => runWorkflow(workflow, { world, event, ...started })
    const pushed = await go(pushOf(world, 'main'))
    expectGreen(pushed)
    expect(pushed.jobs[0]!.groups).toEqual([{ group: 'live-update-push-refs/heads/main', cancels: false }])
    expect(await greetingOn(world, 'production')).toContain('Hello')
    const pull = await pullOn(world)
    expectGreen(await go(pullEvent(world, 'opened')))
    expect(await greetingOn(world, 'pr-12')).toContain('Good evening')
    pull.push({ 'greeting.txt': '<h1>Good night</h1>\n' })
    expectGreen(await go(pullEvent(world, 'synchronize')))
    expect(await greetingOn(world, 'pr-12')).toContain('Good night')
    // A missed "closed" is made good by the schedule.
    world.hosted.closePull(12, { merged: true })
    expectGreen(await go(scheduleOf(world)))
    expect(world.capgo.store.find('channels', { app_id: APP_ID, name: 'pr-12' })).toBeUndefined()
    // Its "closed" is of the base branch's ref, and yet never waits for, or drops, what is pushed there.
    const event = pullEvent(world, 'closed')
    expect(event.ref).toBe('refs/heads/main')
    const closed = await go(event)
    expect(closed.jobs[0]!.groups).toEqual([{ group: 'live-update-pull_request-12', cancels: false }])
    await expect(go(pushOf(world, 'feature/evening'))).rejects.toThrow('does not start')
  })

  it('gives no pull request the key that publishes: live-update.yml', async () => {
    const world = await createApp()
    await pullOn(world)
    const result = await runWorkflow(loadWorkflow('docs/workflows/live-update.yml'), {
      world,
      event: pullEvent(world, 'opened'),
      secrets: { CAPGO_TOKEN: world.key },
    })
    expect(result.result).toBe('failure')
    expect(bundlesOf(world)).toEqual([])
  })
})

describe('preview', () => {
  it('opens with the pull request and is gone with it', async () => {
    const world = await createApp()
    expectGreen(await run(caller('Publish'), world, pushOf(world, 'main')))
    const pull = await pullOn(world)
    const opened = await run(caller('Preview'), world, pullEvent(world, 'opened'))
    expectGreen(opened)
    expect(opened.outputs.preview).toMatchObject({ outcome: 'published', channel: 'pr-12' })
    expect(await greetingOn(world, 'pr-12')).toContain('Good evening')
    expect(pull.comments()).toHaveLength(1)
    world.hosted.closePull(12, { merged: true })
    const closed = await run(caller('Preview'), world, pullEvent(world, 'closed'))
    expectGreen(closed)
    expect(closed.outputs.preview?.outcome).toBe('cleaned')
    expect(world.capgo.store.find('channels', { app_id: APP_ID, name: 'pr-12' })).toBeUndefined()
    expect(await greetingOn(world, 'production')).toContain('Hello')
    // The close of a merged pull request and the push to its base never wait for, or drop, one another.
    const [group] = closed.jobs.flatMap(({ groups }) => groups)
    expect(group).toEqual({ group: 'capgo-preview-.-pull_request-12', cancels: false })
    expect(opened.jobs.flatMap(({ groups }) => groups)).toEqual([group])
  })

  it('ends neutral for a fork, which has no secrets', async () => {
    const world = await createApp()
    await pullOn(world, { fork: FORK })
    const result = await run(caller('Preview'), world, pullEvent(world, 'opened'))
    expect(result.result, logs(result)).toBe('success')
    expect(result.outputs.preview?.outcome).toBe('skipped')
    expect(bundlesOf(world)).toEqual([])
  })
})

describe.each([
  [
    'ready-made',
    { with: { artifact: 'web-{number}' } },
    () => [caller('Preview build'), caller('Preview publish')] as const,
  ],
  [
    'to copy',
    {},
    () =>
      [
        loadWorkflow('docs/workflows/preview-build.yml'),
        loadWorkflow('docs/workflows/preview-publish.yml'),
      ] as const,
  ],
])('the preview of a fork (%s)', (_kind, more: Partial<Started>, workflows) => {
  it('is built without secrets, published without its code, and removed when it closes', async () => {
    const world = await createApp()
    const [build, publish] = workflows()
    expect(publish.on.workflow_run).toMatchObject({ workflows: [build.name] })
    const pull = await pullOn(world, { fork: FORK })
    const built = await run(build, world, pullEvent(world, 'opened'), more)
    expectGreen(built)
    expect(built.actions).toEqual([])
    expect(built.jobs.flatMap(({ groups }) => groups)).toMatchObject([{ cancels: true }])
    world.repo.checkout('main')
    const { head } = world.hosted.pull(12).pull
    const event = workflowRunEvent({
      sha: world.repo.head,
      headSha: head.sha,
      headBranch: head.ref,
      event: 'pull_request',
      fork: FORK,
      runId: built.id,
    })
    const published = await run(publish, world, event, more)
    expectGreen(published)
    expect(await greetingOn(world, 'pr-12')).toContain('Good evening')
    expect(pull.comments()).toHaveLength(1)
    world.hosted.closePull(12)
    const closed = await run(publish, world, pullEvent(world, 'closed', { target: true }))
    expectGreen(closed)
    expect(world.capgo.store.list('channels', { app_id: APP_ID })).toEqual([])
    const groupsOf = (result: WorkflowRun) => result.jobs.flatMap(({ groups }) => groups)
    for (const group of groupsOf(closed)) expect(groupsOf(published)).not.toContainEqual(group)
    expect([...groupsOf(closed), ...groupsOf(published)].filter(({ cancels }) => cancels)).toEqual([])
  })
})

describe('testers', () => {
  it('are put where they belong, and missed ends are made good', async () => {
    const world = await createApp({
      files: { ...distApp(), 'testers.json': JSON.stringify([{ device: ADA, channel: 'beta' }]) },
    })
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
    world.capgo.seedDevice({ appId: APP_ID, deviceId: ADA })
    await pullOn(world)
    expectGreen(
      await run(caller('Preview'), world, pullEvent(world, 'opened'), { with: { 'assign-testers': 'none' } }),
    )
    world.hosted.closePull(12)
    const result = await run(caller('Testers'), world, scheduleOf(world))
    expectGreen(result)
    expect(JSON.parse(result.outputs.testers!.testers!)).toMatchObject({ failed: 0 })
    expect(world.capgo.store.find('channel_devices', { app_id: APP_ID, device_id: ADA })).toMatchObject({
      channel_id: channelOf(world, 'beta').id,
    })
    expect(world.capgo.store.find('channels', { app_id: APP_ID, name: 'pr-12' })).toBeUndefined()

    // By hand it does the same, and publishes nothing.
    const before = bundlesOf(world).map(({ name }) => name)
    world.capgo.store.db.exec('DELETE FROM channel_devices')
    const [job] = Object.values(loadWorkflow('.github/workflows/testers.yml').jobs)
    expect(job?.steps?.at(-1)?.with).toMatchObject({ operation: 'testers' })
    const dry = await run(caller('Testers'), world, dispatchOf(world, { 'dry-run': 'true' }))
    expectGreen(dry)
    expect(dry.outputs).toEqual({ testers: { testers: expect.stringContaining('"assigned":1') } })
    expect(world.capgo.store.list('channel_devices')).toEqual([])
    const byHand = await run(caller('Testers'), world, dispatchOf(world, { 'dry-run': 'false' }))
    expectGreen(byHand)
    expect(JSON.parse(byHand.outputs.testers!.testers!)).toMatchObject({ assigned: 1 })
    expect(bundlesOf(world).map(({ name }) => name)).toEqual(before)
  })
})

describe('a tester who joins by an issue', () => {
  const body = `### Join or leave\n\nJoin\n\n### Device id\n\n${ADA}\n\n### Name\n\nAda`
  const issueOf = (world: World, text = body) =>
    issuesEvent('opened', { number: 45, author: 'ada', body: text, sha: world.repo.shaOf('main') })

  it.each([
    ['copied', () => loadWorkflow('docs/workflows/join.yml')],
    ['called', () => caller('Join')],
  ])('is proposed, merged and answered by the workflow that is %s', async (_how, workflow) => {
    const world = await createApp({ files: { ...distApp(), 'testers.json': '[]' } })
    world.hosted.addIssue({ number: 45, author: 'ada', body })
    expectGreen(await run(workflow(), world, issueOf(world)))
    world.repo.merge('capgo/tester-45')
    world.hosted.closePull(46, { merged: true })
    expectGreen(await run(workflow(), world, pushOf(world, 'main')))
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    expect(world.hosted.commentsOf(45)[0]!.body).toContain('You are a tester')

    // Other issues start no runner.
    const other = await run(workflow(), world, issueOf(world, 'It does not work'))
    expect(other.actions).toEqual([])
  })
})

describe('promote, roll back, status', () => {
  it('takes what was tested to production and back, and tells of it', async () => {
    const world = await createStages()
    const [hello, tested] = bundlesOf(world)
    const tag = releaseEvent({ tag: 'v1.2.0', sha: world.repo.shaOf('main') })
    const promoted = await run(caller('Promote'), world, tag)
    expectGreen(promoted)
    expect(promoted.outputs.promote).toMatchObject({ outcome: 'published', 'bundle-id': String(tested!.id) })
    expect(await greetingOn(world, 'production')).toContain('Tested')
    expect(readServedCommit(servedBy(world, 'production')!, 'production')).toMatchObject({
      refName: 'develop',
    })

    const back = await run(caller('Roll back'), world, dispatchOf(world, { channel: 'production', to: '' }))
    expectGreen(back)
    expect(back.outputs.rollback).toMatchObject({ 'bundle-id': String(hello!.id) })
    expect(await greetingOn(world, 'production')).toContain('Hello')

    // What was rolled back from comes again only by force, and here to a tenth of the devices.
    const refused = await run(caller('Promote'), world, dispatchOf(world, { rollout: '', force: 'false' }))
    expect(refused.result).toBe('failure')
    const forced = await run(caller('Promote'), world, dispatchOf(world, { rollout: '10', force: 'true' }))
    expectGreen(forced)
    expect(channelOf(world, 'production')).toMatchObject({
      rollout_version: tested!.id,
      rollout_percentage_bps: 1000,
    })

    const told = await run(caller('Status'), world, dispatchOf(world))
    expectGreen(told)
    expect(JSON.parse(told.outputs.status!.status!)).toMatchObject([
      { channel: 'production', bundle: { id: hello!.id }, rollout: { percentage: 10 } },
      { channel: 'development', bundle: { id: tested!.id } },
    ])
    expect(logs(told)).toContain(`production ${hello!.name}\ndevelopment ${tested!.name}`)
  })
})

describe('a workflow does not start', () => {
  it('where the caller gives it too few permissions, no secret, or inputs that it has not', async () => {
    const world = await createApp()
    const publish = caller('Publish')
    const event = pushOf(world, 'main')
    const { deployments: _, ...fewer } = publish.permissions!
    await expect(run({ ...publish, permissions: fewer }, world, event)).rejects.toThrow('deployments: write')
    await expect(run(publish, world, event, { secrets: {} })).rejects.toThrow(
      'needs the secret "capgo-token"',
    )
    await expect(run(publish, world, event, { with: { chanel: 'x' } })).rejects.toThrow('no input "chanel"')
    await expect(run(publish, world, event, { with: { verify: 'yes' } })).rejects.toThrow('no boolean')
  })
})

it('no workflow that users take or call is left unrun', () => {
  const files = [
    ...workflowFiles('docs/workflows'),
    ...workflowFiles('.github/workflows').filter(isReadyMade),
  ]
  expect(files).toHaveLength(13)
  expect(files.filter(file => !executed.has(file))).toEqual([])
  expect([...callers.values()].filter(({ file }) => !executed.has(file)).map(({ name }) => name)).toEqual([])
})
