/**
 * Files, names and events of others, led through the built action: it ends green or with one error that a person can act
 * on, in bounded time, and nothing of the text becomes a command, a file elsewhere, or a line in `GITHUB_ENV`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Files } from '../../local/repository.ts'
import {
  pullRequestEvent,
  pushEvent,
  type WorkflowEvent,
  workflowRunEvent,
} from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import { renderAsGitHub } from '../../scripts/pictures/github.ts'
import { openPull } from '../scenarios/pull.ts'
import { APP_ID, createWorld, tinyApp } from '../scenarios/scenario.ts'

const built: Files = {
  ...tinyApp(),
  '.gitignore': '',
  'www/index.html': '<script src="app.js"></script>',
  'www/app.js': 'CapacitorUpdater.notifyAppReady()',
}
const NO_BUILD = { inputs: { build: 'false' } }
/** A run of a small app takes a second or two; this is for busy machines. */
const LONGEST = 30_000

/** What holds for every run, whatever it met. */
function sane(run: ActionRun, what: string): void {
  expect(run.signal, what).toBeNull()
  expect(run.durationMs, what).toBeLessThan(LONGEST)
  const errors = run.log.annotations.filter(({ level }) => level === 'error')
  expect(
    errors.filter(({ message }) => /^hacked/.test(message)),
    what,
  ).toEqual([])
  if (run.exitCode !== 0) {
    expect(errors.length, `${what}\n${run.visibleLog}`).toBeGreaterThan(0)
    expect(errors.length, what).toBeLessThanOrEqual(101)
    expect(run.outputs['error-code'], `${what}\n${run.visibleLog}`).toMatch(/^(?!internal$)[a-z0-9_]+$/)
  }
  expect(run.exportedEnv, what).toEqual({})
  expect(run.exportedPath, what).toEqual([])
  expect(run.visibleLog, what).not.toMatch(/TypeError|RangeError|at .*\/dist\/index\.js/)
  expect(renderAsGitHub(run.summary), what).not.toMatch(/<img|<script|user-mention|href="javascript/)
}

const json = (value: unknown) => JSON.stringify(value)
const injection = '\n::error::hacked\n<img src=x> @everyone $(touch pwned) `id` ../../x'

describe('files of the repository', () => {
  const CASES: Readonly<Record<string, Files>> = {
    'package.json: a version that is a command': { 'package.json': json({ name: 'x', version: injection }) },
    'package.json: a version that is a list': { 'package.json': json({ version: ['1.0.0'] }) },
    'package.json: a version of 100,000 digits': {
      'package.json': json({ version: `${'9'.repeat(100_000)}.0.0` }),
    },
    'package.json: dependencies that are text': {
      'package.json': json({ version: '1.2.0', dependencies: injection, scripts: 7 }),
    },
    'package.json: a prototype': {
      'package.json': '{"version": "1.2.0", "__proto__": {"scripts": {"build": "touch pwned"}}}',
    },
    'package.json: nested deep': { 'package.json': `{"version": "1.2.0", "a": ${'['.repeat(100_000)}` },
    'package.json: null': { 'package.json': 'null' },
    'config: ids and folders that are commands': {
      'capacitor.config.json': json({ appId: `com.example.app${injection}`, webDir: injection }),
    },
    'config: a folder outside': {
      'capacitor.config.json': json({ appId: APP_ID, webDir: '../../../../etc' }),
    },
    'config: absolute native folders': {
      'capacitor.config.json': json({
        appId: APP_ID,
        webDir: 'www',
        android: { path: '/etc' },
        ios: { path: '../../..' },
      }),
    },
    'config: a version that is a command': {
      'capacitor.config.json': json({
        appId: APP_ID,
        webDir: 'www',
        plugins: { CapacitorUpdater: { version: injection } },
      }),
    },
    'config: a list': { 'capacitor.config.json': '[]' },
    'config: nested deep': { 'capacitor.config.json': '{"a":'.repeat(100_000) },
    'config: an endless program': {
      'capacitor.config.json': null,
      'capacitor.config.js':
        'module.exports = new Proxy({}, { ownKeys() { throw new Error("::error::hacked") } })',
    },
    'config: 20 MB': {
      'capacitor.config.json': null,
      'capacitor.config.js': `module.exports = { appId: '${APP_ID}', webDir: 'www', a: 'x'.repeat(20e6) }`,
    },
    'testers.json: commands': {
      'testers.json': json([
        { device: injection, name: injection, channel: injection, groups: [injection] },
        injection,
      ]),
    },
    'testers.json: nested deep': { 'testers.json': '['.repeat(100_000) },
    'testers.json: ten thousand mistakes': { 'testers.json': `[${'{},'.repeat(10_000)}{}]` },
    'web folder: a name that is a command': {
      [`www/${'a'.repeat(100)} ::error::hacked <img src=x>.js`]: '1',
    },
    'web folder: 3,000 levels of brackets in a script': { 'www/deep.js': '['.repeat(1_000_000) },
    'gradle: half a megabyte of nonsense': { 'android/app/build.gradle': 'versionName "'.repeat(40_000) },
  }
  it.each(Object.entries(CASES))('%s', async (what, files) => {
    const world = await createWorld({ builtAction: true, role: 'app_admin', files: built })
    world.repo.commit(files)
    sane(await world.push('main', NO_BUILD), what)
    expect(existsSync(join(world.repo.path, 'pwned'))).toBe(false)
  })
})

describe('events', () => {
  const without = (event: WorkflowEvent, ...path: string[]): WorkflowEvent => {
    const payload = structuredClone(event.payload)
    let at = payload
    for (const key of path.slice(0, -1)) at = at[key] as typeof payload
    delete at[path.at(-1)!]
    return { ...event, payload }
  }

  it('with fields missing end with one error, or run', async () => {
    const world = await createWorld({ builtAction: true, role: 'app_admin', files: built })
    await openPull(world)
    const sha = world.repo.head
    const pull = pullRequestEvent('opened', { number: 12, headSha: sha, headRef: 'feature/evening' })
    const followed = workflowRunEvent({
      sha,
      headSha: sha,
      headBranch: 'feature/evening',
      event: 'pull_request',
    })
    const push = pushEvent({ branch: 'main', sha })
    const events: [string, WorkflowEvent][] = [
      ['a push of nothing', { ...push, payload: {} }],
      ['a push without repository', without(push, 'repository')],
      ['no pull request', without(pull, 'pull_request')],
      ['no head', without(pull, 'pull_request', 'head')],
      ['no number', without(pull, 'pull_request', 'number')],
      ['no labels', without(pull, 'pull_request', 'labels')],
      ['no action', without(pull, 'action')],
      ['no run', without(followed, 'workflow_run')],
      ['no conclusion', without(followed, 'workflow_run', 'conclusion')],
      ['no head repository', without(followed, 'workflow_run', 'head_repository')],
      ['an event of the future', { ...push, name: 'merge_group_2', payload: { action: [] } }],
      ['a ref that is a command', { ...push, ref: 'refs/heads/$(touch pwned)\n::error::hacked' }],
      ['a commit that is an option of git', { ...push, sha: '--output=pwned' }],
    ]
    for (const [what, event] of events) sane(await world.run(event, NO_BUILD), what)
    expect(existsSync(join(world.repo.path, 'pwned'))).toBe(false)
  })
})

describe('words of people', () => {
  it('titles, bodies, commit messages, branches, labels and logins stay text', async () => {
    const world = await createWorld({ builtAction: true, role: 'app_admin', files: built })
    await world.push('main', NO_BUILD)
    const words =
      '--upload-pack=touch pwned; $(touch pwned) `touch pwned` %0A::error::hacked @everyone <img src=x> [x](javascript:alert(1))'
    const pull = await openPull(world, {
      branch: 'x$(touch${IFS}pwned)`id`;<img>@everyone',
      title: `${words}\n::set-output name=outcome::hacked`,
      labels: ['::error::hacked', '<img src=x>'],
      actor: 'mallory-$(id)',
      files: { 'www/index.html': '<h1>2</h1><script src="app.js"></script>' },
    })
    world.repo.git(['commit', '--quiet', '--allow-empty', '--message', `${words}\n\n::error::hacked`])
    world.hosted.pull(12).pull.head.sha = world.repo.head
    for (const channel of ['pr-{number}', '{branch}']) {
      const run = await pull.run(
        'synchronize',
        { title: words },
        { inputs: { ...NO_BUILD.inputs, 'preview-channel': channel } },
      )
      sane(run, channel)
      expect(run.outputs.outcome, run.visibleLog).toBe('published')
      expect(run.outputs.channel).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
      for (const comment of pull.comments())
        expect(renderAsGitHub(comment)).not.toMatch(/<img src="?x|user-mention|href="javascript/)
    }
    expect(existsSync(join(world.repo.path, 'pwned'))).toBe(false)
  })
})

describe('the output of a build', () => {
  it.each([
    [
      'a hundred megabytes on one line',
      "for (let i = 0; i < 1000; i++) require('fs').writeSync(1, 'x'.repeat(100_000))",
    ],
    [
      'two hundred thousand lines',
      "require('fs').writeSync(1, '::error::hacked\\n'.repeat(10)); for (let i = 0; i < 200; i++) require('fs').writeSync(1, 'line\\n'.repeat(1000))",
    ],
    [
      'bytes that are no text',
      "for (let i = 0; i < 100; i++) require('fs').writeSync(1, require('crypto').randomBytes(10_000))",
    ],
    ['a request for input', "require('fs').readFileSync(0); console.log('nobody answered')"],
  ])('%s is bounded', async (what, source) => {
    const world = await createWorld({
      role: 'app_admin',
      files: { ...tinyApp(), 'build.js': `${source}\nthrow new Error('the end')` },
    })
    const run = await world.push('main')
    sane(run, what)
    expect(run.outputs['error-code']).toBe('build_failed')
    expect(run.summary.length).toBeLessThan(1024 * 1024)
  })
})
