import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { RUNTIME_TOKEN } from '../../local/runner/runner.ts'
import { failOnLeak } from '../../local/runner/secrets.ts'
import { APP_ID, BUILT_ACTION, createWorld, tinyApp } from './scenario.ts'
import { publish } from './stages.ts'

it('a push to main makes channel production and publishes on it', async () => {
  const world = await createWorld({ builds: true })
  const run = await world.push('main')
  expect(world.story(run)).toMatchSnapshot()
  expect(run.outputs).toMatchObject({
    outcome: 'published',
    channel: 'production',
    'bundle-version': '1.2.0',
  })
})

it('the next push moves to the next-patch pre-release, because the name is taken', async () => {
  const world = await createWorld()
  await world.push('main')
  world.repo.commit({ 'greeting.txt': '<h1>Good day</h1>\n' })
  const run = await world.push('main')
  world.story(run)
  expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.1-production.2.1' })
})

it('a push to an existing channel takes five requests to publish', async () => {
  const world = await createWorld({ builds: true })
  await world.push('main')
  world.repo.commit({ 'greeting.txt': '<h1>Good day</h1>\n' })
  const before = world.capgo.requests.length
  const run = await world.push('main')
  expect(run.exitCode).toBe(0)
  const requests = world.capgo.requests
    .slice(before)
    .map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
    // For the list of what changed, beside all this.
    .filter(request => !request.startsWith('GET /files/read/'))
  const [row, upload, ...rest] = requests.slice(requests.indexOf('POST /rest/v1/app_versions'))
  expect(row).toBe('POST /rest/v1/app_versions')
  // In the request that creates the upload, and checked against its SHA-256.
  expect(upload).toBe('POST /files/upload/attachments/')
  // Finalise, which tells too whether the channel is still ours to move; promote; read back.
  expect(rest).toEqual(['PATCH /rest/v1/app_versions', 'PUT /bundle', 'GET /rest/v1/channels'])
})

it('without a native project in the repository, a name that new apps do not take is warned about', async () => {
  const files = Object.entries(tinyApp('Hello', '0.0.0')).filter(([name]) => !name.startsWith('android/'))
  const world = await createWorld({ files: Object.fromEntries(files) })
  const run = await world.push('main')
  const device = () =>
    new Device({
      capgoUrl: world.capgo.url,
      appId: APP_ID,
      versionBuild: '1.0',
      defaultChannel: 'production',
    })
  expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '0.0.0' })
  const warnings = ({ log }: typeof run) =>
    log.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)
  expect(warnings(run)).toEqual([
    expect.stringMatching(
      /^Devices on native 1\.0 .*set the input "native-version".* do not accept 0\.0\.0: /,
    ),
  ])
  expect(await device().update()).toBeNull()
  world.repo.commit({ 'greeting.txt': '<h1>Good day</h1>\n' })
  const told = await world.push('main', { inputs: { 'native-version': '1.0' } })
  expect(warnings(told)).toEqual([])
  expect((await device().update())?.version).toBe(told.outputs['bundle-version'])
})

it('a push to develop goes to development', async () => {
  const world = await createWorld()
  await world.push('main')
  world.repo.branch('develop')
  world.repo.commit({ 'greeting.txt': '<h1>Next</h1>\n' })
  world.story(await world.push('main', { sha: world.repo.shaOf('main') }))
  const run = await world.push('develop', BUILT_ACTION)
  expect(world.story(run)).toMatchSnapshot()
  expect(run.outputs).toMatchObject({ outcome: 'published', channel: 'development' })
})

it('the same content again changes nothing', async () => {
  const world = await createWorld()
  await world.push('main')
  world.story(await world.push('main'))
  const run = await world.push('main', BUILT_ACTION)
  expect(world.story(run)).toMatchSnapshot()
  expect(run.outputs.outcome).toBe('unchanged')
})

it('an older commit does not touch the channel', async () => {
  const world = await createWorld()
  const old = world.repo.head
  world.repo.commit({ 'greeting.txt': '<h1>Newer</h1>\n' })
  await world.push('main')
  world.repo.detach(old)
  const run = await world.push('main', { sha: old })
  expect(run.outputs).toMatchObject({ outcome: 'stale', 'bundle-version': '1.2.0' })
  expect(run.exitCode).toBe(0)
})

it('content that was reverted is promoted, not uploaded', async () => {
  const world = await createWorld()
  await world.push('main')
  world.repo.commit({ 'greeting.txt': '<h1>Mistake</h1>\n' })
  await world.push('main')
  world.repo.commit({ 'greeting.txt': '<h1>Hello</h1>\n' })
  const before = world.capgo.requests.length
  const run = await world.push('main')
  expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.0' })
  expect(world.capgo.requests.slice(before).filter(({ path }) => path.startsWith('/files/upload'))).toEqual(
    [],
  )
})

it('an unchanged newer commit keeps an older one from coming back', async () => {
  const world = await createWorld()
  await world.push('main') // content A
  const middle = world.repo.commit({ 'greeting.txt': '<h1>B</h1>\n' })
  world.repo.commit({ 'greeting.txt': '<h1>Hello</h1>\n' }) // content A again
  expect((await world.push('main')).outputs.outcome).toBe('unchanged')
  world.repo.detach(middle)
  expect((await world.push('main', { sha: middle })).outputs.outcome).toBe('stale')
})

it('a ref without a channel is skipped, with a line that says how to map it', async () => {
  const world = await createWorld()
  world.repo.branch('feature/login')
  const run = await world.push('feature/login', BUILT_ACTION)
  expect(world.story(run)).toMatchSnapshot()
  expect(run.exitCode).toBe(0)
})

it('tags work as the old guide uses them', async () => {
  const world = await createWorld()
  const channels = '*-alpha.*: development\nrefs/tags/**: production'
  world.repo.tag('1.4.0-alpha.2')
  world.repo.tag('v1.4.0')
  const alpha = await world.tag('1.4.0-alpha.2', { inputs: { channels } })
  expect(alpha.outputs).toMatchObject({ channel: 'development', 'bundle-version': '1.4.0-alpha.2' })
  world.repo.commit({ 'greeting.txt': '<h1>Release</h1>\n' })
  world.repo.git(['tag', '-f', 'v1.4.0'])
  const release = await world.tag('v1.4.0', { inputs: { channels } })
  expect(release.outputs).toMatchObject({ channel: 'production', 'bundle-version': '1.4.0' })
})

it('a mapped channel never serves a bundle that is named for a pull request', async () => {
  const world = await createWorld()
  const first = await world.push('main')
  const bundle = world.capgo.seedBundle({
    appId: 'com.example.app',
    name: '1.2.1-pr.7.3.1',
    checksum: first.outputs.checksum!,
  })
  expect(bundle.name).toBe('1.2.1-pr.7.3.1')
  const run = await world.push('main', { inputs: { channel: 'beta' } })
  expect(run.outputs['bundle-version']).not.toContain('-pr.')
})

it('a dry run prints the plan and writes nothing', async () => {
  const world = await createWorld({ builds: true })
  const run = await world.push('main', { inputs: { 'dry-run': 'true' } })
  expect(world.story(run)).toMatchSnapshot()
  expect(
    world.capgo.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/rpc/')),
  ).toEqual([])
})

it('the native version decides the name', async () => {
  const world = await createWorld({ files: tinyApp('Hello', '1.0.0') })
  const run = await world.push('main')
  expect(run.outputs['bundle-version']).toBe('1.0.1-production.1.1')
  expect(run.visibleLog).toContain('never delivered')
})

it('install and build see no secret, and cannot speak to the runner', async () => {
  const world = await createWorld({
    files: {
      ...tinyApp(),
      'build.js': `const fs = require('fs')
fs.mkdirSync('www', { recursive: true })
fs.writeFileSync('www/index.html', '<script src="app.js"></script>')
fs.writeFileSync('www/app.js', 'notifyAppReady()')
fs.writeFileSync('seen.json', JSON.stringify(process.env))
console.log('::set-output name=outcome::forged')
console.log('::add-mask::published')
console.log('  ##[set-output name=outcome]forged')
`,
      'capacitor.config.json': null,
      'capacitor.config.ts': `import { CapacitorConfig } from '@capacitor/cli'
import { writeFileSync } from 'node:fs'
writeFileSync('seen-by-config.json', JSON.stringify(process.env))
const config: CapacitorConfig = { appId: 'com.example.app', appName: 'Tiny', webDir: 'www' }
export default config
`,
    },
  })
  const token = 'ghs_0123456789abcdefghij'
  const run = await world.push('main', {
    githubToken: token,
    env: { CAPGO_TOKEN: world.key, VITE_STAGE: 'live', COPY_OF_KEY: world.key },
  })
  expect(run.exitCode, run.visibleLog).toBe(0)
  expect(run.outputs.outcome).toBe('published')
  failOnLeak(run, [world.key, token, RUNTIME_TOKEN])
  for (const file of ['seen.json', 'seen-by-config.json']) {
    const seen = readFileSync(join(world.repo.path, file), 'utf8')
    for (const secret of [world.key, token, RUNTIME_TOKEN]) expect(seen).not.toContain(secret)
    expect(
      Object.keys(JSON.parse(seen)).filter(name =>
        /^(INPUT_|ACTIONS_|GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|TOKEN)$)/.test(name),
      ),
    ).toEqual([])
    expect(JSON.parse(seen).VITE_STAGE).toBe('live')
  }
})

it.each([
  ['on the edge runtime', { runtime: 'edge' }],
  ['with presigned uploads', { filesConfig: { TUSUpload: false, TUSUploadForced: false } }],
  ['of the newer profile', { profile: 'new' }],
] as const)('a self-hosted server %s is published to all the same', async (_what, server) => {
  const world = await createWorld({ server, role: 'app_admin' })
  const run = await world.push('main')
  expect(run.outputs.outcome, run.visibleLog).toBe('published')
  const device = new Device({ capgoUrl: world.capgo.url, appId: APP_ID, versionBuild: '1.0.0' })
  const installed = await device.update()
  expect(installed?.checksum).toBe(run.outputs.checksum)
  expect((await world.push('main')).outputs.outcome).toBe('unchanged')
})

it('newer servers let fewer keys make the public channel: the error says so, and the next run goes on', async () => {
  const world = await createWorld({ server: { profile: 'new' }, role: 'app_developer' })
  const refused = await world.push('main')
  expect(refused.outputs['error-code']).toBe('permission_missing')
  expect(refused.outputs.reason).toContain('create the public channel production')
  expect(refused.outputs.reason).toContain('app.update_settings')
  const before = world.capgo.requests.length
  const admin = world.capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
  const run = await world.push('main', { inputs: { 'capgo-token': admin } })
  expect(run.outputs).toMatchObject({ outcome: 'published', 'bundle-version': '1.2.0' })
  const uploads = world.capgo.requests.slice(before).filter(({ path }) => path.includes('/upload'))
  expect(uploads, 'the content is there already').toEqual([])
})

it('content that Capgo has is built and published with a key that may only promote', async () => {
  const world = await createWorld()
  const first = await publish(world, 'Morning')
  await publish(world, 'Evening')
  const key = world.capgo.seedKey({ appId: APP_ID, role: 'app_developer', without: ['app.upload_bundle'] })
  const inputs = { build: 'true', 'capgo-token': key }
  const run = await publish(world, 'Morning', { builtAction: false, inputs })
  expect(run.outputs, run.visibleLog).toMatchObject({
    outcome: 'published',
    'bundle-id': first.outputs['bundle-id'],
  })
})
