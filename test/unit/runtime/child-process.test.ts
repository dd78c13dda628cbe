import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChild } from '../../../src/runtime/child-process.ts'
import { childEnvironment } from '../../../src/runtime/environment.ts'
import { secretForms } from '../../../src/runtime/redaction.ts'
import { failure, makeProject, writeProgram } from '../checkout/project.ts'

const node = process.execPath
const env = { PATH: process.env.PATH! }

describe('runChild', () => {
  it('survives children that end before anybody looks', async () => {
    for (let i = 0; i < 50; i++)
      expect((await runChild('true', [], { cwd: tmpdir(), env: { PATH: process.env.PATH! } })).exitCode).toBe(
        0,
      )
  })

  const run = (script: string, onOutput?: (line: string) => void) =>
    runChild(node, ['-e', script], { cwd: makeProject({}), env, onOutput })

  it('gives lines of both streams, the exit code and the end of the output', async () => {
    const lines: string[] = []
    const { exitCode, tail } = await run(
      'console.log("one"); console.error("two"); process.stdout.write("three"); process.exitCode = 7',
      line => lines.push(line),
    )
    expect(exitCode).toBe(7)
    expect(lines.sort()).toEqual(['one', 'three', 'two'])
    expect(tail.split('\n').sort()).toEqual(['one', 'three', 'two'])
  })

  it('keeps a character whole that arrives in two pieces, and the last state of a redrawn line', async () => {
    const lines: string[] = []
    await run(
      `const b = Buffer.from('a ü\\n'); process.stdout.write(b.subarray(0, 3));
       setTimeout(() => process.stdout.write(b.subarray(3)), 50);
       setTimeout(() => process.stdout.write('10%\\r50%\\r100%\\r\\nnext\\r\\n'), 100)`,
      line => lines.push(line),
    )
    expect(lines).toEqual(['a ü', '100%', 'next'])
  })

  it('keeps only the end of long output, without colours', async () => {
    const { tail } = await run(
      'for (let i = 0; i < 500; i++) console.log("\\x1b[31mline " + i + "\\x1b[0m"); console.log("x".repeat(9000))',
    )
    expect(tail.length).toBe(8192)
    const few = await run('for (let i = 0; i < 500; i++) console.log("\\x1b[31mline " + i + "\\x1b[0m")')
    expect(few.tail.split('\n')).toHaveLength(120)
    expect(few.tail).toMatch(/^line 380\n/)
    expect(few.tail).toMatch(/line 499$/)
  })

  it('keeps an error on one stream when the other one floods', async () => {
    const { tail } = await run(
      'console.error("the error"); setTimeout(() => { for (let i = 0; i < 500; i++) console.log(i) }, 50)',
    )
    expect(tail.split('\n')).toHaveLength(121)
    expect(tail).toMatch(/^the error\n380\n/)
  })

  it('does not let a line without an end fill the memory', async () => {
    let longest = 0
    let total = 0
    await run('for (let i = 0; i < 40; i++) process.stdout.write("x".repeat(10000))', line => {
      longest = Math.max(longest, line.length)
      total += line.length
    })
    expect(total).toBe(400_000)
    expect(longest).toBeLessThan(200_000)
  })

  it('gives a line of 100,000 characters in two, wherever the pipe cuts it', async () => {
    const lines: string[] = []
    await run(
      'console.log("a".repeat(65535)); console.log("b".repeat(100000)); console.log("c".repeat(65536))',
      line => lines.push(line),
    )
    const of = (letter: string) => lines.filter(line => line.startsWith(letter)).map(line => line.length)
    expect(of('a')).toEqual([65535])
    expect(Math.max(...of('b'))).toBeLessThanOrEqual(65536)
    expect(of('b').reduce((sum, length) => sum + length)).toBe(100000)
    expect(of('c')).toEqual([65536])
  })

  it('closes the standard input, so that a question does not wait', async () => {
    const { tail } = await run('process.stdin.on("end", () => console.log("no answer")).resume()')
    expect(tail).toBe('no answer')
  })

  it('gives the child its environment and nothing else, and passes arguments as they are', async () => {
    const lines: string[] = []
    const argument = `a b "c" 'd' $HOME \`e\` \\ *`
    await runChild(node, ['-e', 'console.log(JSON.stringify([process.env, process.argv[1]]))', argument], {
      cwd: makeProject({}),
      env: { ONLY: 'this' },
      onOutput: line => lines.push(line),
    })
    // A shell stands between, which adds these.
    const [{ PWD: _1, SHLVL: _2, _: _3, ...seen }, given] = JSON.parse(lines[0]!)
    expect([seen, given]).toEqual([{ ONLY: 'this' }, argument])
  })

  it('finds a program on the PATH it is given, not on its own', async () => {
    const root = makeProject({})
    const bin = writeProgram(root, 'pnpm', 'echo mine')
    const found = await runChild('pnpm', [], { cwd: root, env: { PATH: `/nowhere:${bin}` } })
    expect(found.tail).toBe('mine')
    const error = await failure(runChild('git', [], { cwd: root, env: { PATH: join(root, 'empty') } }))
    expect(error.code).toBe('program_missing')
    expect(error.message).toBe('The program "git" is not on the PATH.')
  })
})

describe('childEnvironment', () => {
  it('removes what is secret by name', () => {
    const secret = {
      'INPUT_CAPGO-TOKEN': 'x',
      INPUT_ANYTHING: 'x',
      ACTIONS_RUNTIME_TOKEN: 'x',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'x',
      ACTIONS_RUNTIME_URL: 'x',
      ACTIONS_RESULTS_URL: 'x',
      ACTIONS_CACHE_URL: 'x',
      GITHUB_TOKEN: 'x',
      GH_TOKEN: 'x',
      GH_ENTERPRISE_TOKEN: 'x',
      GITHUB_OUTPUT: 'x',
      GITHUB_ENV: 'x',
      GITHUB_PATH: 'x',
      GITHUB_STATE: 'x',
      GITHUB_STEP_SUMMARY: 'x',
      GITHUB_ARTIFACTS: 'x',
      CAPGO_TOKEN: 'x',
      CAPGO_API_KEY: 'x',
      CAPGO_PRIVATE_KEY: 'x',
      capgo_apikey: 'x',
    }
    expect(childEnvironment(secret)).toEqual({})
  })

  it('keeps what builds need', () => {
    const needed = {
      PATH: '/bin',
      HOME: '/root',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_SHA: 'abc',
      GITHUB_REF_NAME: 'main',
      RUNNER_TEMP: '/tmp',
      NODE_AUTH_TOKEN: 'of the npm registry',
      VITE_API: 'https://example.com',
      CAPGO_APP_ID: 'com.example.app',
      CAPGO_PUBLIC_KEY: '-----BEGIN RSA PUBLIC KEY-----',
    }
    expect(childEnvironment({ ...needed, ABSENT: undefined })).toEqual(needed)
  })

  it('removes every variable that holds one of the secrets', () => {
    const secrets = ['secret-of-capgo', 'ghs_1234567890', '']
    const clean = childEnvironment(
      {
        NODE_AUTH_TOKEN: 'ghs_1234567890',
        NPM_CONFIG_LINE: '//npm.pkg.github.com/:_authToken=ghs_1234567890',
        MY_COPY: ' secret-of-capgo\n',
        KEPT: 'secret-of-another',
      },
      secrets,
    )
    expect(clean).toEqual({ KEPT: 'secret-of-another' })
  })

  it.each<[string, (secret: string) => string]>([
    ['base64', secret => Buffer.from(secret).toString('base64')],
    ['base64 behind a name', secret => `Basic ${Buffer.from(`x-access-token:${secret}`).toString('base64')}`],
    ['base64 for addresses', secret => Buffer.from(secret).toString('base64url')],
    ['hex', secret => Buffer.from(secret).toString('hex')],
    ['an address', secret => `https://${encodeURIComponent(secret)}@example.com`],
    [
      'an address in lower case',
      secret => encodeURIComponent(secret).replace(/%../g, code => code.toLowerCase()),
    ],
    ['JSON', secret => JSON.stringify({ token: secret })],
  ])('removes a secret in every form: %s', (_, encode) => {
    const secrets = ['secret/of"capgo+key?']
    const env = { COPY: encode(secrets[0]!), KEPT: encode('another') }
    expect(Object.keys(childEnvironment(env, [...secrets, ...secretForms(secrets)]))).toEqual(['KEPT'])
  })

  it('takes a very short secret for itself only', () => {
    expect(childEnvironment({ A: 'ab', PATH: '/absolute' }, ['ab'])).toEqual({ PATH: '/absolute' })
  })
})
