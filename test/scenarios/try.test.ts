/** `npm run try`: somebody's own app, before there is an account or a workflow, and whatever went wrong in theirs. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startCapgo } from '../../local/capgo/index.ts'
import { createRepository, type Files, type Repository } from '../../local/repository.ts'
import type { Payload } from '../../local/runner/event.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import type { TryResult } from '../../scripts/try/report.ts'
import { APP_ID, builtApp, tinyApp, webFolder } from './scenario.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/try.ts', import.meta.url))

interface Tried {
  readonly code: number | null
  readonly said: string
  /** What `--json` wrote; null where nothing was. */
  readonly json: TryResult | null
}

async function attempt(folder: string, ...words: string[]): Promise<Tried> {
  const file = join(makeScratch('json'), 'result.json')
  const child = spawn(process.execPath, [SCRIPT, folder, ...words, '--json', file], {
    env: {
      ...process.env,
      npm_config_userconfig: '/dev/null',
      NO_COLOR: '1',
      INIT_CWD: undefined,
      VITEST: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  const json = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  return { code, said: stripVTControlCharacters(Buffer.concat(chunks).toString()), json }
}

function repositoryOf(files: Files, branch = 'main'): Repository {
  const repository = createRepository({ files, branch, message: 'Greet' })
  onTestFinished(() => repository.remove())
  return repository
}

function payloadOf(payload: Payload): string {
  const file = join(makeScratch('payload'), 'payload.json')
  writeFileSync(file, JSON.stringify(payload))
  return file
}

const config = (more: object) => JSON.stringify({ appId: APP_ID, appName: 'Tiny', webDir: 'www', ...more })

describe('npm run try', () => {
  it('publishes the commit, not what lies beside it, and a device takes it', async () => {
    const repository = repositoryOf(tinyApp('Good morning'))
    repository.write({ 'greeting.txt': 'not committed' })
    const { code, said, json } = await attempt(
      repository.path,
      ...['--before', 'echo prepared > prepared.txt', '--before', 'cat prepared.txt'],
    )
    expect(said).toContain('prepared')
    expect(said).toContain(`${repository.head.slice(0, 7)} "Greet"`)
    expect(said).toContain('1 changed files are not committed')
    expect(said).toContain('built <h1>Good morning</h1>')
    expect(said).toContain('✓ a device (android, native version 1.0) on production installs 1.2.0')
    expect(said).not.toContain('✗')
    expect(code).toBe(0)
    expect(repository.git(['status', '--porcelain'])).toBe('M greeting.txt')
    expect(json).toEqual({
      exitCode: 0,
      outputs: expect.objectContaining({ outcome: 'published', 'bundle-version': '1.2.0' }),
      annotations: [
        { level: 'notice', message: expect.stringMatching(/^Published 1\.2\.0 to production\. /) },
      ],
      summary: expect.stringContaining('production'),
      comments: [],
      issues: [],
      pulls: [],
      branches: [],
      channels: [{ name: 'production', public: true, bundle: '1.2.0' }],
      bundles: [{ name: '1.2.0', checksum: json?.outputs.checksum, deleted: false }],
      overrides: [],
      devices: [
        {
          platform: 'android',
          native: '1.0',
          channel: 'production',
          offered: '1.2.0',
          installed: '1.2.0',
          refusal: null,
        },
      ],
      requests: { capgo: expect.any(Number), github: expect.any(Number) },
    })
    expect(json!.requests.capgo).toBeGreaterThan(5)
  })

  it('goes on with a Capgo that runs, whatever the app and branch; phones follow their own channel', async () => {
    const files = {
      ...builtApp(),
      'capacitor.config.json': config({ plugins: { CapacitorUpdater: { defaultChannel: 'production' } } }),
      'ios/App/App/Info.plist': '<dict><key>CFBundleShortVersionString</key><string>1.1</string></dict>',
    }
    const places = Object.entries(files).map(([name, content]) => [`apps/tiny/${name}`, content])
    const { path } = repositoryOf(Object.fromEntries(places), 'feature')
    const capgo = await startCapgo()
    onTestFinished(() => capgo.stop())
    capgo.seedApp({ appId: 'com.example.other' })
    const key = capgo.seedKey({ appId: 'com.example.other', role: 'app_admin' })
    const words = [`${path}/apps/tiny`, '--capgo', capgo.url, '--key', key, '--input', 'build=false'] as const
    const first = await attempt(...words, '--branch', 'develop')
    expect(first.said).toContain('✓ a tester (android, native version 1.0) on development installs 1.2.0')
    expect(first.json?.outputs).toMatchObject({ outcome: 'published', channel: 'development' })
    expect(first.json?.devices).toEqual(
      [
        ['android', '1.0'],
        ['ios', '1.1'],
      ].map(([platform, native]) => ({
        platform,
        native,
        channel: 'production',
        offered: null,
        installed: null,
        refusal: expect.stringMatching(/^\w+: /),
      })),
    )
    const denied = await attempt(
      ...words,
      '--branch',
      'develop',
      '--key-role',
      'app_reader',
      '--input',
      'channel=beta',
    )
    expect([denied.code, denied.json?.exitCode]).toEqual([1, 1])
    expect(denied.json?.annotations[0]).toMatchObject({ level: 'error' })
    expect(denied.json?.outputs.outcome).not.toBe('published')
  })

  it('is red when the action is, and the job is told why', async () => {
    const { code, said, json } = await attempt(repositoryOf(builtApp()).path, '--input', 'build=yes')
    expect(said).toContain('✗ the step is green (exit code 1)')
    expect(json?.annotations).toEqual([{ level: 'error', message: expect.stringContaining('build') }])
    expect([code, json?.exitCode]).toEqual([1, 1])
  })

  it('continues where another try ended: a pull request is opened, closed and edited', async () => {
    const repository = repositoryOf({
      ...builtApp(),
      'testers.json': JSON.stringify({ testers: [{ device: '00000000-0000-4000-8000-0000000000a0' }] }),
    })
    repository.branch('feature/evening')
    repository.commit(webFolder('Good evening'))
    const state = join(makeScratch('state'), 'new')
    const happens = (payload: Payload, ...more: string[]) =>
      attempt(
        repository.path,
        ...[
          '--event',
          'pull_request',
          '--payload',
          payloadOf(payload),
          '--state',
          state,
          '--input',
          'build=false',
        ],
        ...more,
      )
    const opened = await happens({ number: 7, pull_request: { labels: ['preview'] } }, '--wait', '1h')
    expect(opened.json?.comments).toMatchObject([
      { author: 'github-actions[bot]', body: expect.stringContaining('pr-7') },
    ])
    const preview = opened.json?.outputs['bundle-version']
    // Its id is in the file of the testers.
    expect(opened.json?.devices).toMatchObject([{ channel: 'pr-7', offered: preview, installed: preview }])
    expect(opened.json?.overrides).toEqual([
      { device: '00000000-0000-4000-8000-0000000000a0', channel: 'pr-7' },
    ])
    const closed = await happens({ action: 'closed', number: 7 })
    expect(closed.json).toMatchObject({ outputs: { outcome: 'cleaned' }, channels: [], overrides: [] })
    expect(closed.json?.bundles).toMatchObject([{ name: preview, deleted: true }])
    const edited = await happens({ action: 'edited', number: 7 })
    expect(edited.json).toMatchObject({ exitCode: 0, channels: [] })
    expect(edited.json?.comments).toHaveLength(1)
    expect(JSON.parse(readFileSync(join(state, 'try.json'), 'utf8'))).toMatchObject({
      runs: 3,
      appId: APP_ID,
    })
  })

  it('tells the story of a tester, who joins by an issue and leaves again', async () => {
    const { path } = repositoryOf(builtApp())
    const state = join(makeScratch('state'), 'new')
    const happens = (words: readonly string[], payload: Payload = {}) =>
      attempt(path, '--state', state, '--payload', payloadOf(payload), ...words)
    // It is not tried, and the folder is not lost.
    expect((await happens(['--commit', 'gone'])).code).toBe(2)
    await happens(['--branch', 'develop', '--input', 'build=false'])
    const enroll = ['--input', 'operation=enroll', '--input', 'join-channels=development']
    const device = '00000000-0000-4000-8000-0000000000a0'
    const form = { 'Join or leave': 'Join', 'Device id': device, Channel: 'development' }
    const user = { login: 'eve' }

    const asked = await happens(['--event', 'issues', ...enroll], { issue: { number: 45, body: form, user } })
    expect(asked.json, asked.said).toMatchObject({
      outputs: { outcome: 'proposed' },
      comments: [{ issue: 45, author: 'github-actions[bot]' }],
      issues: [{ number: 45, state: 'open', author: 'eve' }],
      pulls: [{ number: 46, state: 'open', head: 'capgo/tester-45', base: 'main' }],
      branches: [{ name: 'capgo/tester-45', subject: 'Add a tester (#45)' }],
      overrides: [],
    })
    expect(asked.said).toMatch(/Comment on issue #45\n {2}### ⏳ A lead reviews your request/)
    expect(asked.said).not.toContain('<!--')
    expect(asked.said).toContain('#46 "Add a tester (#45)" (capgo/tester-45 into main) is open')
    expect(asked.said).toContain(`git pull ${state}/repository <branch>`)

    const merge = { action: 'closed', number: 46, pull_request: { merged: true } }
    const merged = await happens(['--event', 'pull_request'], merge)
    expect(merged.json, merged.said).toMatchObject({ exitCode: 0, pulls: [{ number: 46, state: 'merged' }] })

    const followed = await happens(enroll)
    expect(followed.json, followed.said).toMatchObject({
      outputs: { outcome: 'enrolled' },
      issues: [{ number: 45, state: 'closed' }],
      overrides: [{ device, channel: 'development' }],
      devices: [{ channel: 'development', installed: '1.2.0' }],
    })
    expect(followed.said).toContain('### ✅ You are a tester')

    const leave = {
      number: 47,
      user,
      author_association: 'MEMBER',
      body: { ...form, 'Join or leave': 'Leave' },
    }
    const left = await happens(['--event', 'issues', ...enroll, '--input', 'join-approve=members'], {
      issue: leave,
    })
    expect(left.json, left.said).toMatchObject({ outputs: { outcome: 'enrolled' }, overrides: [] })
    const written = left.json?.branches.find(({ name }) => name === 'main')
    expect(written?.subject).toBe('Remove a tester (#47)')
    expect(left.said).toContain('branch    main is at ')
    expect(left.said).not.toContain('Comment on issue #45')
  })

  it('tells everything that is wrong at once', async () => {
    const { path } = repositoryOf(builtApp())
    const words = [
      '--input',
      'build',
      '--before',
      '--capgo',
      'https://api.capgo.app',
      '--key',
      'k',
      '--nope',
      'more',
    ]
    const wrong = [
      ...words,
      '--payload',
      '/no/such.json',
      '--key-role',
      'king',
      '--wait',
      'long',
      '--commit',
      'gone',
    ]
    const { code, said, json } = await attempt(path, ...wrong, '--state', path)
    for (const problem of [
      '--input build is not name=value',
      '--before needs a value',
      '--nope is not an option',
      'One folder at a time',
      '--capgo https://api.capgo.app is not on this machine',
      '--payload: /no/such.json cannot be read',
      '--key-role king: use app_reader',
      '--wait long is not a duration',
      'gone is not in the repository',
      'has other files than those of a try',
    ])
      expect(said).toContain(problem)
    expect(said).not.toContain('    at ')
    expect([code, json]).toEqual([2, null])
  })

  it.each([
    [[makeScratch('empty')], /has no commit, and a commit is what is published/],
    [['/no/such/folder'], /The folder \/no\/such\/folder does not exist/],
    [['.', '--before', 'exit 3', '--input', 'build=false'], /--before exit 3 ended with exit code 3/],
    [['.', '--help'], /--key-role <role>/],
  ])('%j is not tried', async ([folder, ...words], message) => {
    const { code, said } = await attempt(folder!, ...words)
    expect(said).toMatch(message)
    expect(said).not.toContain('    at ')
    expect(code).toBe(words.includes('--help') ? 0 : 2)
  })
})
