/** The workflows of docs/operate.md, run as a team would: a release breaks and is taken back, the next one goes out in steps. */
import { expect, it } from 'vitest'
import { dispatchEvent, releaseEvent, scheduleEvent, type WorkflowEvent } from '../../local/runner/event.ts'
import { createWorld, type World } from '../scenarios/scenario.ts'
import { bundlesOf, channelOf, createStages, deviceOn, publish, servedBy } from '../scenarios/stages.ts'
import { yamlBlocks } from '../workflow-runner/page.ts'
import { runWorkflow } from '../workflow-runner/run.ts'
import { readWorkflow } from '../workflow-runner/workflow.ts'

const workflows = new Map(
  yamlBlocks('docs/operate.md')
    .map(({ text, line }) => readWorkflow(`docs/operate.md:${line}`, text))
    .map(workflow => [workflow.name, workflow]),
)

/** The outputs of the action's one run in it. */
async function run(name: string, world: World, event: WorkflowEvent) {
  const secrets = { CAPGO_TOKEN: world.key, CAPGO_ADMIN_TOKEN: world.key }
  const { actions, result } = await runWorkflow(workflows.get(name)!, { world, event, secrets })
  expect(actions).toHaveLength(1)
  expect(result, actions[0]!.visibleLog).toBe(actions[0]!.exitCode === 0 ? 'success' : 'failure')
  return actions[0]!.outputs
}

const byHand = (name: string, world: World, inputs: Record<string, string> = {}) =>
  run(name, world, dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.shaOf('main'), inputs }))

it('are those that the page promises', () => {
  expect([...workflows.keys()]).toEqual(['Roll back', 'Promote', 'Roll out', 'Status', 'Clean up'])
})

it('promote a release, roll it back, and bring the next one out in steps', async () => {
  const world = await createWorld({ role: 'app_admin' })
  await world.push('main')
  await publish(world, 'Good')
  world.repo.branch('develop')
  world.repo.commit({ 'greeting.txt': '<h1>Tested</h1>\n' })
  await world.push('develop')
  const [, good, tested] = bundlesOf(world)
  const sha = world.repo.shaOf('main')
  const phone = deviceOn(world, 'production')
  expect(await run('Promote', world, releaseEvent({ tag: 'v1.2.0', sha }))).toMatchObject({
    outcome: 'published',
    'bundle-version': tested!.name,
  })
  expect((await phone.update())?.version).toBe(tested!.name)

  expect(await byHand('Roll back', world, { channel: 'production', to: '' })).toMatchObject({
    outcome: 'published',
    'bundle-version': good!.name,
  })
  expect((await phone.update())?.version).toBe(good!.name)
  expect(await byHand('Promote', world, { rollout: '', force: 'false' })).toMatchObject({
    'error-code': 'bundle_rolled_back',
  })

  expect(await byHand('Promote', world, { rollout: '10', force: 'true' })).toMatchObject({ rollout: '10' })
  expect(await byHand('Roll back', world, { channel: 'production', to: '' })).toMatchObject({
    'error-code': 'rollout_active',
  })
  expect(await byHand('Roll out', world, { rollout: '25' })).toMatchObject({ rollout: '25' })
  const { status } = await byHand('Status', world)
  expect(JSON.parse(status!)).toMatchObject([
    { channel: 'production', bundle: { name: good!.name }, rollout: { name: tested!.name, percentage: 25 } },
    { channel: 'development', bundle: { name: tested!.name } },
  ])
  await byHand('Roll out', world, { rollout: 'cancel' })
  expect(servedBy(world, 'production')?.name).toBe(good!.name)
  expect(channelOf(world, 'production').rollout_enabled).toBeFalsy()
})

it('delete what is old, and keep what a rollback needs', async () => {
  const world = await createStages()
  for (let number = 1; number <= 23; number++) await publish(world, `Number ${number}`)
  const { outcome } = await run('Clean up', world, scheduleEvent({ sha: world.repo.shaOf('main') }))
  expect(outcome).toBe('cleaned')
  // The newest 20, besides what the two channels serve and what production would go back to.
  expect(bundlesOf(world).filter(({ deleted }) => !deleted)).toHaveLength(23)
  expect(await byHand('Roll back', world, { channel: 'production', to: '' })).toMatchObject({
    outcome: 'published',
  })
})
