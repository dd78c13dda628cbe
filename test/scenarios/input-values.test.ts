/** Inputs whose values no other scenario would miss; see test/unit/inputs-tested.test.ts. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { openPull } from './pull.ts'
import { APP_ID, createBuiltWorld, webFolder } from './scenario.ts'

/** A server that is no Capgo; returns its address, and what it was asked for. */
async function startStranger(): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    response.writeHead(404).end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

it('what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments', async () => {
  const world = await createBuiltWorld({ files: { 'site/index.html': '<h1>Site</h1>' } })
  const inputs = { 'web-dir': 'site', 'check-notify-app-ready': 'true', deployments: 'false' }
  const strict = await world.push('main', { inputs })
  expect(strict.outputs['error-code']).toBe('notify_app_ready_missing')
  const run = await world.push('main', {
    inputs: {
      ...inputs,
      'check-notify-app-ready': 'false',
      'min-update-version': '0.9.0',
      'console-url': 'https://console.example.com',
    },
  })
  const [bundle] = world.capgo.store.list('app_versions', { app_id: APP_ID, deleted: false })
  const [channel] = world.capgo.store.list('channels', { app_id: APP_ID })
  expect(run.outputs, run.visibleLog).toMatchObject({
    outcome: 'published',
    'channel-id': String(channel!.id),
    'bundle-url': `https://console.example.com/app/${APP_ID}/bundle/${bundle!.id}`,
    size: expect.stringMatching(/^[1-9]\d*$/),
    checksum: bundle!.checksum,
  })
  expect(bundle!.min_update_version).toBe('0.9.0')
  expect(run.visibleLog).toContain('1 file, ')
  expect(world.hosted.deployments).toEqual([])
})

it('where requests go: files-url, plugin-url', async () => {
  const world = await createBuiltWorld()
  const files = await startStranger()
  const lost = await world.push('main', { inputs: { 'files-url': files.url } })
  expect(lost.exitCode).toBe(1)
  expect(files.paths.length).toBeGreaterThan(0)
  const plugin = await startStranger()
  const unasked = await world.push('main', {
    inputs: { 'plugin-url': plugin.url, verify: 'true', timeout: '0.3' },
  })
  expect(unasked.exitCode).toBe(1)
  expect(plugin.paths).toContain('/updates')
})

it('what a pull request gets: comment, deployments, and the outputs of a preview', async () => {
  const world = await createBuiltWorld()
  const pull = await openPull(world, { files: webFolder('Good evening') })
  const quiet = await pull.run('opened', {}, { inputs: { comment: 'false', deployments: 'false' } })
  expect(quiet.outputs).toMatchObject({ outcome: 'published', 'comment-url': '' })
  expect(quiet.outputs['deep-link']).toMatch(/^capgo:\/\//)
  expect(pull.comments()).toEqual([])
  expect(world.hosted.deployments).toEqual([])
  pull.push(webFolder('Good night'))
  const told = await pull.run('synchronize', {}, { inputs: { comment: 'true', deployments: 'true' } })
  expect(told.outputs['comment-url']).toContain('/pull/12#issuecomment-')
  expect(pull.comments()).toHaveLength(1)
  expect(world.hosted.deployments).toHaveLength(1)
})
