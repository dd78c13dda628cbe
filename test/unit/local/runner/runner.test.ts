import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pushEvent } from '../../../../local/runner/event.ts'
import { type RunOptions, runAction } from '../../../../local/runner/runner.ts'
import { makeScratch } from '../../../../local/runner/scratch.ts'
import { failOnLeak } from '../../../../local/runner/secrets.ts'

const event = pushEvent({ branch: 'feature/x', sha: 'a'.repeat(40) })

/** An action whose code is `source`. */
function run(source: string, options: Partial<RunOptions> = {}) {
  const action = makeScratch('probe')
  mkdirSync(join(action, 'dist'))
  writeFileSync(
    join(action, 'action.yml'),
    `
inputs:
  capgo-token: { required: true }
  dry-run: { default: 'false' }
  two words: { default: here }
  github-token: { default: '\${{ github.token }}' }
runs: { using: node24, main: dist/index.js }
`,
  )
  writeFileSync(
    join(action, 'dist/index.js'),
    `const fs = require('node:fs');const env = process.env;${source}`,
  )
  return runAction({ repo: makeScratch('workspace'), event, action, mayLeak: true, ...options })
}

test('inputs are set as the runner sets them, and of this machine only PATH, HOME and the network are', async () => {
  process.env.CAPGO_TOKEN = 'of this machine'
  const result = await run('console.log(JSON.stringify(env)); console.log(process.cwd())', {
    inputs: { 'capgo-token': 'k', typo: 'x' },
    env: { FROM_STEP: '1' },
    githubToken: 'gh-token',
  })
  delete process.env.CAPGO_TOKEN
  const raw = result.log.lines.map(line => line.raw)
  const env = JSON.parse(raw.find(line => line.startsWith('{'))!) as Record<string, string>
  expect(env).toMatchObject({
    'INPUT_CAPGO-TOKEN': 'k',
    'INPUT_DRY-RUN': 'false',
    'INPUT_GITHUB-TOKEN': 'gh-token',
    INPUT_TWO_WORDS: 'here',
    INPUT_TYPO: 'x',
    FROM_STEP: '1',
    GITHUB_REF: 'refs/heads/feature/x',
    GITHUB_REF_NAME: 'feature/x',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_HEAD_REF: '',
  })
  const others = Object.keys(env).filter(
    name => !/^(INPUT|GITHUB|RUNNER|ACTIONS)_|^(CI|PATH|HOME|TMPDIR|FROM_STEP)$|CERT|_proxy$/i.test(name),
  )
  expect(others).toEqual([])
  expect(env.PATH).not.toContain('node_modules/.bin')
  expect(raw.at(-1)).toBe(env.GITHUB_WORKSPACE)
  expect(result.log.annotations).toEqual([{ level: 'warning', message: "Unexpected input(s) 'typo'" }])
  expect(result.visibleLog).not.toContain('gh-token')
})

test('lines end where the runner ends them', async () => {
  const result = await run(
    `fs.writeSync(1, 'a\\r\\nb\\u2028::error::no\\rc\\n\\nd\\r');setTimeout(() => fs.writeSync(1, '\\ne'), 50)`,
  )
  expect(result.log.lines.map(line => line.raw)).toEqual(['a', 'b\u2028::error::no', 'c', '', 'd', 'e'])
  expect(result.log.annotations).toEqual([])
})

test('an input without value or default is set and empty', async () => {
  const result = await run(`console.log(JSON.stringify(env['INPUT_CAPGO-TOKEN']))`)
  expect(result.visibleLog).toBe('""')
})

test('collects outputs, state, variables, paths, summary, the event and the exit code', async () => {
  const result = await run(`
    fs.appendFileSync(env.GITHUB_OUTPUT, 'outcome<<E\\npublished\\nE\\n')
    fs.appendFileSync(env.GITHUB_STATE, 'a=1\\n')
    fs.appendFileSync(env.GITHUB_ENV, 'b=2\\n')
    fs.appendFileSync(env.GITHUB_PATH, '/opt/bin\\n')
    fs.appendFileSync(env.GITHUB_STEP_SUMMARY, '# ' + require(env.GITHUB_EVENT_PATH).after)
    console.error('::error::to stderr')
    process.exit(3)`)
  expect(result).toMatchObject({
    exitCode: 3,
    signal: null,
    outputs: { outcome: 'published' },
    state: { a: '1' },
    exportedEnv: { b: '2' },
    exportedPath: ['/opt/bin'],
    summary: `# ${'a'.repeat(40)}`,
  })
  expect(result.log.annotations).toEqual([{ level: 'error', message: 'to stderr' }])
})

test('kill ends the action with its children', async () => {
  let process: ReturnType<typeof run>
  const pids: number[] = []
  process = run(
    `const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' })
     console.log('child ' + child.pid); setInterval(() => {}, 1000)`,
    {
      onLine: line => {
        pids.push(Number(line.split(' ')[1]))
        process.kill('SIGKILL')
      },
    },
  )
  const result = await process
  expect(result.signal).toBe('SIGKILL')
  expect(result.durationMs).toBeLessThan(20_000)
  expect(pids).toHaveLength(1)
})

test.each([
  ['the log', `console.log('key is s3cr3t-key')`],
  [
    'the log, while commands are stopped',
    `console.log('::stop-commands::abc');console.log('::add-mask::s3cr3t-key')`,
  ],
  ['base64 in the log', `console.log(Buffer.from('x:s3cr3t-key').toString('base64'))`],
  ['the summary', `fs.writeFileSync(env.GITHUB_STEP_SUMMARY, 's3cr3t-key')`],
  ['an output', `fs.writeFileSync(env.GITHUB_OUTPUT, 'a=s3cr3t-key')`],
  ['a variable', `fs.writeFileSync(env.GITHUB_ENV, 'a=s3cr3t-key')`],
])('a secret in %s is a leak', async (_, source) => {
  const result = await run(source)
  expect(() => failOnLeak(result, ['s3cr3t-key'])).toThrow('A secret is in')
})

test('a secret that is only masked is no leak', async () => {
  const result = await run(`console.log('::add-mask::s3cr3t-key');console.log('fine')`)
  expect(() => failOnLeak(result, ['s3cr3t-key'])).not.toThrow()
})
