import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findStale, NOTHING, whyInstall } from '../../../src/checkout/installed.ts'
import { findManifest } from '../../../src/checkout/package-json.ts'
import { detectPackageManager } from '../../../src/checkout/package-manager.ts'
import { makeProject } from './project.ts'

// As the managers wrote them: npm 11, pnpm 10, yarn 1.22 and 4.18 (with node_modules and without), bun 1.4. What
// this system does not take (esbuild for Windows) is in the lockfiles alone.
const npmLock = (version: string, integrity: string, more = {}) =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { 'left-pad': version } },
      'packages/ui': { version: '1.0.0' },
      'node_modules/ui': { resolved: 'packages/ui', link: true },
      'node_modules/left-pad': { version, integrity, license: 'WTFPL' },
      ...more,
    },
  })
const WINDOWS = { 'node_modules/@esbuild/win32-x64': { version: '0.21.5', optional: true } }
const pnpmLock = (version: string) => `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      left-pad:
        specifier: ${version}
        version: ${version}

packages:

  '@esbuild/win32-x64@0.21.5':
    resolution: {integrity: sha512-tQ==}
    os: [win32]

  left-pad@${version}:
    resolution: {integrity: sha512-OQ==}

snapshots:

  left-pad@${version}: {}
`
const integrity = (version: string) =>
  JSON.stringify({
    topLevelPatterns: ['left-pad@^1.2.0'],
    lockfileEntries: {
      'is-odd@2 || 3': 'https://registry.example/is-odd-3.0.0.tgz#2992',
      'left-pad@^1.2.0': `https://registry.example/left-pad-${version}.tgz#d30a`,
    },
  })
const classicLock = (version: string) => `# yarn lockfile v1


"is-odd@2 || 3", is-odd@^3.0.0:
  version "3.0.0"
  resolved "https://registry.example/is-odd-3.0.0.tgz#2992"
  dependencies:
    is-number "^6.0.0"

left-pad@^1.2.0:
  version "${version}"
  resolved "https://registry.example/left-pad-${version}.tgz#d30a"
`
const berryState = (version: string) => `__metadata:
  version: 1

"a@workspace:.":
  locations:
    - ""

"left-pad@npm:${version}":
  locations:
    - "node_modules/left-pad"

"react-dom@virtual:98449bcd1a#npm:18.2.0":
  locations:
    - "node_modules/react-dom"
`
const pnp = (version: string) => `      "packageDependencies": [\\
          ["left-pad", "npm:${version}"],\\
          ["react-dom", "virtual:98449bcd1a#npm:18.2.0"],\\
          ["typescript", "patch:typescript@npm%3A5.4.5#optional!builtin<compat/typescript>::version=5.4.5&hash=5adc0c"]\\
        ],\\
      "packageLocation": "./.yarn/cache/left-pad-npm-${version}.zip/node_modules/left-pad/",\\
      "packageLocation": "./.yarn/__virtual__/x/5/y.zip/node_modules/y/",\\
      "packageLocation": "./.yarn/unplugged/fsevents/node_modules/fsevents/",\\
`
const berryLock = (version: string) => `__metadata:
  version: 10

"left-pad@npm:^1.2.0":
  version: ${version}
  resolution: "left-pad@npm:${version}"

"react-dom@npm:18.2.0":
  resolution: "react-dom@npm:18.2.0"

"typescript@patch:typescript@npm%3A5.4.5#optional!builtin<compat/typescript>":
  resolution: "typescript@patch:typescript@npm%3A5.4.5#optional!builtin<compat/typescript>::version=5.4.5&hash=5adc0c"
`

describe('findStale', () => {
  it.each([
    [
      '.package-lock.json',
      npmLock('1.2.0', 'sha512-OQ=='),
      npmLock('1.2.0', 'sha512-OQ==', WINDOWS),
      npmLock('1.3.0', 'sha512-XX=='),
      'node_modules/left-pad',
    ],
    ['.pnpm/lock.yaml', pnpmLock('1.2.0'), pnpmLock('1.2.0'), pnpmLock('1.3.0'), 'left-pad@1.2.0'],
    ['.yarn-integrity', integrity('1.2.0'), classicLock('1.2.0'), classicLock('1.3.0'), 'left-pad@^1.2.0'],
    ['.yarn-state.yml', berryState('1.2.0'), berryLock('1.2.0'), berryLock('1.3.0'), 'left-pad@npm:1.2.0'],
    ['.pnp.cjs', pnp('1.2.0'), berryLock('1.2.0'), berryLock('1.3.0'), 'left-pad@npm:1.2.0'],
  ])('%s', (file, state, same, other, name) => {
    expect(findStale(file, state, same)).toBeNull()
    expect(findStale(file, state, other)).toBe(name)
    // One that no manager of this generation wrote.
    expect(findStale(file, state, 'a: 1\n')).toBeNull()
  })
})

describe('whyInstall', () => {
  const why = async (files: Record<string, string | object>, env = {}, folder = '.') => {
    const root = makeProject({
      'package.json': { dependencies: { 'left-pad': '1' }, devDependencies: { vite: '6' } },
      ...files,
    })
    const directory = join(root, folder)
    const manager = await detectPackageManager({ root, directory })
    return whyInstall({ manifest: (await findManifest(directory, root))!, manager, root, env })
  }
  const both = { 'node_modules/left-pad/index.js': '', 'node_modules/vite/index.js': '' }
  const npm = {
    'package-lock.json': npmLock('1.2.0', 'sha512-OQ=='),
    'node_modules/.package-lock.json': npmLock('1.2.0', 'sha512-OQ=='),
  }
  const bunLock = '{ "packages": { "left-pad": ["left-pad@1.3.0", "", {}, "sha512-OQ=="], }, }'
  const PNP = { 'yarn.lock': berryLock('1.2.0'), '.pnp.cjs': pnp('1.2.0') }

  it.each<[string, string | null, Record<string, string | object>, Record<string, string>?]>([
    ['all is there', null, { ...npm, ...both }],
    ['nothing is', NOTHING, {}],
    [
      'a cache alone',
      NOTHING,
      {
        'package-lock.json': npmLock('1.2.0', 'x'),
        'node_modules/.cache/x/y': '',
        'node_modules/.vite/z': '',
      },
    ],
    [
      'an older install',
      expect.stringContaining('node_modules/left-pad differs'),
      { ...npm, ...both, 'package-lock.json': npmLock('1.3.0', 'sha512-XX==') },
    ],
    ['a dependency is missing', 'node_modules has no left-pad.', { ...npm, 'node_modules/vite/x': '' }],
    ['devDependencies are', 'node_modules has no vite.', { ...npm, 'node_modules/left-pad/x': '' }],
    [
      'devDependencies are left out',
      null,
      { ...npm, 'node_modules/left-pad/x': '' },
      { NODE_ENV: 'production' },
    ],
    [
      'npm is told to leave them out',
      null,
      { ...npm, 'node_modules/left-pad/x': '' },
      { npm_config_omit: 'dev' },
    ],
    [
      'another manager installed',
      null,
      {
        'pnpm-lock.yaml': pnpmLock('1.3.0'),
        'node_modules/.package-lock.json': npmLock('1.2.0', 'x'),
        'node_modules/left-pad/x': '',
      },
    ],
    ['no manager did', null, { 'package-lock.json': npmLock('1.2.0', 'x'), 'node_modules/left-pad/x': '' }],
    ['without a lockfile', null, { 'node_modules/left-pad/x': '' }],
    [
      'bun, another version',
      expect.stringContaining('left-pad differs'),
      { 'bun.lock': bunLock, ...both, 'node_modules/left-pad/package.json': { version: '1.2.0' } },
    ],
    [
      'bun, the same',
      null,
      { 'bun.lock': bunLock, ...both, 'node_modules/left-pad/package.json': { version: '1.3.0' } },
    ],
    ['bun, a part', 'node_modules has no vite.', { 'bun.lockb': '', 'node_modules/left-pad/x': '' }],
    ['yarn without node_modules', null, { ...PNP, '.yarn/cache/left-pad-npm-1.2.0.zip': '' }],
    ['its loader alone', expect.stringContaining('left-pad-npm-1.2.0.zip, which is missing'), PNP],
    [
      'its loader of another lockfile',
      expect.stringContaining('.pnp.cjs does not match the lockfile'),
      { ...PNP, 'yarn.lock': berryLock('1.3.0') },
    ],
  ])('%s', async (_, expected, files, env) => {
    expect(await why(files, env)).toEqual(expected)
  })

  it('dependencies of an app in a folder, installed above it', async () => {
    const files = { ...npm, ...both, 'apps/a/package.json': { dependencies: { vite: '6' } } }
    expect(await why(files, {}, 'apps/a')).toBeNull()
  })
})
