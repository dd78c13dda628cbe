import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildWebApp, installDependencies } from '../../../src/checkout/build.ts'
import { detectPackageManager } from '../../../src/checkout/package-manager.ts'
import { childEnvironment } from '../../../src/runtime/environment.ts'
import { failure, makeProject, writeIn, writeProgram } from './project.ts'

/** npm without the network: whatever it would ask for is refused at once. */
const env = {
  ...childEnvironment(process.env),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
}

async function setUp(root: string, directory = root, extra: Record<string, string> = {}) {
  const lines: string[] = []
  const manager = await detectPackageManager({ root, directory })
  const onOutput = (line: string) => {
    lines.push(line)
  }
  return { options: { root, directory, manager, env: { ...env, ...extra }, onOutput }, lines }
}

/** A project whose one dependency is a folder beside it, installed by the real npm. */
const LOCAL = {
  'package.json': {
    name: 'app',
    version: '1.0.0',
    scripts: { build: 'node build.js' },
    dependencies: { 'local-lib': 'file:lib' },
  },
  'package-lock.json': {
    name: 'app',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'app', version: '1.0.0', dependencies: { 'local-lib': 'file:lib' } },
      lib: { name: 'local-lib', version: '1.0.0' },
      'node_modules/local-lib': { resolved: 'lib', link: true },
    },
  },
  'lib/package.json': { name: 'local-lib', version: '1.0.0', main: 'index.js' },
  'lib/index.js': 'module.exports = "from the library"',
  'build.js':
    'require("fs").mkdirSync("dist"); require("fs").writeFileSync("dist/index.html", require("local-lib"))',
}

describe('installDependencies', () => {
  it('installs with the real npm what is missing, once, and the build finds it', async () => {
    const root = makeProject(LOCAL)
    const { options } = await setUp(root)
    expect(await installDependencies(options)).toBe('npm ci')
    expect(existsSync(join(root, 'node_modules/local-lib'))).toBe(true)
    expect(await installDependencies(options)).toBeNull()
    expect(await buildWebApp({ ...options, script: 'build' })).toBe('npm run build')
    expect(existsSync(join(root, 'dist/index.html'))).toBe(true)
  })

  const APP = { dependencies: { a: '1.0.0' }, scripts: { build: 'x' } }
  const PROGRAM = 'echo "$(pwd) $0 $*"'

  it.each([
    ['pnpm-lock.yaml', '', 'pnpm', 'pnpm i --frozen-lockfile'],
    ['yarn.lock', '# yarn lockfile v1\n', 'yarn', 'yarn install --frozen-lockfile'],
    ['yarn.lock', '__metadata:\n', 'yarn', 'yarn install --immutable'],
    ['bun.lock', '{}', 'bun', 'bun install --frozen-lockfile'],
  ])(
    'runs the frozen install for %s (%#) at the root of a monorepo',
    async (file, content, program, command) => {
      const root = makeProject({ [file]: content, 'package.json': {}, 'apps/a/package.json': APP })
      const bin = writeProgram(root, program, PROGRAM)
      const { options, lines } = await setUp(root, join(root, 'apps/a'), { PATH: `${bin}:/usr/bin:/bin` })
      expect(await installDependencies(options)).toBe(command)
      expect(lines).toEqual([`${root} ${bin}/${command}`])
    },
  )

  it.each(['node_modules/x/package.json', 'apps/a/node_modules/x/package.json', '.pnp.cjs'])(
    'does nothing when there is %s',
    async present => {
      const root = makeProject({ 'yarn.lock': '', 'apps/a/package.json': APP, [present]: '' })
      const { options, lines } = await setUp(root, join(root, 'apps/a'), { PATH: '/nowhere' })
      expect(await installDependencies(options)).toBeNull()
      expect(lines).toEqual([])
    },
  )

  it('does nothing when there are no dependencies and no lockfile', async () => {
    const { options } = await setUp(makeProject({ 'package.json': { scripts: {} } }))
    expect(await installDependencies(options)).toBeNull()
  })

  it('needs a lockfile', async () => {
    const root = makeProject({ 'app/package.json': APP })
    const error = await failure(installDependencies((await setUp(root, join(root, 'app'))).options))
    expect(error).toMatchObject({ code: 'lockfile_missing', at: { file: 'app/package.json' } })
    expect(error.hint).toContain('pnpm-lock.yaml')
  })

  it('needs the lockfile of the manager that is asked for', async () => {
    const root = makeProject({
      'package.json': { ...APP, packageManager: 'pnpm@9.0.0' },
      'package-lock.json': '{}',
    })
    const error = await failure(installDependencies((await setUp(root)).options))
    expect(error.code).toBe('lockfile_missing')
    expect(error.hint).toContain('lockfile of pnpm (packageManager in package.json asks for it)')
  })

  it.each([
    ['pnpm-lock.yaml', 'pnpm/action-setup'],
    ['yarn.lock', 'corepack enable'],
    ['bun.lock', 'oven-sh/setup-bun'],
    ['package-lock.json', 'actions/setup-node'],
  ])('says how to install the program for %s', async (file, step) => {
    const root = makeProject({ [file]: '{}', 'package.json': APP })
    const error = await failure(
      installDependencies((await setUp(root, root, { PATH: join(root, 'none') })).options),
    )
    expect(error.code).toBe('package_manager_missing')
    expect(error.hint).toContain(step)
  })

  it('installs where a cache alone is, or an older install, and says why', async () => {
    const root = makeProject({ ...LOCAL, 'node_modules/.vite/deps/x.js': '' })
    const { options, lines } = await setUp(root)
    expect(await installDependencies(options)).toBe('npm ci')
    const other = { ...LOCAL['package-lock.json'].packages, 'node_modules/old': { version: '1.0.0' } }
    writeIn(root, 'node_modules/.package-lock.json', { packages: other })
    lines.length = 0
    expect(await installDependencies(options)).toBe('npm ci')
    expect(lines[0]).toBe('node_modules does not match the lockfile: node_modules/old differs.')
  })

  it('tells of devDependencies that NODE_ENV leaves out, also where the build fails for want of them', async () => {
    const { dependencies, ...app } = LOCAL['package.json']
    const { '': own, ...packages } = LOCAL['package-lock.json'].packages
    const root = makeProject({
      ...LOCAL,
      'package.json': { ...app, devDependencies: dependencies },
      'package-lock.json': {
        ...LOCAL['package-lock.json'],
        packages: {
          ...packages,
          '': { name: own.name, version: own.version, devDependencies: dependencies },
          'node_modules/local-lib': { resolved: 'lib', link: true, dev: true },
        },
      },
    })
    const { options, lines } = await setUp(root, root, { NODE_ENV: 'production' })
    expect(await installDependencies(options)).toBe('npm ci')
    const told = 'These devDependencies are not installed: local-lib. NODE_ENV is "production"'
    expect(lines.at(-1)).toContain(told)
    const error = await failure(buildWebApp({ ...options, script: 'build' }))
    expect(error).toMatchObject({ code: 'build_failed', hint: expect.stringContaining(told) })
  })

  it('ends with the output of an install that fails', async () => {
    const root = makeProject({
      ...LOCAL,
      'package.json': { ...LOCAL['package.json'], dependencies: { second: 'file:second' } },
      'second/package.json': { name: 'second', version: '1.0.0' },
    })
    const error = await failure(installDependencies((await setUp(root)).options))
    expect(error).toMatchObject({
      code: 'install_failed',
      message: '"npm ci" failed with exit code 1.',
      at: { file: 'package-lock.json' },
      hint: expect.stringContaining('Run npm install and commit package-lock.json'),
      output: expect.stringMatching(/in sync.*Missing: second@1\.0\.0 from lock file$/s),
    })
  })
})

describe('buildWebApp', () => {
  it('shows its whole environment, and no secret of ours is in it', async () => {
    const secrets = ['capgo-secret-0123456789', 'ghs_secret-of-github']
    const runner = {
      ...process.env,
      'INPUT_CAPGO-TOKEN': secrets[0],
      'INPUT_GITHUB-TOKEN': secrets[1],
      CAPGO_TOKEN: secrets[0],
      GITHUB_TOKEN: secrets[1],
      NODE_AUTH_TOKEN: secrets[1],
      SNEAKY: `Bearer ${secrets[0]}`,
      ACTIONS_RUNTIME_TOKEN: 'runtime-token',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc-token',
      GITHUB_OUTPUT: '/tmp/forge-output',
      GITHUB_ENV: '/tmp/forge-env',
      VITE_KEPT: 'yes',
    }
    const root = makeProject({
      'package.json': { scripts: { build: 'node print.js' } },
      'print.js': `console.log(JSON.stringify(process.env))
        try { console.log(require('fs').readFileSync('/proc/' + process.pid + '/environ', 'latin1').replaceAll('\\0', ' ')) } catch {}`,
    })
    const { options, lines } = await setUp(root)
    await buildWebApp({ ...options, script: 'build', env: childEnvironment(runner, secrets) })
    const said = lines.join('\n')
    expect(said).toContain('"VITE_KEPT":"yes"')
    for (const word of [...secrets, 'runtime-token', 'oidc-token', 'forge-', 'INPUT_', 'ACTIONS_'])
      expect(said).not.toContain(word)
  })

  it.each([
    ['pnpm-lock.yaml', '', 'pnpm'],
    ['yarn.lock', '', 'yarn'],
    ['bun.lock', '{}', 'bun'],
  ])('runs the script of the app with the manager of %s', async (file, content, program) => {
    const root = makeProject({ [file]: content, 'apps/a/package.json': { scripts: { 'build:web': 'x' } } })
    const bin = writeProgram(root, program, 'echo "$(pwd) $*"')
    const { options, lines } = await setUp(root, join(root, 'apps/a'), { PATH: `${bin}:/usr/bin:/bin` })
    expect(await buildWebApp({ ...options, script: 'build:web' })).toBe(`${program} run build:web`)
    expect(lines).toEqual([`${root}/apps/a run build:web`])
  })

  it.each([
    ['the root alone has', { 'package.json': { scripts: { build: 'pwd' } } }, ''],
    [
      'a folder above has',
      { 'apps/package.json': { scripts: { build: 'pwd' } }, 'package.json': {} },
      '/apps',
    ],
    ['the app lacks', { 'apps/a/package.json': {}, 'package.json': { scripts: { build: 'pwd' } } }, ''],
  ])('runs, in its folder, a script that %s', async (_, files, folder) => {
    const root = makeProject({ ...files, 'apps/a/capacitor.config.json': '{}' })
    const { options, lines } = await setUp(root, join(root, 'apps/a'))
    await buildWebApp({ ...options, script: 'build' })
    expect(lines.at(-1)).toBe(root + folder)
  })

  it('takes npm when nothing tells', async () => {
    const { options } = await setUp(makeProject({ 'package.json': { scripts: { build: 'echo ok' } } }))
    expect(await buildWebApp({ ...options, script: 'build' })).toBe('npm run build')
  })

  it('needs a package.json', async () => {
    const root = makeProject({ 'app/web/package.json': {}, 'app/capacitor.config.json': {} })
    const error = await failure(
      buildWebApp({ ...(await setUp(root, join(root, 'app'))).options, script: 'build' }),
    )
    expect(error.hint).toMatch(/^Found in "app\/web"\. Set the input working-directory/)
    expect(error).toMatchObject({
      code: 'package_json_missing',
      message: 'No package.json found in "app" or above it.',
    })
  })

  it('points at the fault in a broken package.json', async () => {
    const root = makeProject({ 'package.json': '{\n  "scripts": {\n    "build": "x",,\n  }\n}' })
    const error = await failure(setUp(root))
    expect(error).toMatchObject({
      code: 'package_json_broken',
      at: { file: 'package.json', line: 3, column: 18 },
    })
  })

  it('lists the scripts that there are', async () => {
    const root = makeProject({ 'package.json': { scripts: { 'build:prod': 'x', test: 'y' } } })
    const error = await failure(buildWebApp({ ...(await setUp(root)).options, script: 'build' }))
    expect(error).toMatchObject({
      code: 'build_script_missing',
      message: 'package.json has no script "build".',
    })
    expect(error.hint).toContain('It has: build:prod, test.')
  })

  it('does not take what every object has for a script', async () => {
    const root = makeProject({ 'package.json': { scripts: {} } })
    const error = await failure(buildWebApp({ ...(await setUp(root)).options, script: 'toString' }))
    expect(error.code).toBe('build_script_missing')
  })

  it('ends with the exit code and the last lines of a build that fails', async () => {
    const root = makeProject({
      'package.json': { scripts: { build: 'node fail.js' } },
      'fail.js':
        'for (let i = 0; i < 300; i++) console.log("step " + i); console.error("src/App.vue:3 is wrong"); process.exitCode = 3',
    })
    const error = await failure(buildWebApp({ ...(await setUp(root)).options, script: 'build' }))
    expect(error).toMatchObject({ code: 'build_failed', message: '"npm run build" failed with exit code 3.' })
    expect(error.output).toContain('src/App.vue:3 is wrong')
    expect(error.output).toContain('step 299')
    expect(error.output).not.toContain('step 99\n')
  })

  it('finds programs of dependencies, as npm scripts do', async () => {
    const root = makeProject({ 'package.json': { scripts: { build: 'my-bundler' } } })
    const bin = dirname(writeIn(root, 'node_modules/.bin/x', ''))
    writeProgram(dirname(bin), 'unused', '')
    const { options } = await setUp(root)
    const error = await failure(buildWebApp({ ...options, script: 'build' }))
    expect(error.message).toBe('"npm run build" failed with exit code 127.')
  })
})
