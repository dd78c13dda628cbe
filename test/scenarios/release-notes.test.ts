/** Release notes in the words of the authors: since the channel's bundle, and since that of the base branch. */
import { expect, it } from 'vitest'
import { openPull } from './pull.ts'
import { createBuiltWorld, type World, webFolder } from './scenario.ts'
import { servedBy } from './stages.ts'

const compared = ({ github }: World) =>
  github.requests.filter(({ operation }) => operation === 'repos/compare-commits-with-basehead').length

/** Main after two squashed pull requests and one that was merged, one of which was reverted. */
function work({ repo }: World): void {
  repo.commit(webFolder('Good day'), 'Add a wallet (#12)\n\n* Begin\n* Finish')
  repo.branch('totals')
  repo.commit({ 'a.txt': '1' }, 'Begin totals')
  repo.commit({ 'a.txt': '2' }, 'Finish totals')
  repo.checkout('main')
  repo.commit({ 'b.txt': '1' }, 'Bump vite from 7.1.2 to 7.1.4 (#13)')
  repo.merge('totals', 'Merge pull request #14 from ada/totals\n\nSay @octo/team "total" <b>once</b>')
  repo.commit({ 'b.txt': null }, 'Revert "Bump vite from 7.1.2 to 7.1.4 (#13)" (#15)')
}

const LINES = [
  'Revert "Bump vite from 7.1.2 to 7.1.4 (#13)" (#15)',
  'Say @octo/team "total" <b>once</b> (#14)',
  'Bump vite from 7.1.2 to 7.1.4 (#13)',
  'Add a wallet (#12)',
]

it('of a push stand wherever a publish is reported', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  const first = await world.push('main')
  expect(first.outputs['release-notes'], 'the first publish').toBe('')
  work(world)
  const run = await world.push('main')
  expect(run.outputs['release-notes']).toBe(LINES.map(line => `- ${line}`).join('\n'))
  expect(run.summary).toContain(
    '**What changed**\n\n- Revert "Bump vite from 7.1.2 to 7.1.4 (<span>#</span>13)" (<span>#</span>15)\n- Say <span>@</span>octo/team "total" &#60;b&#62;once&#60;/b&#62; (<span>#</span>14)\n',
  )
  expect(servedBy(world, 'production')!.comment).toMatch(
    / changes Revert_"Bump_vite_from_7\.1\.2_to_7\.1\.4_\(#13\)"_\(#15\),_Say_@octo\/team_"total"_<b>once<\/b>_\(#14\),/,
  )
  const { description } = world.hosted.deployments.at(-1)!
  expect(description).toBe(`Capgo channel production: ${LINES.slice(0, 2).join(', ')} and 2 more`)
  expect(description!.length).toBeLessThan(141)
  expect(compared(world), 'one request, once').toBe(1)

  const again = await world.push('main')
  expect(again.outputs).toMatchObject({ outcome: 'unchanged', 'release-notes': '' })
  expect(compared(world), 'none where nothing changes').toBe(1)
})

it('of a deployment have no emoji: GitHub refuses other descriptions with one', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  await world.push('main')
  world.repo.commit({ 'a.txt': '1' }, '🚀')
  world.repo.commit({ 'a.txt': '2' }, '🎉 Pair 👩🏽‍💻 with Zoë ✨ in 𠮷野家 ❤️ (#12)')
  world.repo.commit(webFolder('Good day'), 'Say good day 🌞')
  const run = await world.push('main')
  expect(run.outputs['release-notes']).toContain('- 🎉 Pair 👩🏽‍💻 with')
  expect(world.hosted.deployments.at(-1)!.description).toBe(
    'Capgo channel production: Say good day, Pair with Zoë ✨ in 野家 ❤️ (#12) and 1 more',
  )
})

it("of a preview are what the base branch's channel does not serve yet", async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  await world.push('main')
  const pull = await openPull(world, { files: webFolder('Good evening'), title: 'Evening' })
  world.repo.commit({ 'c.txt': '1' }, 'fixup! Change the app')
  pull.push(webFolder('Good night'))
  world.repo.commit({}, 'Say good night')
  world.hosted.pull(12).pull.head.sha = world.repo.head
  const run = await pull.run('opened')
  expect(run.outputs['release-notes']).toBe('- Say good night\n- Change the app')
  expect(pull.comments()[0]).toContain('- Say good night\n- Change the app\n\n| ')
})

it('that GitHub refuses cost no publish and no warning', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  await world.push('main')
  work(world)
  world.github.faults.add({
    match: { path: /\/compare\// },
    do: { status: 404 },
  })
  const run = await world.push('main')
  expect(run.outputs).toMatchObject({ outcome: 'published', 'release-notes': '' })
  expect(run.log.annotations.map(({ level }) => level)).toEqual(['notice'])
  expect(run.visibleLog).toContain('No release notes: ')
})
