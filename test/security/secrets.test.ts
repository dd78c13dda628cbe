/**
 * Where secrets are. `runAction` searches everything that a run shows, sends, starts or leaves behind, in every test of
 * this project (local/runner/secrets.ts); here it is shown that this search finds what it is for, and the action is led
 * into every corner that may tell.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runtimeToken } from '../../local/github/artifact-service.ts'
import { pushEvent } from '../../local/runner/event.ts'
import { ID_TOKEN, RUNTIME_TOKEN, type RunOptions, runAction } from '../../local/runner/runner.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { LeakSearch } from '../../local/runner/secrets.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { openPull } from '../scenarios/pull.ts'
import { APP_ID, createWorld, REPOSITORY, tinyApp, type World } from '../scenarios/scenario.ts'
import { createSpy } from './spy.ts'

const { privateKey, publicKey } = createKeyPair()
/** Each of its forms differs from the others: JSON, addresses and base64 change these characters. */
const CANARY = 'c4nary"of/capgo+%&=\\\\~ü'
/** As a header takes it. */
const KEY = 'c4nary"of/capgo+%&=\\key'
const DEVICES_KEY = 'c4nary"of/devices+%&=\\key'
const PEM_LINES = privateKey.split('\n').filter(line => line !== '' && !line.startsWith('-----'))

describe('the search finds', () => {
  const inBase64 = (prefix: string) => Buffer.from(`${prefix}${CANARY} and so on`).toString('base64')
  const forms: Readonly<Record<string, string>> = {
    'the secret itself': CANARY,
    JSON: JSON.stringify({ message: `key ${CANARY}` }),
    'an address': `https://example.com/?key=${encodeURIComponent(CANARY)}`,
    'base64 at the first place': inBase64(''),
    'base64 at the second place': inBase64('x'),
    'base64 at the third place': inBase64('xx'),
    'base64 for addresses': inBase64('').replaceAll('+', '-').replaceAll('/', '_'),
    hex: Buffer.from(CANARY).toString('hex'),
    'upper-case hex': Buffer.from(CANARY).toString('hex').toUpperCase(),
  }
  it.each(Object.entries(forms))('%s', (_name, text) => {
    expect(new LeakSearch([CANARY]).find([['here', `before ${text} after`]])).toContain('A secret is in here')
    expect(new LeakSearch(['another-canary']).find([['here', text]])).toBeNull()
  })

  it.each([
    ['as it is', privateKey],
    ['as base64', Buffer.from(privateKey).toString('base64')],
    ['with its line breaks as \\n', privateKey.replaceAll('\n', '\\n')],
  ])('each line of a key that is given %s', (_name, secret) => {
    const search = new LeakSearch([secret])
    for (const line of PEM_LINES) {
      expect(search.find([['here', line]])).not.toBeNull()
      expect(search.find([['here', Buffer.from(line).toString('base64')]])).not.toBeNull()
    }
    expect(search.find([['here', '-----BEGIN RSA PRIVATE KEY-----']])).toBeNull()
  })

  /** What an action must not do, each in its own way. `done` comes a second later: processes are looked at while they run. */
  const PLANTS: Readonly<Record<string, string>> = {
    'the log': 'console.log(key)',
    'the log (stderr)': 'console.error(key)',
    'output leaked': "fs.appendFileSync(env.GITHUB_OUTPUT, 'leaked=' + key + '\\n')",
    'state leaked': "fs.appendFileSync(env.GITHUB_STATE, 'leaked=' + key + '\\n')",
    'variable leaked': "fs.appendFileSync(env.GITHUB_ENV, 'leaked=' + key + '\\n')",
    'an exported path': "fs.appendFileSync(env.GITHUB_PATH, '/' + key + '\\n')",
    'the summary': 'fs.appendFileSync(env.GITHUB_STEP_SUMMARY, key)',
    'a command line': "spawn('sh', ['-c', 'sleep 1', key])",
    'the environment of "sleep 1 "': "spawn('sleep', ['1'], { env: { PATH: env.PATH, A: key } })",
    'file _temp/notes.txt': "fs.writeFileSync(env.RUNNER_TEMP + '/notes.txt', key)",
    'the name of a file': "fs.writeFileSync(env.TMPDIR + '/' + Buffer.from(key).toString('hex'), '')",
    'the address of the request GET /': "fetch(env.URL_OF_TEST + '/?key=' + encodeURIComponent(key))",
    'header x-key': "fetch(env.URL_OF_TEST, { headers: { 'x-key': encodeURIComponent(key) } })",
    'header capgkey': 'fetch(env.URL_OF_TEST, { headers: { capgkey: encodeURIComponent(key) } })',
    'the body of the request POST /': "fetch(env.URL_OF_TEST, { method: 'POST', body: key })",
    'is left behind': "fs.writeFileSync(env.RUNNER_TEMP + '/capgo-publish-x', '')",
  }
  it.each(Object.entries(PLANTS))('what is planted: %s', async (where, source) => {
    const url = await answerEverything()
    const run = runAction({
      repo: makeScratch('workspace'),
      action: probe(
        // A process that hides its own environment, as the action does: only what is planted can be found.
        `if (env['INPUT_CAPGO-TOKEN']) { const { 'INPUT_CAPGO-TOKEN': key, ACTIONS_RUNTIME_TOKEN: a, ACTIONS_ID_TOKEN_REQUEST_TOKEN: b, ...rest } = env
  fs.writeFileSync(env.KEY_FILE, key); process.execve(process.execPath, [process.execPath, __filename], rest) }
const key = fs.readFileSync(env.KEY_FILE, 'utf8'); const spawn = (...all) => require('node:child_process').spawn(...all).on('error', () => {})
${source}`,
      ),
      event: pushEvent({ branch: 'main', sha: 'a'.repeat(40) }),
      inputs: { 'capgo-token': CANARY },
      env: { URL_OF_TEST: url, KEY_FILE: join(makeScratch('key'), 'key') },
    })
    await expect(run).rejects.toThrow(where)
  })

  it('nothing where nothing is', async () => {
    const run = await runAction({
      repo: makeScratch('workspace'),
      action: probe("console.log('::add-mask::' + env['INPUT_CAPGO-TOKEN'])\nconsole.log('fine')"),
      event: pushEvent({ branch: 'main', sha: 'a'.repeat(40) }),
      inputs: { 'capgo-token': 'c4nary-of-capgo' },
    })
    expect(run.visibleLog).toContain('fine')
  })
})

/** An action whose code is `source`. */
function probe(source: string): string {
  const action = makeScratch('probe')
  mkdirSync(join(action, 'dist'))
  writeFileSync(
    join(action, 'action.yml'),
    'inputs:\n  capgo-token: { required: true }\nruns: { using: node24, main: dist/index.js }\n',
  )
  writeFileSync(join(action, 'dist/index.js'), `const fs = require('node:fs'), env = process.env;${source}`)
  return action
}

async function answerEverything(): Promise<string> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Canaries in every input that holds a secret. */
function canaries({ capgo }: World, form: string = privateKey) {
  const keys = { 'capgo-token': KEY, 'devices-token': DEVICES_KEY }
  for (const key of Object.values(keys)) capgo.seedKey({ appId: APP_ID, role: 'app_admin', key })
  return { ...keys, 'private-key': form, 'database-url': capgo.url, 'database-key': capgo.anonKey }
}

/** The runner's debug mode, and that of Node and of each library that has one. */
const DEBUG = {
  RUNNER_DEBUG: '1',
  ACTIONS_STEP_DEBUG: 'true',
  DEBUG: '*',
  NODE_DEBUG: 'undici,fetch,http,net,tls,child_process',
}

const encryptedApp = {
  ...tinyApp(),
  'capacitor.config.json': JSON.stringify({
    appId: APP_ID,
    webDir: 'www',
    plugins: { CapacitorUpdater: { publicKey } },
  }),
  'testers.json': '["ada00000-1111-4222-8333-000000000001"]',
}

describe('with a canary in every secret input, in debug mode, nothing is told', () => {
  it.each([
    ['the key as it is', privateKey],
    ['the key as base64', Buffer.from(privateKey).toString('base64')],
    ['the key on one line', privateKey.trim().replaceAll('\n', '\\n')],
  ])('publish, preview, a failed build, clean-up: %s', async (_name, form) => {
    const world = await createWorld({ builtAction: true, files: encryptedApp, role: 'app_admin' })
    const options = { inputs: canaries(world, form), env: DEBUG }
    const published = await world.push('main', options)
    expect(published.outputs.outcome, published.visibleLog).toBe('published')
    expect(published.visibleLog).toContain('Encrypted with key')

    const pull = await openPull(world)
    const preview = await pull.run('opened', {}, options)
    expect(preview.outputs.outcome, preview.visibleLog).toBe('published')
    expect(pull.comments()).toHaveLength(1)

    // The build knows the secrets from elsewhere, and says them in every form.
    const known = [KEY, DEVICES_KEY, ...PEM_LINES, runtimeToken(9_000_000_003), ID_TOKEN]
    pull.push({
      'build.js': `for (const secret of ${JSON.stringify(known)}) {
  const bytes = Buffer.from(secret)
  console.log(secret); console.error(bytes.toString('base64')); console.log(bytes.toString('hex'))
  console.log(JSON.stringify(secret)); console.log(encodeURIComponent(secret)); console.log(Buffer.from('x' + secret).toString('base64url'))
}
throw new Error(${JSON.stringify(KEY)})`,
    })
    const failed = await pull.run('synchronize', {}, options)
    expect(failed.outputs['error-code']).toBe('build_failed')
    expect(failed.visibleLog).toContain('***')
    expect(pull.comments()[0]).toContain('***')

    const closed = await pull.close(false, options)
    expect(closed.outputs.outcome, closed.visibleLog).toBe('cleaned')
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['status', { operation: 'status' }],
    ['promote', { operation: 'promote', from: 'production', to: 'beta' }],
    ['rollback', { operation: 'rollback', channel: 'production' }],
    ['cleanup', { operation: 'cleanup', keep: '0' }],
    ['a dry run', { 'dry-run': 'true' }],
    ['verify', { verify: 'true' }],
  ])('%s', async (_name, inputs) => {
    const world = await createWorld({ builtAction: true, files: encryptedApp, role: 'app_admin' })
    const secret = { inputs: canaries(world), env: DEBUG }
    const here = { ...secret, builtAction: false }
    await world.push('main', here)
    world.repo.commit({ 'greeting.txt': '<h1>Next</h1>' })
    await world.push('main', here)
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
    const run = await world.push('main', { inputs: { ...secret.inputs, ...inputs }, env: DEBUG })
    expect(run.outputs.outcome, run.visibleLog).toMatch(/^(published|read|cleaned|planned|unchanged)$/)
  })
})

describe.skipIf(process.platform !== 'linux')('a child of the action finds no secret', () => {
  const gitProgram = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()

  it('build, config and git: environment, command lines and open files of all processes up to the action, temporary files, debugger', async () => {
    const spy = createSpy()
    const world = await createWorld({
      role: 'app_admin',
      files: {
        ...encryptedApp,
        'capacitor.config.json': null as never,
        'capacitor.config.ts': `{ ${spy.code('config')} }\nexport default { appId: '${APP_ID}', webDir: 'www', plugins: { CapacitorUpdater: { publicKey: ${JSON.stringify(publicKey)} } } }`,
        'build.js': `{ ${spy.code('build')} }\n${tinyApp()['build.js']}`,
      },
    })
    const inputs = canaries(world)
    const env = {
      ...spy.env,
      PATH: [spy.shadow('git', gitProgram), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      // A copy under another name, as workflows have it at the level of the job; and what is nobody's secret.
      MY_COPY: `Bearer ${KEY}`,
      NOT_SECRET: 'a-word-that-children-may-see',
    }
    const first = await world.push('main', { inputs, env })
    expect(first.outputs.outcome, first.visibleLog).toBe('published')
    world.repo.commit({ 'greeting.txt': '<h1>Next</h1>' })
    const run = await world.push('main', { inputs, env })
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(run.visibleLog).not.toContain('Debugger listening')

    const loot = spy.loot()
    expect(Object.keys(loot).sort()).toEqual(['build', 'config', 'git'])
    const search = new LeakSearch([
      ...Object.values(inputs).filter(value => value !== world.capgo.url),
      world.key,
      RUNTIME_TOKEN,
      ID_TOKEN,
    ])
    for (const [who, found] of Object.entries(loot)) {
      // It really saw the action's process, and what may be seen.
      expect(found, who).toContain('the action is ')
      expect(found, who).toContain('--handed-over')
      expect(found, who).toContain('a-word-that-children-may-see')
      expect(found, who).toContain('/capgo-publish-')
      expect(search.find([[who, found]])).toBeNull()
      expect(found, 'the files of outputs and variables are not told of').not.toMatch(
        /GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)/,
      )
    }
  })
})

describe('no error of what we call tells a secret', () => {
  const CASES: Readonly<
    Record<
      string,
      {
        code: string
        inputs?: (world: World) => Record<string, string>
        prepare?: (world: World) => void
        env?: Record<string, string>
        options?: Partial<RunOptions>
      }
    >
  > = {
    'undici: a key that no header takes': {
      code: 'invalid_input',
      inputs: () => ({ 'capgo-token': `${KEY}\n${KEY}` }),
    },
    'undici: an address with a key in it': {
      code: 'invalid_input',
      inputs: () => ({ 'api-url': `https://user:${encodeURIComponent(KEY)}@example.com` }),
    },
    'undici: nobody answers': { code: 'no_connection', inputs: () => ({ 'api-url': 'http://127.0.0.1:9' }) },
    'undici: a proxy that is none': {
      code: 'proxy_invalid',
      env: { https_proxy: `nonsense ${KEY}` },
    },
    'OpenSSL: a key that was cut off': {
      code: 'private_key_invalid',
      inputs: () => ({ 'private-key': privateKey.slice(0, 900) }),
    },
    'OpenSSL: a key whose middle was changed': {
      code: 'private_key_invalid',
      inputs: () => ({
        'private-key': privateKey
          .replace(PEM_LINES[3]!, 'A'.repeat(64))
          .replace(PEM_LINES[2]!, 'B'.repeat(64)),
      }),
    },
    'zod: a server that answers with the key': {
      code: 'unexpected_response',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: { status: 200, body: { app_id: [KEY], owner_org: { [KEY]: KEY } } },
          times: 9,
        }),
    },
    'a refusal that quotes the key': {
      code: 'http_400',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: {
            status: 400,
            body: {
              error: 'bad key',
              message: `the key ${KEY} (${Buffer.from(KEY).toString('base64')}) is bad`,
            },
          },
          times: 9,
        }),
    },
    'a refusal whose code is the key': {
      code: 'http_400',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: { status: 400, body: { error: KEY } },
          times: 9,
        }),
    },
    'a page of HTML that quotes the key': {
      code: 'http_502',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: { status: 502, body: `<pre>capgkey: ${KEY}</pre>` },
          times: 9,
        }),
    },
    'a redirect to an address with the key': {
      code: 'redirect_refused',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: { status: 302, headers: { location: `/elsewhere?key=${encodeURIComponent(KEY)}` }, body: '' },
          times: 9,
        }),
    },
    'jsonc-parser: a config with the key in it': {
      code: 'config_broken',
      prepare: ({ repo }) => void repo.commit({ 'capacitor.config.json': `{ "appId": ${KEY} }` }),
    },
    'sucrase: a config with the key in it': {
      code: 'config_broken',
      prepare: ({ repo }) =>
        void repo.commit({
          'capacitor.config.json': null,
          'capacitor.config.ts': `export default { appId ${KEY} }`,
        }),
    },
    'a config that throws the key': {
      code: 'config_failed',
      prepare: ({ repo }) =>
        void repo.commit({
          'capacitor.config.json': null,
          'capacitor.config.ts': `throw new Error(${JSON.stringify(KEY)})`,
        }),
    },
    'semver: a version with the key in it': { code: 'invalid_input', inputs: () => ({ version: KEY }) },
    'picomatch: channels with the key in them': {
      code: 'invalid_input',
      inputs: () => ({ channels: `main: ${KEY}` }),
    },
  }
  it.each(Object.entries(CASES))('%s', async (_name, { code, inputs, prepare, env = {} }) => {
    const world = await createWorld({ builtAction: true, files: encryptedApp, role: 'app_admin' })
    const secret = canaries(world)
    prepare?.(world)
    const run = await world.push('main', {
      secrets: [KEY],
      inputs: { ...secret, ...inputs?.(world) },
      env: { ...DEBUG, ...env },
    })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code'], run.visibleLog).toBe(code)
  })

  it('GitHub (octokit): answers that quote the token', async () => {
    const world = await createWorld({ builtAction: true, files: encryptedApp, role: 'app_admin' })
    const token = world.github.addToken({ repository: REPOSITORY, permissions: {} })
    for (const status of [401, 422])
      for (const path of [/comments/, /deployments/])
        world.github.faults.add({
          match: { path },
          do: {
            status,
            body: {
              message: `Bad credentials ${token}`,
              documentation_url: `https://x/?${token}`,
              errors: [{ message: token }],
            },
          },
          times: 9,
        })
    const pull = await openPull(world)
    const run = await pull.run('opened', {}, { githubToken: token, inputs: canaries(world), env: DEBUG })
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    const warnings = run.log.annotations.filter(({ level }) => level === 'warning')
    expect(warnings.map(({ message }) => message).join('\n')).toMatch(/GitHub answered 4\d\d/)
  })
})
