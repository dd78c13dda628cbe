/** What becomes of source maps: `drop`, `keep`, and `artifact`, which GitHub's own client stores at the run. */
import { unzipSync } from 'fflate'
import { expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { runtimeToken } from '../../local/github/index.ts'
import { APP_ID, createBuiltWorld, type World, webFolder } from './scenario.ts'

const MAPS = {
  'app.js.map': '{"version":3,"sources":["src/app.ts"],"mappings":"AAAA"}',
  'assets/größe & co.css.map': '{"version":3,"sources":["src/größe.scss"],"mappings":""}',
}
const withMaps = (greeting: string) => ({
  ...webFolder(greeting),
  ...Object.fromEntries(Object.entries(MAPS).map(([path, text]) => [`www/${path}`, text])),
  // An app's own file, and no map of a script.
  'www/world.map': 'here be dragons',
})

/** Paths of what a device installs. */
async function installed({ capgo }: World): Promise<string[]> {
  const bundle = await new Device({ capgoUrl: capgo.url, appId: APP_ID, versionBuild: '1.0' }).update()
  return [...(bundle?.files.keys() ?? [])].sort()
}
const stored = ({ hosted }: World) =>
  hosted.artifacts.map(({ name, runId, zip, expiresAt }) => ({
    name,
    run: runId - 9_000_000_000,
    files: Object.fromEntries(
      Object.entries(unzipSync(zip)).map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    ),
    days: expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000),
  }))

it('artifact: the maps are at the run, byte for byte, and on no phone', async () => {
  const world = await createBuiltWorld({ files: withMaps('Hello') })
  const inputs = { 'source-maps': 'artifact' }
  const planned = await world.push('main', { inputs: { ...inputs, 'dry-run': 'true' } })
  expect(planned.visibleLog).toContain(
    'Would store 2 source maps as artifact source-maps-com.example.app-1.2.0.',
  )
  expect(world.hosted.artifacts).toEqual([])

  const first = await world.push('main', { inputs })
  expect(first.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.0' })
  expect(stored(world)).toEqual([
    { name: 'source-maps-com.example.app-1.2.0', run: 2, files: MAPS, days: null },
  ])
  expect(first.outputs['source-maps-artifact-url']).toBe(
    `https://github.com/octo-org/daybreak/actions/runs/9000000002/artifacts/${world.hosted.artifacts[0]!.id}`,
  )
  expect(first.summary).toContain(first.outputs['source-maps-artifact-url'])
  expect(await installed(world)).toEqual(['app.js', 'index.html', 'world.map'])

  // Nothing is published, so nothing is stored.
  const again = await world.push('main', { inputs })
  expect(again.outputs).toMatchObject({ outcome: 'unchanged', 'source-maps-artifact-url': '' })
  expect(world.hosted.artifacts).toHaveLength(1)

  // Two jobs of one run, and attempts of it, may ask for one name.
  for (const [attempt, greeting] of ['Second', 'Third'].entries()) {
    world.repo.commit(withMaps(greeting))
    await world.push('main', {
      inputs: { ...inputs, 'source-maps-artifact': 'maps', 'source-maps-retention-days': '7' },
      runId: 9_000_000_077,
      runAttempt: attempt + 1,
    })
  }
  expect(stored(world).slice(1)).toEqual([
    { name: 'maps', run: 77, files: MAPS, days: 7 },
    { name: 'maps-2', run: 77, files: MAPS, days: 7 },
  ])
})

it('artifact: what cannot be stored ends the run before devices see the bundle', async () => {
  const world = await createBuiltWorld()
  const none = await world.push('main', { inputs: { 'source-maps': 'artifact' } })
  expect(none.outputs.outcome).toBe('published')
  expect(none.log.annotations).toMatchObject([
    { level: 'warning', message: expect.stringContaining('No artifact of source maps is stored') },
    { level: 'notice', message: expect.stringMatching(/^Published /) },
  ])
  expect(world.hosted.artifacts).toEqual([])

  world.repo.commit(withMaps('Hello'))
  const env = { ACTIONS_RUNTIME_TOKEN: `${runtimeToken(1)}x` }
  const refused = await world.push('main', { inputs: { 'source-maps': 'artifact' }, env })
  expect(refused.exitCode).toBe(1)
  expect(refused.outputs).toMatchObject({ 'error-code': 'source_maps_not_stored', 'bundle-id': '' })
  expect(refused.visibleLog).toContain('(401) Unauthorized')
  expect(await installed(world)).toEqual(['app.js', 'index.html'])
  // What was begun is finished.
  const healed = await world.push('main', { inputs: { 'source-maps': 'artifact' } })
  expect(healed.outputs.outcome).toBe('published')
  expect(stored(world).map(({ files }) => files)).toEqual([MAPS])
})

it('drop leaves them out, keep ships them; neither stores an artifact', async () => {
  const world = await createBuiltWorld({ files: withMaps('Hello') })
  await world.push('main', { inputs: { 'source-maps': 'drop' } })
  expect(await installed(world)).toEqual(['app.js', 'index.html', 'world.map'])
  await world.push('main', { inputs: { 'source-maps': 'keep' } })
  expect(await installed(world)).toEqual([...Object.keys(MAPS), 'app.js', 'index.html', 'world.map'].sort())
  expect(world.hosted.artifacts).toEqual([])
})
