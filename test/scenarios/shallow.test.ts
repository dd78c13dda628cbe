import { expect, it } from 'vitest'
import { pushEvent } from '../../local/runner/event.ts'
import { createWorld, type World } from './scenario.ts'

/** The first commit is checked out as actions/checkout does, after the second one was published. */
async function late(world: World) {
  const { repo } = world
  const first = repo.head
  await world.push('main')
  repo.branch('first')
  repo.checkout('main')
  repo.commit({ 'greeting.txt': '<h1>Newer</h1>\n' })
  await world.push('main')
  const clone = repo.clone('first', { depth: 1 })
  expect(clone.git(['rev-list', '--count', 'HEAD']).trim()).toBe('1')
  return { event: pushEvent({ branch: 'main', sha: first }), clone }
}

it('asks GitHub which commit is older where the checkout has no history', async () => {
  const world = await createWorld()
  const { event, clone } = await late(world)
  const run = await world.run(event, { repo: clone.path })
  expect(run.outputs).toMatchObject({ outcome: 'stale', 'bundle-version': '1.2.1-production.2.1' })
  expect(world.github.requests.map(({ operation }) => operation)).toContain(
    'repos/compare-commits-with-basehead',
  )
  clone.remove()
})

it('goes by the order of the runs where GitHub does not tell either', async () => {
  const world = await createWorld({ permissions: {} })
  const { event, clone } = await late(world)
  // A re-run keeps the number of its run.
  const again = await world.run(event, {
    repo: clone.path,
    runId: 9_000_000_001,
    runNumber: 1,
    runAttempt: 2,
  })
  expect(again.outputs).toMatchObject({ outcome: 'stale' })
  expect(again.outputs.reason).toContain('the history could not be compared')
  clone.remove()
})
