import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCapacitorDirectory, readCapacitorConfig } from '../../../src/checkout/capacitor-config.ts'
import { PackagesMissing } from '../../../src/checkout/evaluator.ts'
import { failure, makeProject } from './project.ts'

const EVALUATOR = join(import.meta.dirname, '../../../src/checkout/evaluate-config.ts')
const PATH = process.env.PATH!

function read(
  root: string,
  options: {
    env?: Record<string, string>
    directory?: string
    timeout?: number
    beforeInstall?: boolean
  } = {},
) {
  return readCapacitorConfig({
    root,
    directory: join(root, options.directory ?? '.'),
    env: { PATH, ...options.env },
    nodePath: process.execPath,
    evaluatorPath: EVALUATOR,
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    beforeInstall: options.beforeInstall ?? false,
  })
}

const ts = (content: string, others: Record<string, string | object> = {}) =>
  makeProject({ 'capacitor.config.ts': content, ...others })

describe('readCapacitorConfig', () => {
  describe('reads', () => {
    it('the template, with the untyped import of a type', async () => {
      const root = ts(`import { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.app',
  appName: 'example',
  webDir: 'dist',
  plugins: { CapacitorUpdater: { version: '1.2.3', publicKey: '-----BEGIN RSA PUBLIC KEY-----', autoUpdate: true } },
};

export default config;
`)
      expect(await read(root)).toEqual({
        file: join(root, 'capacitor.config.ts'),
        appId: 'com.example.app',
        webDir: 'dist',
        nativePaths: { android: 'android', ios: 'ios' },
        updater: { version: '1.2.3', publicKey: '-----BEGIN RSA PUBLIC KEY-----' },
      })
    })

    const APP = '{ appId: "com.example.app", webDir: "out" }'
    it.each([
      [
        'import type',
        'capacitor.config.ts',
        `import type { CapacitorConfig } from '@capacitor/cli'\nexport default ${APP} satisfies CapacitorConfig`,
      ],
      ['as const', 'capacitor.config.ts', `export default ${APP} as const`],
      [
        'a reference for types',
        'capacitor.config.ts',
        `/// <reference types="@capacitor/splash-screen" />\nconst c = ${APP}\nexport default c`,
      ],
      ['export =', 'capacitor.config.ts', `const c = ${APP}\nexport = c`],
      ['module.exports in TypeScript', 'capacitor.config.ts', `module.exports = ${APP}`],
      ['a promise', 'capacitor.config.ts', `export default Promise.resolve(${APP})`],
      [
        'an enum and a generic',
        'capacitor.config.ts',
        `enum E { A = 'out' }\nconst id = <T,>(x: T): T => x\nexport default id({ appId: 'com.example.app', webDir: E.A })`,
      ],
      ['a CommonJS file', 'capacitor.config.js', `module.exports = ${APP}`],
      ['an ES module', 'capacitor.config.js', `export default ${APP}`],
      ['JSON', 'capacitor.config.json', '{ "appId": "com.example.app", "webDir": "out" }'],
      [
        'JSON with a byte order mark',
        'capacitor.config.json',
        '\ufeff{ "appId": "com.example.app", "webDir": "out" }',
      ],
    ])('%s', async (_, name, content) => {
      const root = makeProject({ [name]: content })
      expect(await read(root)).toMatchObject({
        file: join(root, name),
        appId: 'com.example.app',
        webDir: 'out',
      })
    })

    it('an ES module in a package of type "module", TypeScript too', async () => {
      for (const name of ['capacitor.config.ts', 'capacitor.config.js'])
        expect(
          await read(makeProject({ [name]: `export default ${APP}`, 'package.json': { type: 'module' } })),
        ).toMatchObject({
          webDir: 'out',
        })
    })

    it('what only an ES module can say, and what it imports as in CommonJS', async () => {
      const root = ts(
        `import { fileURLToPath } from 'node:url'
         import { CapacitorConfig } from '@capacitor/cli'
         import base from './base'
         import { version as v } from './version'
         import pkg from './package.json'
         const { default: names } = await (import('./names'))
         const config: CapacitorConfig = { ...base, webDir: names[0], plugins: { CapacitorUpdater: { version: pkg.version + v, updateUrl: fileURLToPath(import.meta.url) } } }
         export default config`,
        {
          'base.ts': 'export default { appId: import.meta.dirname ? "com.example.app" : "" } as const',
          'version.ts': 'export const version: string = "-x"',
          'names.ts': 'export default ["build"] satisfies string[]',
          'package.json': { type: 'module', version: '3.2.1' },
        },
      )
      expect(await read(root)).toMatchObject({
        appId: 'com.example.app',
        webDir: 'build',
        updater: { version: '3.2.1-x', updateUrl: join(root, 'capacitor.config.ts') },
      })
    })

    it('await outside of functions in JavaScript', async () => {
      const content = `export default { appId: await Promise.resolve('com.example.app'), webDir: 'out' }`
      expect(await read(makeProject({ 'capacitor.config.js': content }))).toMatchObject({ webDir: 'out' })
    })

    // Node 26 has no compiler for them; the action runs on 24.
    const namespaces = Number(process.versions.node.split('.')[0]) < 26 ? ['namespace', 'module'] : []
    it.each(namespaces)('a TypeScript %s', async word => {
      const root = ts(`import { CapacitorConfig } from '@capacitor/cli'
        ${word} App { export const id: string = 'com.example.app'; export namespace Web { export enum Dir { Out = 'out' } } }
        export default { appId: App.id, webDir: App.Web.Dir.Out } as CapacitorConfig`)
      expect(await read(root)).toMatchObject({ appId: 'com.example.app', webDir: 'out' })
    })

    it('relative imports without an ending, with .js for .ts, of folders and of JSON', async () => {
      const root = ts(
        `import { CapacitorConfig } from '@capacitor/cli'
         import base from './base'
         import { dir } from './shared/names.js'
         import { suffix } from './env'
         import pkg from './package.json'
         import data from './package.json' with { type: 'json' }
         const config: CapacitorConfig = { ...base, webDir: dir, appId: base.appId + suffix, plugins: { CapacitorUpdater: { version: pkg.version + '-' + data.name } } }
         export default config`,
        {
          'base.ts': 'export default { appId: "com.example" as string }',
          'shared/names.ts': 'export const dir: string = "build"',
          'env/index.ts': 'export const suffix: string = ".app"',
          'package.json': { name: 'x', version: '3.2.1' },
        },
      )
      expect(await read(root)).toMatchObject({
        appId: 'com.example.app',
        webDir: 'build',
        updater: { version: '3.2.1-x' },
      })
    })

    it('values of installed packages', async () => {
      const root = ts(
        `import { KeyboardResize } from '@capacitor/keyboard'
         import { id } from 'my-settings'
         export default { appId: id, webDir: KeyboardResize.Body }`,
        {
          'node_modules/@capacitor/keyboard/package.json': {
            main: 'dist/plugin.cjs.js',
            module: 'dist/esm/index.js',
          },
          'node_modules/@capacitor/keyboard/dist/plugin.cjs.js': 'exports.KeyboardResize = { Body: "body" }',
          'node_modules/my-settings/package.json': { type: 'module', exports: './index.js' },
          'node_modules/my-settings/index.js': 'export const id = "com.settings.app"',
        },
      )
      expect(await read(root)).toMatchObject({ appId: 'com.settings.app', webDir: 'body' })
    })

    it('a config that takes constants of Capacitor plugins which are not installed yet', async () => {
      const root = ts(`
        import { CapacitorConfig } from '@capacitor/cli'
        import { KeyboardResize, KeyboardStyle as S } from '@capacitor/keyboard'
        import * as bar from '@capawesome/capacitor-status-bar'
        const config: CapacitorConfig = {
          appId: 'com.example.app', webDir: 'dist',
          plugins: { Keyboard: { resize: KeyboardResize.Body, style: S.Dark }, Bar: bar.make({ a: 1 }) },
        }
        export default config`)
      expect(await read(root)).toMatchObject({ appId: 'com.example.app', webDir: 'dist' })
    })

    it('variables, and the folder it is in', async () => {
      const root = makeProject({
        'apps/a/capacitor.config.ts':
          'import { basename } from "node:path"\nexport default { appId: process.env.APP_ID, webDir: [basename(__dirname), basename(process.cwd())].join("-") }',
      })
      const config = await read(root, { directory: 'apps/a', env: { APP_ID: 'com.env.app' } })
      expect(config).toMatchObject({ appId: 'com.env.app', webDir: 'a-a' })
    })

    it('without webDir, what Capacitor takes', async () => {
      expect((await read(ts('export default { appId: "com.example.app" }'))).webDir).toBe('www')
    })

    it('the app id that the updater has of its own, and the folders of native projects', async () => {
      const root = ts(
        'export default { appId: "com.example.app", android: { path: "native/droid" }, plugins: { CapacitorUpdater: { appId: "com.example.app.dev" } } }',
      )
      expect(await read(root)).toMatchObject({
        appId: 'com.example.app.dev',
        nativePaths: { android: 'native/droid', ios: 'ios' },
        updater: { appId: 'com.example.app.dev' },
      })
    })

    it('past noise on its outputs, open timers and functions in it', async () => {
      const root = ts(
        'console.log("{}"); console.error("x".repeat(200000)); setInterval(() => {}, 1000)\nexport default { appId: "com.example.app", webDir: "a", f() {} }',
      )
      expect(await read(root)).toMatchObject({ webDir: 'a' })
    })

    it('a large config whole', async () => {
      const root = ts('export default { appId: "com.example.app", webDir: "a", big: "x".repeat(3_000_000) }')
      expect(await read(root)).toMatchObject({ webDir: 'a' })
    })
  })

  it('gives the config no variable that it was not given', async () => {
    const root = ts(`
      const seen = Object.keys(process.env).filter(name => name !== 'PATH').join('.')
      export default { appId: 'vars.' + seen.replaceAll('_', '') }`)
    expect((await read(root, { env: { ONLY: '1' } })).appId).toBe('vars.ONLY')
  })

  describe('fails', () => {
    it('without a config', async () => {
      const error = await failure(read(makeProject({ 'app/package.json': {} }), { directory: 'app' }))
      expect(error).toMatchObject({
        code: 'config_missing',
        message: 'No Capacitor config was found in "app".',
      })
      expect(error.hint).toContain('working-directory')
    })

    it('at the root of a monorepo, with the folders of its apps', async () => {
      const root = makeProject({
        'apps/rider/capacitor.config.json': {},
        'apps/driver/capacitor.config.ts': '',
        'apps/driver/ios/App/App/capacitor.config.json': {},
        'node_modules/other/capacitor.config.json': {},
        'packages/shared/package.json': {},
      })
      const error = await failure(read(root))
      expect(error.code).toBe('config_missing')
      expect(error.hint).toMatch(/^One is in "apps\/driver" and "apps\/rider": set the input working-dir/)
    })

    it('on a name that Capacitor does not read', async () => {
      const error = await failure(read(makeProject({ 'capacitor.config.mjs': 'export default {}' })))
      expect(error.code).toBe('config_missing')
      expect(error.hint).toContain('Capacitor does not read capacitor.config.mjs')
    })

    it('on two configs, and says which one would win', async () => {
      const root = makeProject({ 'a/capacitor.config.ts': '', 'a/capacitor.config.json': {} })
      const error = await failure(read(root, { directory: 'a' }))
      expect(error).toMatchObject({ code: 'config_ambiguous', at: { file: 'a/capacitor.config.json' } })
      expect(error.hint).toContain(
        'Capacitor would read capacitor.config.ts and ignore the others. Delete capacitor.config.json, or merge them into capacitor.config.ts.',
      )
      expect(error.hint).toContain('Delete capacitor.config.json')
    })

    it.each([
      ['capacitor.config.ts', 'const a: string = "x"\nexport default {\n  appId: ;\n}\n', 3, 10],
      ['capacitor.config.ts', 'const a = 1\nconst a = 2\nexport default {}', 2, 7],
      ['capacitor.config.js', 'module.exports = {\n  appId: "a",,\n}', 2, 14],
      ['capacitor.config.js', 'export default {\n  appId: "a",,\n}', 2, 14],
      ['capacitor.config.json', '{\n  "appId": "a",\n  // no\n}', 3, 3],
      ['capacitor.config.json', '{\n  "appId": "a",\n}', 3, 1],
      ['capacitor.config.json', '', 1, 1],
    ])('on broken %s (%#), with the place', async (name, content, line, column) => {
      const root = makeProject({ [`app/${name}`]: content })
      const error = await failure(read(root, { directory: 'app' }))
      expect(error).toMatchObject({ code: 'config_broken', at: { file: `app/${name}`, line, column } })
    })

    it('on a broken file that the config imports, in that file', async () => {
      const root = ts('import { a } from "./base"\nexport default a', {
        'base.ts': 'export const a = {\n  b: ;\n}',
      })
      expect(await failure(read(root))).toMatchObject({
        code: 'config_broken',
        at: { file: 'base.ts', line: 2 },
      })
    })

    it('when it throws, with the place', async () => {
      const root = ts(
        'function need(name: string) {\n  if (!process.env[name]) throw new Error(name + " is not set")\n}\nneed("X_URL")\nexport default {}',
      )
      const error = await failure(read(root))
      expect(error).toMatchObject({ code: 'config_failed', at: { file: 'capacitor.config.ts', line: 2 } })
      expect(error.message).toBe('capacitor.config.ts:2:33: the config threw Error: X_URL is not set')
    })

    const LONG = `import { a } from '@capacitor/a'; import { b } from '@capacitor/b'; import * as fs from 'node:fs'`
    it.each([
      ['CommonJS', `${LONG}; const all = [a, b, fs]; throw new Error('no')\nexport default all`, 1, 130],
      ['an ES module', `${LONG}\nconst x: string = await a; null!.foo\nexport default fs`, 2, 34],
      ['what an import runs', `import x from './x'\nexport default x`, 3, 35, 'x.ts'],
    ])(
      'in %s, at a place of the file that was written',
      async (_, content, line, column, file = 'capacitor.config.ts') => {
        const root = ts(content, { 'x.ts': 'interface A {\n}\nexport default (undefined as any).x' })
        const error = await failure(read(root))
        expect(error).toMatchObject({ code: 'config_failed', at: { file, line, column } })
      },
    )

    it('when what it reads is not JSON, as itself', async () => {
      expect(await failure(read(ts('export default JSON.parse(process.env.APP ?? "{x")')))).toMatchObject({
        code: 'config_failed',
        at: { line: 1, column: 21 },
        hint: expect.stringContaining('These variables are not set: APP.'),
      })
    })

    it('when it throws beside a package that is not installed, as itself, and may pass with the install', async () => {
      const root = ts(`import { KeyboardResize } from '@capacitor/keyboard'
        if (!process.env.STAGE) throw new Error('STAGE?')
        export default { appId: 'com.example.app', plugins: { Keyboard: { resize: KeyboardResize.Body } } }`)
      const error = await failure(read(root))
      expect(error).toBeInstanceOf(PackagesMissing)
      expect(error.message).toBe('capacitor.config.ts:2:39: the config threw Error: STAGE?')
      expect(error.hint).toContain('not set: STAGE')
    })

    it.each([
      ['an import', `import 'dotenv/config'\nexport default { appId: process.env.APP_ID }`],
      [
        'a require that is caught',
        `try { require('dotenv') } catch {}\nexport default { appId: 'com.example.app' }`,
      ],
      ['one that ends the process', `try { require('dotenv') } catch { process.exit(1) }`],
      [
        'a file of it',
        `import { readFileSync } from 'node:fs'\nexport default JSON.parse(readFileSync('node_modules/dotenv/package.json', 'utf8'))`,
      ],
    ])('before the install, for want of a package: %s', async (_, content) => {
      expect(await failure(read(ts(content), { beforeInstall: true }))).toBeInstanceOf(PackagesMissing)
    })

    it('after it, what goes on without a package is what counts', async () => {
      const root = ts(`try { require('dotenv') } catch {}\nexport default { appId: 'com.example.app' }`)
      expect(await read(root)).toMatchObject({ appId: 'com.example.app' })
    })

    it('where a generated file is missing, with both ways out', async () => {
      const error = await failure(read(ts('import { id } from "./generated"\nexport default { appId: id }')))
      expect(error).not.toBeInstanceOf(PackagesMissing)
      expect(error.hint).toContain(
        'Correct the path, or commit the file. If a script generates the file, run that script in an earlier step, or set the inputs app-id and web-dir.',
      )
    })

    it.each([
      [
        'appId: process.env.APP_ID, webDir: process.env.OUT',
        'capacitor.config.ts has no appId. Not set: APP_ID.',
      ],
      [
        'appId: `com.${process.env.STAGE}.app`',
        'capacitor.config.ts: appId is "com.undefined.app". Not set: STAGE.',
      ],
      ['appId: process.env.APP_ID ?? ""', 'capacitor.config.ts has no appId. Not set: APP_ID.'],
    ])('names the variable: %s', async (content, message) => {
      const error = await failure(read(ts(`export default {\n  ${content},\n}`)))
      expect(error).toMatchObject({ code: 'app_id_missing', message })
      expect(error.hint).toContain('build-env')
    })

    it.each(['ts', 'js'])('on a .%s file that is a comment as a whole', async ending => {
      const root = makeProject({
        [`capacitor.config.${ending}`]: '// export default { appId: "com.example.app" }\n',
      })
      expect(await failure(read(root))).toMatchObject({
        code: 'config_no_object',
        message: `capacitor.config.${ending} is not a config: it exports nothing.`,
      })
    })

    it('when it throws what is no error', async () => {
      expect(await failure(read(ts('throw "plain"')))).toMatchObject({
        code: 'config_failed',
        message: 'capacitor.config.ts: the config threw plain',
      })
    })

    it('when it ends the process', async () => {
      const error = await failure(read(ts('console.error("bye"); process.exit(4)')))
      expect(error).toMatchObject({ code: 'config_failed', output: 'bye\n' })
      expect(error.message).toContain('exit code 4')
    })

    it('when it does not end', async () => {
      const error = await failure(read(ts('while (true) {}'), { timeout: 1000 }))
      expect(error.code).toBe('config_timeout')
    })

    it('when a promise never settles', async () => {
      const error = await failure(read(ts('export default new Promise(() => {})')))
      expect(error.code).toBe('config_failed')
    })

    it.each([
      [
        'a package',
        'import dotenv from "dotenv"\ndotenv.config()\nexport default {}',
        'dotenv',
        'Add it to the dependencies',
      ],
      ['a file', 'import { a } from "./nowhere"\nexport default a', './nowhere', 'path'],
    ])('when %s is missing', async (_, content, name, advice) => {
      const error = await failure(read(ts(`\n${content}`)))
      expect(error).toMatchObject({
        code: 'config_module_missing',
        at: { file: 'capacitor.config.ts', line: 2 },
      })
      expect(error.message).toContain(`"${name}"`)
      expect(error.hint).toContain(advice)
    })

    it.each([
      ['the app id', 'import { id } from "@x/capacitor-kit"\nexport default { appId: id, webDir: "a" }'],
      [
        'the web folder',
        'import { dir } from "@x/capacitor-kit"\nexport default { appId: "com.example.app", webDir: dir }',
      ],
      ['everything', 'import { define } from "@x/capacitor-kit"\nexport default define({})'],
      ['text', 'import { id } from "@x/capacitor-kit"\nexport default { appId: "com." + id }'],
    ])('when %s comes from a Capacitor package that is not installed', async (_, content) => {
      const error = await failure(read(ts(content)))
      expect(error.code).toBe('config_module_missing')
      expect(error.message).toContain('@x/capacitor-kit')
    })

    it.each([
      'export const a = 1',
      'export default undefined',
      'export default "x"',
      'module.exports = null',
      'export default () => ({})',
    ])('when it exports no config: %s', async content => {
      const error = await failure(read(ts(content)))
      expect(['config_no_object', 'app_id_missing']).toContain(error.code)
    })

    it.each([
      ['export default { webDir: "a" }', 'app_id_missing'],
      ['export default { appId: "", webDir: "a" }', 'app_id_missing'],
      ['export default { appId: "example" }', 'invalid_app_id'],
      ['export default { appId: "com.example app" }', 'invalid_app_id'],
      ['export default { appId: 7 }', 'config_invalid'],
      ['export default { appId: "a.b", plugins: { CapacitorUpdater: { version: 1 } } }', 'config_invalid'],
      ['export default { appId: "a.b", webDir: "" }', 'web_dir_invalid'],
      ['export default { appId: "a.b", webDir: "." }', 'web_dir_invalid'],
    ])('on %s', async (content, code) => {
      expect(await failure(read(ts(content)))).toMatchObject({ code, at: { file: 'capacitor.config.ts' } })
    })
  })
})

it('tells values that a variable should have given', async () => {
  const root = ts(`export default {
    appId: 'com.example.app', webDir: 'www',
    plugins: { CapacitorUpdater: {
      publicKey: process.env.PUBLIC_KEY,
      defaultChannel: process.env.CHANNEL ?? 'beta',
      updateUrl: \`https://\${process.env.HOST}/updates\`,
    } },
  }`)
  expect((await read(root)).unset).toEqual(['publicKey (PUBLIC_KEY)', 'updateUrl (HOST)'])
})

describe('findCapacitorDirectory', () => {
  it.each([
    ['the folder itself', 'app', 'app', ['app/capacitor.config.ts', 'capacitor.config.ts']],
    [
      "Quasar's",
      'app',
      'app/src-capacitor',
      ['app/src-capacitor/capacitor.config.json', 'capacitor.config.ts'],
    ],
    [
      "Quasar's, with a left-over beside it",
      'app',
      'app/src-capacitor',
      ['app/src-capacitor/capacitor.config.json', 'app/capacitor.config.ts'],
    ],
    ['the nearest above', 'app/web', 'app', ['app/capacitor.config.js', 'capacitor.config.ts']],
    ['none', 'app', 'app', []],
  ])('%s', async (_, from, found, files) => {
    const root = makeProject(Object.fromEntries([...files, 'app/web/x'].map(file => [file, ''])))
    expect(await findCapacitorDirectory(join(root, from), root)).toBe(join(root, found))
  })
})
