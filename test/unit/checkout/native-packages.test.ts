import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasUpdater, readNativePackages } from '../../../src/checkout/native-packages.ts'
import { failure, makeProject, writeIn } from './project.ts'

const CAPACITOR = { ios: { src: 'ios' }, android: { src: 'android' } }
const CORDOVA = '<plugin xmlns="http://apache.org/cordova/ns/plugins/1.0" id="device" version="3.0.0"/>\n'
const MIB = 1024 * 1024

/** Names that sort in different ways, and files that Capgo's CLI leaves out or takes twice. */
const OFFICIAL_FILES = {
  'CapacitorCamera.podspec': 'Pod::Spec.new\n',
  'Package.swift': '// root\n',
  'ios/Package.swift': '// below\n',
  'ios/Sources/Camera/B.swift': 'b\r\n',
  'ios/Sources/Camera/a.swift': 'a\n',
  'ios/Sources/Camera/a-b.swift': 'hyphen\n',
  'ios/Sources/Camera/a_b.swift': 'underscore\n',
  'ios/Sources/Camera/a2.swift': '2\n',
  'ios/Sources/Camera/a10.swift': '10\n',
  'ios/Sources/Camera/Camera.m': '// not hashed\n',
  'ios/Sources/Camera+More.swift': 'plus\n',
  'ios/Sources/Camera/+.swift': 'no\n',
  'ios/node_modules/x/X.swift': 'x\n',
  'ios/Tests/CameraTests/Test.swift': 'test\n',
  'ios/Shared.java': 'java below ios\n',
  'android/build.gradle': 'gradle\n',
  'android/build.gradle.kts': 'kts\n',
  'android/settings.gradle': 'not hashed\n',
  'android/src/main/AndroidManifest.xml': '<manifest/>\n',
  'android/src/main/java/io/camera/Camera.java': 'class Camera {}\n',
  'android/src/main/java/io/Camera.java': 'class A {}\n',
  'android/src/main/kotlin/io/Camera.kt': 'upper\n',
  'android/Build.scala': 's\n',
  'example/ios/Example.swift': '// not hashed\n',
}
/** Written by @capgo/cli 8.68.1 (`bundle upload`) for a dependency of these files. */
const OFFICIAL_CHECKSUMS = {
  ios_checksum: 'ca89b1a987eb74e9a4cc8fa625e9ef168212d5f85a37c5f2376a4b3dad2f9053',
  android_checksum: 'e80a778e0735e44c51c2c8b52d00ac75f58c4f05f8bf19c4e217c114f2ed719f',
}

const sha256 = (...parts: string[]) => createHash('sha256').update(parts.join('')).digest('hex')

/** An app with one dependency, `camera`, that has these files besides its package.json. */
function makeCamera(files: Record<string, string>, own: object = { version: '7.0.2', capacitor: CAPACITOR }) {
  const root = makeProject({
    'package.json': { dependencies: { camera: '^7.0.0' } },
    'node_modules/camera/package.json': own,
  })
  for (const [path, content] of Object.entries(files)) writeIn(root, `node_modules/camera/${path}`, content)
  return root
}

async function readCamera(files: Record<string, string>) {
  const [camera] = await readNativePackages(makeCamera(files))
  return camera!
}

function link(root: string, from: string, target: string): void {
  const file = join(root, from)
  mkdirSync(dirname(file), { recursive: true })
  symlinkSync(target, file)
}

describe('which packages are native', () => {
  it.each([
    ['capacitor.ios with Swift', { capacitor: { ios: { src: 'ios' } } }, { 'Sources/Device.swift': '' }],
    [
      'capacitor.android with Kotlin',
      { capacitor: { android: { src: 'android' } } },
      { 'lib/Device.kt': '' },
    ],
    ['a plugin.xml of Cordova with Java', {}, { 'plugin.xml': CORDOVA, 'src/android/Device.java': '' }],
    ['a plugin.xml of Cordova with Scala', {}, { 'plugin.xml': CORDOVA, 'Device.scala': '' }],
  ])('%s', async (_, own, files) => {
    const found = await readNativePackages(makeCamera(files, { version: '7.0.2', ...own }))
    expect(found).toEqual([{ name: 'camera', version: '7.0.2', requested_version: '^7.0.0' }])
  })

  it.each([
    ['JavaScript', {}, { 'index.js': '', 'ios/README.md': '' }],
    ['a capacitor entry without a platform', { capacitor: { bundledWebRuntime: false } }, {}],
    ['sources alone', {}, { 'src/android/Device.java': '', 'lib/Device.kt': '', 'Sources/Device.swift': '' }],
    ['a plugin without sources', { capacitor: { ios: {} } }, { 'plugin.xml': CORDOVA }],
    ['a plugin.xml of something else', {}, { 'plugin.xml': '<idea-plugin/>' }],
    ['sources of another package in it', {}, { 'node_modules/other/Other.java': '' }],
    ['sources of another package further down', {}, { 'lib/node_modules/other/Other.java': '' }],
    ['names that only look like sources', {}, { 'swift.js': '', 'a.java.txt': '', '.kt': '' }],
  ])('not: %s', async (_, own, files) => {
    expect(await readNativePackages(makeCamera(files, { version: '7.0.2', ...own }))).toEqual([])
  })
})

describe('readNativePackages', () => {
  it('reads the three kinds of dependencies, by name', async () => {
    const root = makeProject({
      'package.json': {
        dependencies: { zebra: '1.x', '@b/plugin': '~2.0.0' },
        devDependencies: { Upper: '*' },
        optionalDependencies: { apple: '3.0.0' },
        peerDependencies: { peer: '1.0.0' },
      },
      ...Object.fromEntries(
        ['zebra', '@b/plugin', 'Upper', 'apple', 'peer', 'transitive'].flatMap(name => [
          [`node_modules/${name}/package.json`, { version: '9.0.0', capacitor: CAPACITOR }],
          [`node_modules/${name}/Plugin.kt`, ''],
        ]),
      ),
    })
    expect((await readNativePackages(root)).map(each => [each.name, each.requested_version])).toEqual([
      ['@b/plugin', '~2.0.0'],
      ['Upper', '*'],
      ['apple', '3.0.0'],
      ['zebra', '1.x'],
    ])
  })

  it('finds what a monorepo installs at its root, the nearest one first', async () => {
    const root = makeProject({
      'apps/mobile/package.json': { dependencies: { camera: '^7.0.0', share: '^7.0.0' } },
      'apps/mobile/node_modules/share/package.json': { version: '7.0.1', capacitor: CAPACITOR },
      'apps/mobile/node_modules/share/Share.kt': '',
      'node_modules/share/package.json': { version: '6.0.0', capacitor: CAPACITOR },
      'node_modules/camera/package.json': { version: '7.0.2', capacitor: CAPACITOR },
      'node_modules/camera/ios/Camera.swift': 'camera',
    })
    expect(await readNativePackages(join(root, 'apps/mobile'))).toEqual([
      {
        name: 'camera',
        version: '7.0.2',
        requested_version: '^7.0.0',
        ios_checksum: sha256('ios/Camera.swift', 'camera'),
      },
      { name: 'share', version: '7.0.1', requested_version: '^7.0.0' },
    ])
  })

  it('follows the links of pnpm and of workspaces to the package', async () => {
    const store = 'node_modules/.pnpm/camera@7.0.2/node_modules/camera'
    const root = makeProject({
      'apps/mobile/package.json': { dependencies: { camera: '^7.0.0', local: 'workspace:*' } },
      [`${store}/package.json`]: { version: '7.0.2', capacitor: CAPACITOR },
      [`${store}/android/Camera.kt`]: 'camera',
      'packages/local/package.json': { version: '0.1.0', capacitor: CAPACITOR },
      'packages/local/ios/Local.swift': 'local',
    })
    link(root, 'apps/mobile/node_modules/camera', join(root, store))
    link(root, 'apps/mobile/node_modules/local', '../../../packages/local')
    expect(await readNativePackages(join(root, 'apps/mobile'))).toEqual([
      {
        name: 'camera',
        version: '7.0.2',
        requested_version: '^7.0.0',
        android_checksum: sha256('android/Camera.kt', 'camera'),
      },
      {
        name: 'local',
        version: '0.1.0',
        requested_version: 'workspace:*',
        ios_checksum: sha256('ios/Local.swift', 'local'),
      },
    ])
  })

  it('leaves out what is not installed', async () => {
    const root = makeProject({
      'package.json': { dependencies: { gone: '1.0.0', dangling: '1.0.0', camera: '7.0.0' } },
      'node_modules/camera/package.json': { version: '7.0.0', capacitor: CAPACITOR },
      'node_modules/camera/Camera.kt': '',
    })
    link(root, 'node_modules/dangling', join(root, 'nowhere'))
    expect((await readNativePackages(root)).map(({ name }) => name)).toEqual(['camera'])
  })

  it('is empty without an install, without dependencies and without a package.json', async () => {
    const camera = { dependencies: { camera: '7.0.0' } }
    for (const files of [{ 'package.json': camera }, { 'package.json': {} }, { 'package.json': '[]' }, {}])
      expect(await readNativePackages(makeProject(files))).toEqual([])
  })

  it('takes the range for the version when the package.json of a dependency tells none', async () => {
    for (const own of ['{ "version": "7.0.2", ', '', 'null', '{}', '{ "version": 7 }', '{ "version": "" }']) {
      const root = makeProject({
        'package.json': { dependencies: { camera: '^7.0.0' } },
        'node_modules/camera/package.json': own,
        'node_modules/camera/plugin.xml': CORDOVA,
        'node_modules/camera/ios/Camera.swift': 'camera',
      })
      expect(await readNativePackages(root), own).toMatchObject([
        { name: 'camera', version: '^7.0.0', requested_version: '^7.0.0' },
      ])
    }
  })

  it('throws for a broken package.json of the app, and says where', async () => {
    const error = await failure(readNativePackages(makeProject({ 'package.json': '{\n  "name" "a"\n}' })))
    expect(error).toMatchObject({ code: 'package_json_broken', at: { file: 'package.json', line: 2 } })
  })

  it('takes no name that leads out of node_modules, and no range that is not a text', async () => {
    const names = ['..', '../outside', '@scope/../../outside', '/outside', '.hidden', 'a/b', '']
    const root = makeProject({
      'app/package.json': {
        dependencies: { ...Object.fromEntries(names.map(name => [name, '1.0.0'])), number: 1 },
      },
      'app/outside/package.json': { version: '1.0.0', capacitor: CAPACITOR },
      ...Object.fromEntries(
        ['.hidden', 'a/b', 'number', '@scope/x'].map(name => [
          `app/node_modules/${name}/package.json`,
          { version: '1.0.0', capacitor: CAPACITOR },
        ]),
      ),
    })
    expect(await readNativePackages(join(root, 'app'))).toEqual([])
  })
})

describe('checksums', () => {
  it('are over sorted paths and contents, those of the build files included', async () => {
    const camera = await readCamera({
      'CapacitorCamera.podspec': 'pod',
      'Package.swift': 'spm',
      'ios/Sources/Camera/B.swift': 'b',
      'ios/Sources/Camera/a.swift': 'a',
      'ios/Sources/Camera/Camera.m': 'Objective-C is not hashed',
      'android/build.gradle': 'gradle',
      'android/build.gradle.kts': 'kts',
      'android/settings.gradle': 'not hashed',
      'android/src/main/AndroidManifest.xml': 'not hashed',
      'android/src/main/java/Camera.java': 'java',
      'android/src/main/kotlin/Camera.kt': 'kt',
      'src/Elsewhere.java': 'not hashed',
      'example/ios/Example.swift': 'not hashed',
    })
    // Words of a language, not code units: that is how Capgo's CLI sorts.
    expect(camera.ios_checksum).toBe(
      sha256(
        ...['CapacitorCamera.podspec', 'pod', 'ios/Sources/Camera/a.swift', 'a'],
        ...['ios/Sources/Camera/B.swift', 'b', 'Package.swift', 'spm'],
      ),
    )
    expect(camera.android_checksum).toBe(
      sha256(
        ...['android/build.gradle', 'gradle', 'android/build.gradle.kts', 'kts'],
        ...['android/src/main/java/Camera.java', 'java', 'android/src/main/kotlin/Camera.kt', 'kt'],
      ),
    )
  })

  it('are those of the official CLI', async () => {
    const { ios_checksum, android_checksum } = await readCamera(OFFICIAL_FILES)
    expect({ ios_checksum, android_checksum }).toEqual(OFFICIAL_CHECKSUMS)
  })

  it('take lines as they end, and tell a renamed file', async () => {
    const base = await readCamera({ 'ios/Camera.swift': 'a\n' })
    expect(await readCamera({ 'ios/Camera.swift': 'a\n' })).toEqual(base)
    for (const files of [
      { 'ios/Camera.swift': 'a\r\n' },
      { 'ios/Camera2.swift': 'a\n' },
      { 'ios/Camera.swift': 'a\n', 'ios/More.swift': '' },
    ])
      expect((await readCamera(files)).ios_checksum).not.toBe(base.ios_checksum)
  })

  it('are of one platform where the other has no sources', async () => {
    expect(await readCamera({ 'android/Camera.java': 'java' })).toEqual({
      name: 'camera',
      version: '7.0.2',
      requested_version: '^7.0.0',
      android_checksum: sha256('android/Camera.java', 'java'),
    })
  })

  it('follow links within the package, and none that leads out of it', async () => {
    const root = makeCamera({ 'ios/Camera.swift': 'camera', 'shared/Shared.swift': 'shared' })
    writeIn(root, 'outside/Secret.swift', 'secret')
    link(root, 'node_modules/camera/ios/Shared.swift', '../shared/Shared.swift')
    link(root, 'node_modules/camera/ios/Secret.swift', join(root, 'outside/Secret.swift'))
    link(root, 'node_modules/camera/ios/loop', '..')
    link(root, 'node_modules/camera/ios/folder.swift', '../shared')
    link(root, 'node_modules/camera/android', join(root, 'outside'))
    expect(await readNativePackages(root)).toEqual([
      {
        name: 'camera',
        version: '7.0.2',
        requested_version: '^7.0.0',
        ios_checksum: sha256('ios/Camera.swift', 'camera', 'ios/Shared.swift', 'shared'),
      },
    ])
  })

  it('are left out where there is too much to hash', async () => {
    const root = makeCamera({ 'ios/Camera.swift': 'camera', 'android/Camera.kt': 'camera' })
    truncateSync(writeIn(root, 'node_modules/camera/ios/Huge.swift', ''), 64 * MIB)
    const [camera] = await readNativePackages(root)
    expect(camera).not.toHaveProperty('ios_checksum')
    expect(camera).toHaveProperty('android_checksum')
  })
})

describe('hasUpdater', () => {
  const core = { dependencies: { '@capacitor/core': '8.0.0' } }
  const updater = { dependencies: { '@capgo/capacitor-updater': '8.0.0' } }
  it.each([
    ['the app has it', { 'app/package.json': updater }, true],
    // Quasar: the app's own package.json is for the web, that of src-capacitor for the native projects.
    [
      'the folder above has it, and not the package.json beside the config',
      { 'app/package.json': core, 'package.json': updater },
      false,
    ],
    [
      'another app of the workspace has it, so it is installed',
      {
        'app/package.json': {},
        'package.json': core,
        'node_modules/@capgo/capacitor-updater/package.json': {},
      },
      false,
    ],
    ['the root has it, and the app no package.json (Nx)', { 'package.json': updater }, true],
    ['the root is all there is, and has none (Nx)', { 'package.json': core }, false],
    ['nobody has it', { 'app/package.json': core, 'package.json': {} }, false],
    ['the app is above, and this its web code', { 'app/package.json': {}, 'package.json': updater }, true],
    ['no file is of an app', { 'app/package.json': {}, 'package.json': '{' }, null],
  ])('%s', async (_, files, found) => {
    const root = makeProject(files as Record<string, object>)
    expect(await hasUpdater(root, join(root, 'app'))).toBe(found)
  })
})
