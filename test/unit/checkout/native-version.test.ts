import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CapacitorConfig } from '../../../src/checkout/capacitor-config.ts'
import { readNativeVersions } from '../../../src/checkout/native-version.ts'
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
const KOTLIN = 'android/app/build.gradle.kts'
const PROJECT = 'ios/App/App.xcodeproj/project.pbxproj'
const PLIST = 'ios/App/App/Info.plist'

/** What is read of these files: `android 1.0 file:3`, and `android ? file:3 has "…"` where it was not understood. */
async function read(files: Parameters<typeof makeProject>[0], extra?: Partial<CapacitorConfig>) {
  const root = makeProject(files)
  const { natives, unread } = await readNativeVersions({
    root,
    directory: root,
    config: extra === undefined ? null : config(root, extra),
  })
  return [
    ...natives.map(({ platform, version, source }) => `${platform} ${version} ${source}`),
    ...unread.map(({ platform, source, says }) => `${platform} ? ${source} ${says}`),
  ]
}
const gradle = (text: string, more: Parameters<typeof makeProject>[0] = {}) =>
  read({ [GRADLE]: text, ...more })

interface Settings {
  readonly [name: string]: string
}
/** As Xcode writes it: ids of 24 digits, comments with names. */
function pbxproj(
  targets: readonly { kind?: string; configurations: Record<string, Settings>; base?: string }[],
  project: Record<string, Settings> = {},
): string {
  const objects: string[] = []
  const id = () => (objects.length + 1).toString(16).toUpperCase().padStart(24, '0')
  const add = (lines: readonly string[]) => {
    const own = id()
    objects.push([`\t\t${own} /* It */ = {`, ...lines.map(line => `\t\t\t${line}`), '\t\t};'].join('\n'))
    return own
  }
  const list = (configurations: Record<string, Settings>, base?: string) =>
    add([
      'isa = XCConfigurationList;',
      `buildConfigurations = (${Object.entries(configurations)
        .map(([name, settings]) =>
          add([
            'isa = XCBuildConfiguration;',
            ...(base === undefined ? [] : [`baseConfigurationReference = ${base} /* x */;`]),
            'buildSettings = {',
            'LD_RUNPATH_SEARCH_PATHS = (',
            '"$(inherited)",',
            ');',
            ...Object.entries(settings).map(([key, value]) => `\t${key} = ${value};`),
            '};',
            `name = "${name}";`,
          ]),
        )
        .map(each => `${each} /* ${each} */,`)
        .join('')});`,
    ])
  for (const { kind = 'application', configurations, base } of targets) {
    const reference =
      base === undefined
        ? undefined
        : add(['isa = PBXFileReference;', `path = "${base}";`, 'sourceTree = "<group>";'])
    add([
      'isa = PBXNativeTarget;',
      `buildConfigurationList = ${list(configurations, reference)};`,
      `productType = "com.apple.product-type.${kind}";`,
    ])
  }
  add(['isa = PBXProject;', `buildConfigurationList = ${list(project)};`])
  return `// !$*UTF8*$!\n{\n\tarchiveVersion = 1;\n\tobjects = {\n${objects.join('\n')}\n\t};\n\trootObject = X;\n}\n`
}
const app = (configurations: Record<string, Settings>) => [{ configurations }]
const xcode = (text: string, more: Parameters<typeof makeProject>[0] = {}) =>
  read({ [PROJECT]: text, ...more })
const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split('\n').length
const plist = (version: string) =>
  `<plist>\n<dict>\n<!-- <key>CFBundleShortVersionString</key><string>9</string> -->\n<key>CFBundleShortVersionString</key>\n\t<string>${version}</string>\n</dict></plist>`

describe('readNativeVersions', () => {
  it('is empty without native projects', async () => {
    expect(await read({ 'android/fastlane/Fastfile': '', 'ios/.gitkeep': '' })).toEqual([])
  })

  it('takes plugins.CapacitorUpdater.version alone, because devices say it', async () => {
    expect(await read({ [GRADLE]: 'versionName x' }, { updater: { version: '2.3.4' } })).toEqual([
      'any 2.3.4 capacitor.config.ts (plugins.CapacitorUpdater.version)',
    ])
  })

  it('looks where the config says, and names files as seen from the checkout', async () => {
    const root = makeProject({ 'apps/a/native/droid/app/build.gradle': 'versionName "1.0"' })
    const directory = join(root, 'apps/a')
    const { natives } = await readNativeVersions({
      root,
      directory,
      config: config(directory, { nativePaths: { android: 'native/droid', ios: 'ios' } }),
    })
    expect(natives).toEqual([
      { platform: 'android', version: '1.0', source: 'apps/a/native/droid/app/build.gradle:1' },
    ])
  })

  it('knows a project without its file from no project', async () => {
    expect(await read({ 'android/app/src/main/AndroidManifest.xml': '', 'ios/App/Podfile': '' })).toEqual([
      'android ? android/app has no readable project',
      'ios ? ios/App has no readable project',
    ])
  })
})

describe('Android', () => {
  it.each([
    ['Groovy', 'android {\n  defaultConfig {\n    versionCode 1\n    versionName "1.0"\n  }\n}', '1.0', 4],
    ['an assignment', 'defaultConfig {\n  versionName = "1.2.3"\n}', '1.2.3', 2],
    ['single quotes', "versionName '1.2'", '1.2', 1],
    ['a call', 'versionName("1.4")', '1.4', 1],
    ['one line', 'defaultConfig { versionCode 3; versionName "1.5" }', '1.5', 1],
    ['a comment behind it', 'versionName "1.6" // as in the store', '1.6', 1],
    [
      'comments before it',
      '/*\n versionName "9"\n*/\n// versionName "8"\ndef u = "https://x"\nversionName "1.7"',
      '1.7',
      6,
    ],
    ['Windows line ends', 'a\r\nversionName "1.8"\r\nb', '1.8', 2],
    ['another block', 'android.defaultConfig {\n versionName "1.9"\n}', '1.9', 2],
    ['a path', 'android.defaultConfig.versionName = "1.10"', '1.10', 1],
    ['what looks like a version', 'println "versionName 9"\ndef t = "a { b"\nversionName "1.11"', '1.11', 3],
    // Variables.
    ['a variable', 'def appVersion = "2.0"\nversionName appVersion', '2.0', 2],
    [
      'a variable of that name',
      "def versionName = '2.1'\nandroid { defaultConfig { versionName versionName } }",
      '2.1',
      2,
    ],
    ['parts', 'def major = 2\ndef minor = 2\nversionName "${major}.$minor.0"', '2.2.0', 3],
    ['a sum', 'final String a = "2.3"\nversionName a + ".1"', '2.3.1', 2],
    ['an extra property', 'ext.v = "2.4"\nversionName project.ext.v', '2.4', 2],
    ['a block of them', 'ext {\n  v = "2.5"\n}\nversionName ext.v.toString()', '2.5', 4],
    ['Kotlin', 'val v: String by extra("2.6")\nversionName = v', '2.6', 2],
  ])('reads %s', async (_, text, version, line) => {
    expect(await gradle(text)).toEqual([`android ${version} ${GRADLE}:${line}`])
  })

  it.each<[string, string, Record<string, string>]>([
    [
      'variables.gradle',
      'versionName rootProject.ext.appVersion',
      { 'android/variables.gradle': "ext {\n  appVersion = '3.0'\n}" },
    ],
    ['the root project', 'versionName rootProject.v', { 'android/build.gradle': 'ext { v = "3.0" }' }],
    [
      'a script that is applied',
      'apply from: "../version.gradle"\nversionName v',
      { 'android/version.gradle': 'ext.v = "3.0"' },
    ],
    [
      'gradle.properties',
      'versionName APP_VERSION',
      { 'android/gradle.properties': '# x\nAPP_VERSION = 3.0\n' },
    ],
    ['a property by name', 'versionName project.property("v")', { 'android/gradle.properties': 'v=3.0' }],
    [
      'a provider',
      'versionName providers.gradleProperty("v").get()',
      { 'android/gradle.properties': 'v=3.0' },
    ],
    [
      'package.json',
      "def json = new groovy.json.JsonSlurper().parseText(file('../../package.json').text)\nversionName json.version",
      {},
    ],
    [
      'package.json by steps',
      'def f = rootProject.file("../package.json")\ndef p = new JsonSlurper().parse(f)\nversionName p[\'version\'] as String',
      {},
    ],
    [
      'package.json by rootDir',
      'versionName new JsonSlurper().parse(new File("$rootDir/../package.json")).version',
      {},
    ],
    [
      'a file of its own',
      "versionName file('version.txt').text.trim()",
      { 'android/app/version.txt': '3.0\n' },
    ],
    [
      'properties of its own',
      'def p = new Properties()\np.load(new FileInputStream(rootProject.file("v.properties")))\nversionName p["NAME"]',
      { 'android/v.properties': 'NAME=3.0' },
    ],
    [
      'properties by a closure',
      'def p = new Properties()\nfile("v.properties").withInputStream { p.load(it) }\nversionName p.getProperty("NAME")',
      { 'android/app/v.properties': 'NAME: 3.0' },
    ],
  ])('looks it up in %s', async (_, text, files) => {
    const found = await gradle(text, { 'package.json': { version: '3.0' }, ...files })
    expect(found).toEqual([expect.stringMatching(/^android 3\.0 android\/app\/build\.gradle:\d$/)])
  })

  it('reads the same of Kotlin', async () => {
    const text = [
      'val versionProps by extra("x")',
      'val appVersion: String by project',
      'val json = groovy.json.JsonSlurper().parseText(file("../../package.json").readText()) as Map<*, *>',
      'android {',
      '  defaultConfig { versionName = appVersion }',
      '  productFlavors {',
      '    create("a") { versionName = json["version"] as String }',
      '    register("b") { isDefault = true }',
      '  }',
      '}',
    ].join('\n')
    const files = { 'android/gradle.properties': 'appVersion=1.0', 'package.json': { version: '4.0' } }
    expect(await read({ [KOTLIN]: text, ...files })).toEqual([
      `android 4.0 ${KOTLIN}:7`,
      `android 1.0 ${KOTLIN}:5`,
    ])
  })

  describe('flavours', () => {
    it.each<[string, string, string[]]>([
      [
        'with names of their own',
        'defaultConfig { versionName "1.0" }\nproductFlavors {\n a { versionName "2.0" }\n b { }\n c { versionName "1.0" }\n}',
        ['2.0', '1.0'],
      ],
      [
        'that all have one',
        'defaultConfig { versionName "1.0" }\nproductFlavors {\n a { versionName "2.0" }\n b { versionName "3.0" }\n}',
        ['2.0', '3.0'],
      ],
      [
        'with suffixes',
        'defaultConfig { versionName "1.0.0" }\nproductFlavors {\n a { versionNameSuffix "-a" }\n b { dimension "x" }\n}',
        ['1.0.0-a', '1.0.0'],
      ],
      [
        'of two dimensions',
        'defaultConfig { versionName "1.0" }\nproductFlavors {\n a { dimension "x"; versionName "2.0" }\n b { dimension "y" }\n}',
        ['2.0'],
      ],
      [
        'and build types',
        'defaultConfig { versionName "1.0.0" }\nbuildTypes {\n debug { versionNameSuffix "-debug" }\n release { versionNameSuffix "-r" }\n}',
        ['1.0.0-r'],
      ],
    ])('%s', async (_, text, versions) => {
      expect((await gradle(text)).map(each => each.split(' ')[1])).toEqual(versions)
    })

    it('with one that is not known', async () => {
      expect(
        await gradle(
          'defaultConfig { versionName "1.0" }\nproductFlavors {\n a { versionName x() }\n b { }\n}',
        ),
      ).toEqual([`android 1.0 ${GRADLE}:1`, `android ? ${GRADLE}:3 has "versionName x()"`])
    })
  })

  it.each([
    'versionName appVersion',
    'versionName "$major.0"',
    `versionName "\${rootProject.ext.version}"`,
    'versionName "1.0" + suffix',
    'versionName = providers.gradleProperty("v").get()',
    'versionName project.hasProperty("v") ? v : "1.0"',
    'versionName System.getenv("V") ?: "1.0"',
    'versionName project.findProperty("v") ?: "1.0"',
    'versionName file("../../../../etc/hostname").text',
    'versionName getVersionName()',
    'if (x) { versionName "1.0" }',
    'def v = "1.0"\nv = "2.0"\nversionName v',
    'if (x) { ext.v = "1.0" }\nversionName v',
    'defaultConfig { versionName "1.0" }\nbuildTypes { release { versionNameSuffix suffix() } }',
  ])('tells that it does not understand %s', async text => {
    const found = await gradle(text)
    expect(found).toEqual([
      expect.stringMatching(/^android \? android\/app\/build\.gradle:\d has "versionName/),
    ])
  })

  it.each([
    'android { applicationVariants.all { variant ->\n variant.outputs.all { versionNameOverride = "x" }\n} }',
    'androidComponents { onVariants { variant ->\n variant.outputs.forEach { it.versionName.set(x) }\n} }',
  ])('tells of code that sets it: %s', async text => {
    expect(await gradle(`versionName "1.0"\n${text}`)).toEqual([
      `android 1.0 ${GRADLE}:1`,
      expect.stringContaining(`android ? ${GRADLE}:3 has "`),
    ])
  })

  it('tells of a script that says nothing', async () => {
    expect(await gradle('versionNameSuffix "-debug"\nprintln "versionName 1.0"')).toEqual([
      `android ? ${GRADLE} has no versionName`,
    ])
  })

  it('reads no file of another place, and nothing of a hidden folder', async () => {
    const root = makeProject({
      [GRADLE]: "versionName file('../../.git/config').text\n",
      '.git/config': '1.0',
      [KOTLIN]: '',
      'version.txt': 'a\nsecret',
    })
    const { natives } = await readNativeVersions({ root, directory: root, config: null })
    expect(natives).toEqual([])
    mkdirSync(join(root, 'other/android/app'), { recursive: true })
    symlinkSync('/etc/hostname', join(root, 'other/android/app/build.gradle'))
    expect(
      (await readNativeVersions({ root, directory: join(root, 'other'), config: null })).unread,
    ).toHaveLength(1)
  })
})

describe('iOS', () => {
  it('reads the Release configuration of the app alone', async () => {
    const text = pbxproj(
      [
        { configurations: { Debug: { MARKETING_VERSION: '0.1' }, Release: { MARKETING_VERSION: '1.4.0' } } },
        { kind: 'bundle.unit-test', configurations: { Release: { MARKETING_VERSION: '7.0' } } },
        { kind: 'app-extension', configurations: { Release: { MARKETING_VERSION: '6.0' } } },
        { configurations: { Release: { MARKETING_VERSION: '5.0', SDKROOT: 'watchos' } } },
      ],
      { Release: { MARKETING_VERSION: '8.0' } },
    )
    expect(await xcode(text)).toEqual([`ios 1.4.0 ${PROJECT}:${lineOf(text, 'MARKETING_VERSION = 1.4.0')}`])
  })

  it.each<[string, string, string[]]>([
    [
      'a quoted value of the project',
      pbxproj(app({ Release: {} }), { Release: { MARKETING_VERSION: '"2.0"' } }),
      ['2.0'],
    ],
    [
      'a value that leads to the project',
      pbxproj(app({ Release: { MARKETING_VERSION: '"$(inherited)"' } }), {
        Release: { MARKETING_VERSION: '2.1' },
      }),
      ['2.1'],
    ],
    [
      'a setting of its own',
      pbxproj(app({ Release: { MARKETING_VERSION: '"$(APP_VERSION)"', APP_VERSION: '2.2' } })),
      ['2.2'],
    ],
    [
      'configurations by environment',
      pbxproj(
        app({
          'Debug-dev': { MARKETING_VERSION: '1.0' },
          'Release-dev': { MARKETING_VERSION: '2.0' },
          'Release-prod': { MARKETING_VERSION: '3.0' },
        }),
      ),
      ['2.0', '3.0'],
    ],
    [
      'two apps',
      pbxproj([
        ...app({ Release: { MARKETING_VERSION: '1.0' } }),
        ...app({ Release: { MARKETING_VERSION: '2.0' } }),
      ]),
      ['1.0', '2.0'],
    ],
  ])('reads %s', async (_, text, versions) => {
    expect((await xcode(text)).map(each => each.split(' ')[1])).toEqual(versions)
  })

  it('reads an xcconfig, and what it includes', async () => {
    const text = pbxproj([
      { configurations: { Release: { MARKETING_VERSION: '"$(V)"' } }, base: 'Config/Release.xcconfig' },
    ])
    const files = {
      'ios/App/App/Config/Release.xcconfig': '#include "Shared.xcconfig"\n',
      'ios/App/App/Config/Shared.xcconfig': '// V = 1\nV = 2.3 // of the store\n',
    }
    expect(await xcode(text, files)).toEqual([`ios 2.3 ${PROJECT}:${lineOf(text, 'MARKETING_VERSION')}`])
    const own = pbxproj([{ configurations: { Release: {} }, base: 'App.xcconfig' }])
    expect(await xcode(own, { 'ios/App/App.xcconfig': 'MARKETING_VERSION=2.4;\n' })).toEqual([
      'ios 2.4 ios/App/App.xcconfig:1',
    ])
  })

  it('prefers a literal of Info.plist, and follows its variables', async () => {
    const text = pbxproj(app({ Release: { MARKETING_VERSION: '1.0', OTHER: '4.0' } }))
    expect(await xcode(text, { [PLIST]: plist('3.1') })).toEqual([`ios 3.1 ${PLIST}:5`])
    expect(await xcode(text, { [PLIST]: plist('$(MARKETING_VERSION)') })).toEqual([
      expect.stringContaining('ios 1.0 '),
    ])
    expect(await xcode(text, { [PLIST]: plist('${OTHER}') })).toEqual([expect.stringContaining('ios 4.0 ')])
    expect(await xcode(text, { [PLIST]: '<plist></plist>' })).toEqual([expect.stringContaining('ios 1.0 ')])
    const named = pbxproj(app({ Release: { INFOPLIST_FILE: '"$(SRCROOT)/Prod/Info.plist"' } }))
    expect(await xcode(named, { [PLIST]: plist('1.0'), 'ios/App/Prod/Info.plist': plist('5.0') })).toEqual([
      'ios 5.0 ios/App/Prod/Info.plist:5',
    ])
    expect(await read({ [PLIST]: plist('3.1') })).toEqual([`ios 3.1 ${PLIST}:5`])
  })

  it.each<[string, Record<string, string>, string]>([
    [
      'a variable',
      {
        [PROJECT]: pbxproj(app({ Release: { MARKETING_VERSION: '"$(VERSION)"' } }), {
          Release: { MARKETING_VERSION: '1.0' },
        }),
      },
      'has "MARKETING_VERSION = $(VERSION)"',
    ],
    ['none', { [PROJECT]: pbxproj(app({ Release: {} })) }, 'has no MARKETING_VERSION'],
    [
      'an xcconfig that is missing',
      { [PROJECT]: pbxproj([{ configurations: { Release: {} }, base: 'Release.xcconfig' }]) },
      'has no MARKETING_VERSION',
    ],
    [
      'a variable of Info.plist',
      { [PROJECT]: pbxproj(app({ Release: {} })), [PLIST]: plist('$(MARKETING_VERSION)') },
      'has "CFBundleShortVersionString: $(MARKETING_VERSION)"',
    ],
    ['an Info.plist alone', { [PLIST]: plist('$(MARKETING_VERSION)') }, 'is missing'],
    ['what is no project', { [PROJECT]: '{ objects = ' }, 'is not an Xcode project'],
    [
      'a project without an app',
      { [PROJECT]: pbxproj([{ kind: 'framework', configurations: { Release: {} } }]) },
      'has no app target',
    ],
  ])('tells that it does not understand %s', async (_, files, says) => {
    expect(await read(files)).toEqual([expect.stringMatching(/^ios \? ios\/App\//)])
    expect((await read(files))[0]).toContain(says)
  })
})
