import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CapacitorConfig } from '../../../src/bundle/capacitor-config.ts'
import { readNativeVersions } from '../../../src/bundle/native-version.ts'
import { makeProject } from './project.ts'

const config = (root: string, extra: Partial<CapacitorConfig> = {}): CapacitorConfig => ({
  file: join(root, 'capacitor.config.ts'),
  appId: 'com.example.app',
  webDir: 'dist',
  nativePaths: { android: 'android', ios: 'ios' },
  updater: {},
  ...extra,
})
const GRADLE = 'android/app/build.gradle'
const PROJECT = 'ios/App/App.xcodeproj/project.pbxproj'

const read = (root: string) => readNativeVersions({ root, directory: root, config: null })

/** As Xcode writes it: tabs, ids of 24 digits, comments with names. */
function pbxproj(settings: { debug?: string; release?: string; project?: string; tests?: string }): string {
  const id = (n: number) => n.toString(16).toUpperCase().padStart(24, '0')
  const version = (value?: string) => (value === undefined ? '' : `\t\t\t\tMARKETING_VERSION = ${value};\n`)
  const configuration = (n: number, name: string, value?: string) =>
    `\t\t${id(n)} /* ${name} */ = {\n\t\t\tisa = XCBuildConfiguration;\n\t\t\tbuildSettings = {\n\t\t\t\tINFOPLIST_FILE = App/Info.plist;\n${version(value)}\t\t\t};\n\t\t\tname = ${name};\n\t\t};\n`
  const list = (n: number, ...of: number[]) =>
    `\t\t${id(n)} /* list */ = {\n\t\t\tisa = XCConfigurationList;\n\t\t\tbuildConfigurations = (\n${of.map(each => `\t\t\t\t${id(each)} /* c */,\n`).join('')}\t\t\t);\n\t\t\tdefaultConfigurationName = Release;\n\t\t};\n`
  const target = (n: number, kind: string, lists: number) =>
    `\t\t${id(n)} /* T */ = {\n\t\t\tisa = PBXNativeTarget;\n\t\t\tbuildConfigurationList = ${id(lists)} /* l */;\n\t\t\tname = T;\n\t\t\tproductType = "${kind}";\n\t\t};\n`
  return `// !$*UTF8*$!\n{\n\tarchiveVersion = 1;\n\tobjects = {\n\n${target(1, 'com.apple.product-type.application', 11)}${target(2, 'com.apple.product-type.bundle.unit-test', 12)}\t\t${id(3)} /* Project object */ = {\n\t\t\tisa = PBXProject;\n\t\t\tbuildConfigurationList = ${id(13)} /* l */;\n\t\t};\n${configuration(21, 'Debug', settings.debug)}${configuration(22, 'Release', settings.release)}${configuration(23, 'Release', settings.tests)}${configuration(24, 'Release', settings.project)}${list(11, 21, 22)}${list(12, 23)}${list(13, 24)}\t};\n\trootObject = ${id(3)} /* Project object */;\n}\n`
}

const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split('\n').length

describe('readNativeVersions', () => {
  it('is empty without native projects', async () => {
    expect(await read(makeProject({}))).toEqual([])
  })

  it('takes plugins.CapacitorUpdater.version alone, because devices say it', async () => {
    const root = makeProject({ [GRADLE]: 'versionName "1.0"' })
    const versions = await readNativeVersions({
      root,
      directory: root,
      config: config(root, { updater: { version: '2.3.4' } }),
    })
    expect(versions).toEqual([
      { platform: 'any', version: '2.3.4', source: 'capacitor.config.ts (plugins.CapacitorUpdater.version)' },
    ])
  })

  describe('Android', () => {
    it.each([
      [
        'Groovy',
        'android {\n    defaultConfig {\n        versionCode 1\n        versionName "1.0"\n    }\n}',
        '1.0',
        4,
      ],
      ['an assignment', 'defaultConfig {\n  versionName = "1.2.3"\n}', '1.2.3', 2],
      ['single quotes', "versionName '1.2'", '1.2', 1],
      ['a call', 'versionName("1.4")', '1.4', 1],
      ['one line', 'defaultConfig { versionCode 3; versionName "1.5" }', '1.5', 1],
      ['a comment behind it', 'versionName "1.6" // as in the store', '1.6', 1],
      [
        'a comment before it',
        '/*\n versionName "9"\n*/\n// versionName "8"\ndef u = "https://x"\nversionName "1.7"',
        '1.7',
        6,
      ],
      ['Windows line ends', 'a\r\nversionName "1.8"\r\nb', '1.8', 2],
    ])('reads %s', async (_, text, version, line) => {
      const root = makeProject({ [GRADLE]: text })
      expect(await read(root)).toEqual([{ platform: 'android', version, source: `${GRADLE}:${line}` }])
    })

    it.each([
      'versionName appVersion',
      'versionName "$major.0"',
      `versionName "\${rootProject.ext.version}"`,
      'versionName "1.0" + suffix',
      'versionName = providers.gradleProperty("v").get()',
      'versionNameSuffix "-debug"',
      'println "versionName 1.0"',
    ])('leaves out %s', async text => {
      expect(await read(makeProject({ [GRADLE]: text }))).toEqual([])
    })

    it('reads Kotlin, flavours once each', async () => {
      const text =
        'defaultConfig {\n versionName = "1.0"\n}\nproductFlavors {\n create("a") { versionName = "2.0" }\n create("b") { versionName = "1.0" }\n}'
      const root = makeProject({ 'android/app/build.gradle.kts': text })
      expect(await read(root)).toEqual([
        { platform: 'android', version: '1.0', source: 'android/app/build.gradle.kts:2' },
        { platform: 'android', version: '2.0', source: 'android/app/build.gradle.kts:5' },
      ])
    })
  })

  describe('iOS', () => {
    it('reads the Release configuration of the app', async () => {
      const text = pbxproj({ debug: '0.1', release: '1.4.0', tests: '7.0', project: '8.0' })
      expect(await read(makeProject({ [PROJECT]: text }))).toEqual([
        {
          platform: 'ios',
          version: '1.4.0',
          source: `${PROJECT}:${lineOf(text, 'MARKETING_VERSION = 1.4.0')}`,
        },
      ])
    })

    it('reads a quoted value, and the project where the target is silent', async () => {
      const text = pbxproj({ project: '"2.0"' })
      expect(await read(makeProject({ [PROJECT]: text }))).toEqual([
        { platform: 'ios', version: '2.0', source: `${PROJECT}:${lineOf(text, 'MARKETING_VERSION')}` },
      ])
    })

    it('leaves out a variable', async () => {
      expect(
        await read(makeProject({ [PROJECT]: pbxproj({ release: '"$(VERSION)"', project: '1.0' }) })),
      ).toEqual([])
    })

    it('prefers a literal of Info.plist', async () => {
      const plist =
        '<plist>\n<dict>\n<key>CFBundleShortVersionString</key>\n\t<string>3.1</string>\n</dict></plist>'
      const root = makeProject({ 'ios/App/App/Info.plist': plist, [PROJECT]: pbxproj({ release: '1.0' }) })
      expect(await read(root)).toEqual([
        { platform: 'ios', version: '3.1', source: 'ios/App/App/Info.plist:4' },
      ])
    })

    it('does not take the variable of Info.plist', async () => {
      const plist = '<key>CFBundleShortVersionString</key><string>$(MARKETING_VERSION)</string>'
      const root = makeProject({ 'ios/App/App/Info.plist': plist, [PROJECT]: pbxproj({ release: '1.0' }) })
      expect((await read(root)).map(each => each.version)).toEqual(['1.0'])
    })
  })

  it('looks where the config says, and names files as seen from the checkout', async () => {
    const root = makeProject({ 'apps/a/native/droid/app/build.gradle': 'versionName "1.0"' })
    const directory = join(root, 'apps/a')
    const versions = await readNativeVersions({
      root,
      directory,
      config: config(directory, { nativePaths: { android: 'native/droid', ios: 'ios' } }),
    })
    expect(versions).toEqual([
      { platform: 'android', version: '1.0', source: 'apps/a/native/droid/app/build.gradle:1' },
    ])
  })
})
