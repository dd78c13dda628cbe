/**
 * Who can make the action do what: every attack here is really tried; what a build may do, on the built action.
 * docs/development/security.md has the table of them all, with those that other files show; test/security/pages.test.ts keeps the two together.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Files } from '../../local/repository.ts'
import { tagPushEvent, workflowRunEvent } from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import { renderAsGitHub } from '../../scripts/pictures/github.ts'
import { writeRawZip } from '../helpers/raw-zip.ts'
import { openPull } from '../scenarios/pull.ts'
import { APP_ID, BUILT_ACTION, createWorld, tinyApp, type World } from '../scenarios/scenario.ts'

const FORK = 'mallory/daybreak'
const ADA = 'ada00000-1111-4222-8333-000000000001'
const BOB = 'b0b00000-1111-4222-8333-000000000002'
const MALLORY = 'bad00000-1111-4222-8333-000000000003'

/** Names of the bundles that channels serve. */
function served({ capgo }: World): Record<string, string | null> {
  return Object.fromEntries(
    capgo.store
      .list('channels', { app_id: APP_ID })
      .map(({ name, version }) => [
        name,
        version === null ? null : (capgo.store.find('app_versions', { id: version })?.name ?? null),
      ]),
  )
}

function overrides({ capgo }: World): Record<string, string> {
  const channels = new Map(capgo.store.list('channels').map(({ id, name }) => [id, name]))
  return Object.fromEntries(
    capgo.store.list('channel_devices').map(row => [row.device_id, channels.get(row.channel_id) ?? '?']),
  )
}

/** A world in which production serves what main was. */
async function live(files: Files = tinyApp(), role: 'app_admin' | 'app_developer' = 'app_admin') {
  const world = await createWorld({ role, files })
  const run = await world.push('main')
  expect(run.outputs.outcome, run.visibleLog).toBe('published')
  return { world, before: served(world) }
}

function refused(run: ActionRun, code: string): void {
  expect(run.outputs['error-code'], run.visibleLog).toBe(code)
  expect(run.exitCode).toBe(1)
  expect(run.log.annotations.filter(({ level }) => level === 'error')).toHaveLength(1)
}

describe('the author of a fork', () => {
  it('names another pull request in the artifact', async () => {
    const { world, before } = await live()
    const own = await openPull(world, { number: 1, branch: 'feature/own' })
    await own.run('opened')
    const preview = served(world)['pr-1']
    world.repo.checkout('main')
    await openPull(world, { number: 12, branch: 'feature/evening', fork: FORK })
    const { head } = world.hosted.pull(12).pull
    const { id } = world.hosted.addRun({ headBranch: head.ref, headSha: head.sha, fork: FORK })
    world.hosted.addArtifact({
      runId: id,
      name: 'web',
      zip: writeRawZip([
        { name: 'index.html', content: '<script src="app.js"></script>' },
        { name: 'app.js', content: 'notifyAppReady()' },
        { name: 'NR', content: '1' },
        { name: 'pr.txt', content: '1' },
        { name: 'pr_number', content: '1' },
        { name: 'event.json', content: '{"number": 1, "pull_request": {"number": 1}}' },
      ]),
    })
    world.repo.checkout('main')
    const run = await world.run(
      workflowRunEvent({
        sha: world.repo.head,
        headSha: head.sha,
        headBranch: head.ref,
        event: 'pull_request',
        fork: FORK,
        runId: id,
      }),
      { inputs: { build: 'false', 'app-id': APP_ID } },
    )
    expect(run.outputs).toMatchObject({ outcome: 'published', channel: 'pr-12' })
    expect(served(world)).toMatchObject({ ...before, 'pr-1': preview })
  })

  it("pushes another pull request's commit to a branch of the same name", async () => {
    const { world } = await live()
    const own = await openPull(world, { number: 1, branch: 'feature/own' })
    await own.run('opened')
    const before = served(world)
    const { head } = world.hosted.pull(1).pull
    const { id } = world.hosted.addRun({ headBranch: head.ref, headSha: head.sha, fork: FORK })
    world.hosted.addArtifact({ runId: id, name: 'web', zip: writeRawZip([{ name: 'index.html' }]) })
    world.repo.checkout('main')
    const event = workflowRunEvent({
      sha: world.repo.head,
      headSha: head.sha,
      headBranch: head.ref,
      event: 'pull_request',
      fork: FORK,
      runId: id,
    })
    const run = await world.run(event, { inputs: { build: 'false', 'app-id': APP_ID } })
    expect(run.outputs.outcome).toBe('skipped')
    expect(served(world)).toEqual(before)
  })

  it('closes a pull request whose branch has the name of a channel', async () => {
    const { world, before } = await live()
    const pull = await openPull(world, { branch: 'production', fork: FORK })
    world.hosted.closePull(12)
    const run = await pull.run(
      'closed',
      { target: true },
      { inputs: { build: 'false', 'app-id': APP_ID, 'preview-channel': '{branch}' } },
    )
    expect(run.outputs.outcome, run.visibleLog).toBe('cleaned')
    expect(served(world)).toEqual(before)
  })
})

describe('a collaborator who cannot push to main', () => {
  /** What a workflow that was changed in a pull request can ask for. */
  const WORKFLOWS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'preview-channel': { channels: 'other: other', 'preview-channel': 'production' },
    channel: { channel: 'production' },
    promote: { operation: 'promote', from: 'pr-12', to: 'production', force: 'true' },
    rollback: { operation: 'rollback', channel: 'production', force: 'true' },
    rollout: { operation: 'rollout', channel: 'production', rollout: '50' },
    cleanup: { operation: 'cleanup', keep: '0' },
  }

  it('changes the workflow in a pull request, where the key is one for previews', async () => {
    const { world, before } = await live()
    const key = world.capgo.seedKey({ appId: APP_ID, role: 'app_preview', user: 'somebody else' })
    const pull = await openPull(world)
    const token = { 'capgo-token': key }
    const first = await pull.run('opened', {}, { inputs: token })
    expect(first.outputs.outcome, first.visibleLog).toBe('published')
    const state = { ...before, 'pr-12': served(world)['pr-12'] }
    const bundles = world.capgo.store.list('app_versions', { app_id: APP_ID, deleted: false }).length
    for (const [name, inputs] of Object.entries(WORKFLOWS)) {
      const run = await pull.run('synchronize', {}, { inputs: { ...inputs, ...token } })
      // The input "channel" is not for pull requests: the preview stays where it is.
      if (name === 'channel') expect(run.outputs.channel).toBe('pr-12')
      else if (run.outputs.outcome !== 'cleaned') expect(run.exitCode, name).toBe(1)
      expect(served(world), name).toEqual(state)
    }
    const push = await world.push('feature/evening', { inputs: { ...token, channel: 'production' } })
    expect(push.exitCode).toBe(1)
    expect(served(world)).toEqual(state)
    expect(world.capgo.store.list('app_versions', { app_id: APP_ID, deleted: false })).toHaveLength(bundles)
  })

  it('makes the preview channel of a pull request one that a branch publishes to', async () => {
    const { world, before } = await live()
    const pull = await openPull(world)
    refused(await pull.run('opened', {}, { inputs: WORKFLOWS['preview-channel']! }), 'preview_channel_taken')
    const inputs = { 'preview-channel': 'production' }
    refused(await pull.run('opened', {}, { inputs }), 'invalid_input')
    expect(served(world)).toEqual(before)
  })

  it("changes testers.json in a pull request: other people's devices, another channel, everybody", async () => {
    const { world } = await live()
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
    world.repo.commit({ 'testers.json': JSON.stringify([{ device: ADA, channel: 'beta' }, BOB]) })
    world.capgo.seedOverride({ appId: APP_ID, deviceId: ADA, channel: 'beta' })
    const mine = [
      { device: MALLORY, channel: 'beta' },
      { device: BOB, channel: 'beta' },
    ]
    const pull = await openPull(world, { files: { 'testers.json': JSON.stringify(mine) } })
    const inputs = { 'assign-testers': 'none' }
    const run = await pull.run('opened', {}, { inputs: { ...inputs, prune: 'exclusive' } })
    expect(run.exitCode, run.visibleLog).toBe(0)
    // What main says holds: nobody came to "beta", and nobody left it.
    expect(overrides(world)).toEqual({ [ADA]: 'beta' })
    // It decides about its own preview alone.
    const all = await pull.run('synchronize', {}, { inputs: { 'assign-testers': 'all' } })
    expect(all.exitCode, all.visibleLog).toBe(0)
    expect(overrides(world)).toEqual({ [ADA]: 'beta', [BOB]: 'pr-12', [MALLORY]: 'pr-12' })
  })

  it("changes the Capacitor config in a pull request to another app's id", async () => {
    const { world, before } = await live()
    world.capgo.seedApp({ appId: 'com.example.bank' })
    const config = { appId: 'com.example.bank', webDir: 'www' }
    const pull = await openPull(world, { files: { 'capacitor.config.json': JSON.stringify(config) } })
    refused(await pull.run('opened'), 'app_not_found')
    // Where the workflow says which app it is, the config does not count.
    const run = await pull.run('synchronize', {}, { inputs: { 'app-id': APP_ID } })
    expect(run.outputs).toMatchObject({ outcome: 'published', channel: 'pr-12' })
    expect(served(world)).toMatchObject(before)
    expect(world.capgo.store.list('channels', { app_id: 'com.example.bank' })).toEqual([])
  })

  it('gives a branch a name that is almost a mapped one', async () => {
    const { world, before } = await live()
    const sha = world.repo.head
    const channels = 'main: production\nrelease/*: beta'
    for (const branch of [
      'Main',
      'main/x',
      'mаin',
      'release',
      'release/1/2',
      'x/release/1',
      'refs/heads/main',
      'main\u200b',
      '[m]ain',
      '{main,x}',
      '*',
    ]) {
      const run = await world.push(branch, { sha, inputs: { channels } })
      expect(run.outputs.outcome, branch).toBe('skipped')
    }
    expect(served(world)).toEqual(before)
  })

  it('gives a tag the name of a branch that publishes', async () => {
    const { world, before } = await live()
    world.repo.branch('evil')
    world.repo.commit({ 'greeting.txt': '<h1>Evil</h1>' })
    for (const tag of ['main', 'develop']) {
      world.repo.tag(tag)
      const sha = world.repo.git(['rev-parse', `refs/tags/${tag}`])
      refused(await world.run(tagPushEvent({ tag, sha })), 'ref_ambiguous')
    }
    world.repo.tag('release/2.0.0')
    const release = await world.tag('release/2.0.0', { inputs: { channels: 'release/*: beta\n**: beta' } })
    expect(release.outputs.outcome).toBe('skipped')
    expect(release.outputs.reason).toContain('"refs/tags/release/2.0.0: release-2.0.0"')
    expect(served(world)).toEqual(before)
  })

  it('tags a commit that is not merged, where only branches are mapped', async () => {
    const { world, before } = await live()
    world.repo.branch('evil')
    world.repo.commit({ 'greeting.txt': '<h1>Evil</h1>' })
    world.repo.tag('v9.9.9')
    const inputs = { channels: 'refs/heads/v*: production\nmain: production' }
    expect((await world.tag('v9.9.9', { inputs })).outputs.outcome).toBe('skipped')
    world.repo.tag('main-2')
    expect((await world.tag('main-2', { inputs })).outputs.outcome).toBe('skipped')
    expect(served(world)).toEqual(before)
  })

  it('pushes a branch that is named as tags are, where tags are mapped by their full name', async () => {
    const { world, before } = await live()
    world.repo.branch('v9.9.9')
    world.repo.commit({ 'greeting.txt': '<h1>Evil</h1>' })
    const run = await world.push('v9.9.9', { inputs: { channels: 'refs/tags/v*: production' } })
    expect(run.outputs.outcome).toBe('skipped')
    expect(served(world)).toEqual(before)
  })
})

describe('code that runs in the build', () => {
  /** A build that works, and does this too. */
  const evil = (source: string): Files => ({
    ...tinyApp(),
    // There is nothing to install.
    'package-lock.json': null,
    'build.js': `{ const fs = require('node:fs'), path = require('node:path')
const commands = path.join(process.env.RUNNER_TEMP, '_runner_file_commands')
const fileOf = name => path.join(commands, fs.readdirSync(commands).find(file => file.startsWith(name)))
const actionOf = () => { for (let pid = process.ppid; ; pid = Number(fs.readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ').at(-1).split(' ')[1])) {
  const words = fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').split('\\0')
  if (words.includes('--handed-over')) return path.join(path.dirname(words.find(word => word.endsWith('launch/index.js'))), '..') } }
${source} }
${tinyApp()['build.js']}`,
  })

  it.each([
    ['GITHUB_ENV', "fs.appendFileSync(fileOf('set_env'), 'NODE_OPTIONS=--require=/tmp/evil.js\\n')"],
    ['GITHUB_PATH', "fs.appendFileSync(fileOf('add_path'), '/tmp/evil\\n')"],
    ['GITHUB_OUTPUT', "fs.appendFileSync(fileOf('set_output'), 'outcome=published\\n')"],
    ['GITHUB_STATE', "fs.appendFileSync(fileOf('save_state'), 'a=b\\n')"],
    ['GITHUB_STEP_SUMMARY', "fs.appendFileSync(fileOf('step_summary'), 'All is well')"],
    ['GITHUB_ENV', "const file = fileOf('set_env'); fs.rmSync(file); fs.symlinkSync('/etc/passwd', file)"],
    ['dist/index.js', "fs.appendFileSync(path.join(actionOf(), 'index.js'), '\\nevil()')"],
    ['dist/launch/index.js', "fs.writeFileSync(path.join(actionOf(), 'launch/index.js'), 'evil()')"],
    ['dist/zlib.wasm', "fs.writeFileSync(path.join(actionOf(), 'zlib.wasm'), 'evil')"],
    ['dist/package.json', "fs.writeFileSync(path.join(actionOf(), 'package.json'), '{}')"],
    ['dist/evaluate-config/index.js', "fs.rmSync(path.join(actionOf(), 'evaluate-config/index.js'))"],
  ])("writes to the runner's files or replaces the action's: %s", async (what, source) => {
    const world = await createWorld({ files: evil(source), role: 'app_admin' })
    const run = await world.push('main')
    refused(run, 'build_tampered')
    expect(run.outputs.reason).toContain(what)
    expect(run.exportedEnv).toEqual({})
    expect(run.exportedPath).toEqual([])
    expect(run.state).toEqual({})
    expect(run.summary).not.toContain('All is well')
    expect(run.outputs.outcome).toBe('failed')
    expect(served(world)).toEqual({})
    // What was replaced is put back: the next run is the action's own.
    world.repo.commit({ 'build.js': tinyApp()['build.js'] ?? null })
    expect((await world.push('main', BUILT_ACTION)).outputs.outcome).toBe('published')
  })

  it('leaves a process behind that writes to them later', async () => {
    const later = "setTimeout(() => require('fs').appendFileSync(process.argv[1], 'A=1\\n'), 400)"
    const world = await createWorld({
      files: evil(
        `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(later)}, fileOf('set_env')], { detached: true, stdio: 'ignore' }).unref()`,
      ),
      role: 'app_admin',
    })
    // The upload takes longer than that.
    world.capgo.faults.add({
      match: { path: /files\/upload/ },
      do: () => new Promise(done => setTimeout(done, 3_000)),
    })
    const run = await world.push('main')
    refused(run, 'build_tampered')
    expect(run.exportedEnv).toEqual({})
  })

  it('changes testers.json while main is published', async () => {
    const files = evil(
      `fs.writeFileSync('testers.json', JSON.stringify([{ device: '${MALLORY}', channel: 'beta' }]))`,
    )
    const world = await createWorld({
      role: 'app_admin',
      files: { ...files, 'testers.json': JSON.stringify([{ device: ADA, channel: 'beta' }]) },
    })
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
    const run = await world.push('main')
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(readFileSync(join(world.repo.path, 'testers.json'), 'utf8')).toContain(MALLORY)
    expect(Object.keys(overrides(world))).not.toContain(MALLORY)
  })

  it('speaks to the runner in its output', async () => {
    const world = await createWorld({
      files: evil(
        `for (const command of ['set-output name=outcome', 'set-env name=A', 'add-path', 'save-state name=a', 'add-mask', 'error', 'warning', 'stop-commands', 'add-matcher']) for (const start of ['::', '  ::', '\\r::', '\\u2028::', 'x\\r::', '\\u001b[0m::']) console.log(start + command + '::hacked')
console.log('##[set-output name=outcome]hacked')`,
      ),
      role: 'app_admin',
    })
    const run = await world.push('main')
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(JSON.stringify([run.outputs, run.exportedEnv, run.exportedPath, run.state])).not.toContain(
      'hacked',
    )
    expect(run.log.annotations.filter(({ message }) => message.includes('hacked'))).toEqual([])
    expect(run.log.masks).not.toContain('hacked')
  })
})

describe('a tester in the file', () => {
  it('asks for a public channel, or for one that there is not, with a name that is Markdown', async () => {
    const name = '</td><img src=x> @everyone ::error::boo [x](https://evil.example)'
    const testers = [
      { device: ADA, channel: 'production', name },
      { device: BOB, channel: 'nowhere', name: `${name}2` },
    ]
    const files = { ...tinyApp(), 'testers.json': JSON.stringify(testers) }
    const world = await createWorld({ role: 'app_admin', files })
    const run = await world.push('main')
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'failed', 'error-code': 'channel_unknown' })
    expect(run.exitCode).toBe(1)
    expect(overrides(world)).toEqual({})
    expect(renderAsGitHub(run.summary)).not.toMatch(/<img|user-mention|href="https:\/\/evil/)
    expect(run.log.annotations.filter(({ message }) => message.startsWith('boo'))).toEqual([])
  })
})

describe('a server', () => {
  /** Somebody's server that keeps what it is sent. */
  async function stranger() {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(JSON.stringify([request.url, request.headers]))
      request.resume().on('end', () => response.end('{}'))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
  }

  it('of Capgo sends the key elsewhere: by redirects, and by the place where an upload goes on', async () => {
    const { url, seen } = await stranger()
    const redirect = { status: 307, headers: { location: `${url}/take` }, body: '' }
    for (const path of [
      /\/rest\/v1\/apps/,
      /private\/config/,
      /\/rest\/v1\/channels/,
      /files\/config/,
      /\/rpc\//,
    ]) {
      const world = await createWorld({ role: 'app_admin' })
      world.capgo.faults.add({ match: { path }, do: redirect, times: 9 })
      refused(await world.push('main'), 'redirect_refused')
    }
    const world = await createWorld({ role: 'app_admin' })
    world.capgo.faults.add({
      match: { method: 'POST', path: /files\/upload/ },
      do: {
        status: 201,
        headers: { location: `${url}/take`, 'tus-resumable': '1.0.0', 'upload-offset': '0' },
        body: '',
      },
      times: 9,
    })
    const run = await world.push('main')
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).not.toBe('internal')
    expect(served(world).production ?? null).toBeNull()
    expect(seen).toEqual([])
  })

  it('of Capgo names a database to which the key would travel readable', async () => {
    const world = await createWorld({ role: 'app_admin' })
    world.capgo.faults.add({
      match: { path: /private\/config/ },
      do: { status: 200, body: { supaHost: 'http://evil.example', supaKey: 'k' } },
      times: 9,
    })
    refused(await world.push('main'), 'database_not_https')
  })

  it('of GitHub redirects a request with the token elsewhere', async () => {
    const { url, seen } = await stranger()
    const world = await createWorld({ role: 'app_admin' })
    for (const status of [301, 302, 307])
      world.github.faults.add({
        match: {},
        do: { status, headers: { location: `${url}/take` }, body: '' },
        times: 99,
      })
    const pull = await openPull(world)
    const run = await pull.run('opened')
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(run.log.annotations.some(({ level }) => level === 'warning')).toBe(true)
    expect(seen).toEqual([])
  })
})
