/** What differs between Linux, macOS and Windows: paths, line ends, names. Runs on all three (self-test.yml). */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, posix, win32 } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unzip } from '../../local/device-files.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { zlib } from '../../local/zlib.ts'
import { extractArtifact } from '../../src/bundle/artifact.ts'
import { checkWebDirectory } from '../../src/bundle/web-directory.ts'
import { zipDirectory } from '../../src/bundle/zip.ts'
import { readCapacitorConfig } from '../../src/checkout/capacitor-config.ts'
import { readNativeVersions } from '../../src/checkout/native-version.ts'
import { detectPackageManager } from '../../src/checkout/package-manager.ts'
import { parseTesters } from '../../src/inputs/testers-file.ts'
import { runChild } from '../../src/runtime/child-process.ts'
import { isInside, shownPath } from '../../src/runtime/paths.ts'
import { writeRawZip } from '../helpers/raw-zip.ts'
import { failure, makeProject, writeIn } from './checkout/project.ts'

const EVALUATOR = join(import.meta.dirname, '../../src/checkout/evaluate-config.ts')
const READY = 'CapacitorUpdater.notifyAppReady()'
const isWindows = process.platform === 'win32'
const BOM = '\ufeff'

const config = (root: string, directory = root) =>
  readCapacitorConfig({
    root,
    directory,
    env: process.env as Record<string, string>,
    nodePath: process.execPath,
    evaluatorPath: EVALUATOR,
  })

/** The files of the bundle that a web folder makes, as a device unpacks it. */
async function bundleOf(directory: string): Promise<Map<string, Buffer>> {
  const { files } = await checkWebDirectory({
    root: directory,
    directory,
    requireNotifyAppReady: true,
    dropSourceMaps: true,
    maxBytes: 1e9,
  })
  const zip = await zipDirectory({
    directory,
    files,
    to: join(makeScratch('zip'), 'bundle.zip'),
    worker: null,
    zlib,
  })
  return unzip(readFileSync(zip.path))
}

describe('a path', () => {
  it.each([
    [posix, '/home/ada/app', '/home/ada/app/apps/mobile/dist', 'apps/mobile/dist'],
    [win32, 'D:\\a\\app', 'D:\\a\\app\\apps\\mobile\\dist', 'apps/mobile/dist'],
    [win32, 'D:\\a\\app', 'd:\\A\\APP\\dist', 'dist'],
    [win32, 'D:\\a\\app', 'D:\\a\\dist', '../dist'],
    [posix, '/home/ada/app', '/home/ada/app', ''],
  ])('is told with forward slashes', (system, root, path, shown) => {
    expect(shownPath(root, path, system)).toBe(shown)
  })

  it.each([
    [posix, '/a/app', '/a/app', true],
    [posix, '/a/app', '/a/app/apps/mobile', true],
    [posix, '/a/app', '/a/app/..apps', true],
    [posix, '/a/app', '/a/app2', false],
    [posix, '/a/app', '/a', false],
    [win32, 'D:\\a\\app', 'D:\\a\\app\\apps', true],
    [win32, 'D:\\a\\app', 'd:\\A\\App\\apps', true],
    [win32, 'D:\\a\\app', 'D:\\a', false],
    [win32, 'D:\\a\\app', 'C:\\apps', false],
    [win32, 'D:\\a\\app', '\\\\server\\share\\app', false],
  ])('is in the checkout or not', (system, folder, path, inside) => {
    expect(isInside(folder, path, system)).toBe(inside)
  })
})

describe('line ends and byte order marks of Windows', () => {
  const crlf = (text: string) => BOM + text.replaceAll('\n', '\r\n')

  it.each([
    ['capacitor.config.json', '{\n  "appId": "com.example.app",\n  "webDir": "dist"\n}\n'],
    [
      'capacitor.config.ts',
      'import type { CapacitorConfig } from "@capacitor/cli"\nconst config: CapacitorConfig = {\n  appId: "com.example.app",\n  webDir: "dist",\n}\nexport default config\n',
    ],
    ['capacitor.config.js', 'module.exports = {\n  appId: "com.example.app",\n  webDir: "dist",\n}\n'],
  ])('%s is read', async (name, text) => {
    const root = makeProject({ [name]: crlf(text) })
    expect(await config(root)).toMatchObject({ appId: 'com.example.app', webDir: 'dist' })
  })

  it('an error is told with the line that an editor shows', async () => {
    const root = makeProject({
      'capacitor.config.json': crlf('{\n  "appId": "com.example.app",\n  oops\n}\n'),
    })
    expect((await failure(config(root))).at).toEqual({ file: 'capacitor.config.json', line: 3, column: 3 })
    const script = makeProject({ 'capacitor.config.ts': crlf('export default {\n  appId: oops(),\n}\n') })
    expect((await failure(config(script))).at).toMatchObject({ file: 'capacitor.config.ts', line: 2 })
  })

  it('testers.json is read, with its places', () => {
    const id = '0a1b2c3d-1111-4222-8333-444455556666'
    const today = new Date('2026-11-23')
    expect(parseTesters(crlf(`[\n  "${id}"\n]\n`), today as never)).toMatchObject({
      problems: [],
      testers: [{ device: id }],
    })
    const { problems } = parseTesters(crlf(`[\n  "${id}",\n  "nonsense"\n]\n`), today as never)
    expect(problems).toMatchObject([{ line: 3, column: 3 }])
  })

  it('versions and package managers are found', async () => {
    const root = makeProject({
      'package.json': crlf('{\n  "packageManager": "pnpm@11.0.0"\n}\n'),
      'pnpm-lock.yaml': crlf("lockfileVersion: '9.0'\n"),
      'android/app/build.gradle': crlf('android {\n  defaultConfig {\n    versionName "1.4"\n  }\n}\n'),
    })
    expect(await detectPackageManager({ root, directory: root })).toMatchObject({ name: 'pnpm' })
    expect((await readNativeVersions({ root, directory: root, config: null })).natives).toEqual([
      { platform: 'android', version: '1.4', source: 'android/app/build.gradle:3' },
    ])
  })

  it('reach devices as they are', async () => {
    const page = crlf(`<script>\n${READY}\n</script>\n`)
    const root = makeProject({ 'index.html': page })
    expect((await bundleOf(root)).get('index.html')?.toString()).toBe(page)
  })
})

describe('names', () => {
  it('of more than 260 characters are shipped', async () => {
    const path = `${'long folder name/'.repeat(20)}${'x'.repeat(120)}.js`
    const root = makeProject({ 'index.html': READY })
    writeIn(root, path, 'deep')
    expect(path.length).toBeGreaterThan(400)
    expect((await bundleOf(root)).get(path)?.toString()).toBe('deep')
  })

  it('keep their Unicode form, for pages ask for them in it', async () => {
    const root = makeProject({ 'index.html': READY })
    for (const name of ['caf\u00e9.js', 'nai\u0308ve.js', '日本語/😀.js', 'with space & (sign) +%23.js'])
      writeIn(root, name, name)
    const files = await bundleOf(root)
    expect([...files].map(([name, content]) => name === 'index.html' || name === content.toString())).toEqual(
      Array(5).fill(true),
    )
    expect(files.has('nai\u0308ve.js')).toBe(true)
  })

  // Windows gives such names another meaning; phones do not.
  it.skipIf(isWindows)('that Windows reserves are shipped: phones have no such rule', async () => {
    const names = ['con.js', 'AUX', 'lpt1.css', 'dot.', 'space ', 'a:b.js', 'what?.js']
    const root = makeProject(Object.fromEntries([['index.html', READY], ...names.map(name => [name, name])]))
    const files = await bundleOf(root)
    expect([...files.keys()].sort()).toEqual([...names, 'index.html'].sort())
  })

  it.each(['con', 'a/NUL.js', 'com1.tar.gz', 'dot.', 'a./b', 'space ', 'page.html:stream', 'what?', 'a|b'])(
    'as %j in a stranger’s artifact are refused on Windows, where they mean something else',
    async name => {
      const zip = join(makeScratch('artifact'), 'artifact.zip')
      writeFileSync(
        zip,
        writeRawZip([
          { name: 'index.html', content: '1' },
          { name, content: '2' },
        ]),
      )
      const to = (target: string) => join(makeScratch('target'), target)
      await expect(extractArtifact(zip, to('out'), undefined, 'win32')).rejects.toMatchObject({
        code: 'artifact_refused',
        message: expect.stringContaining('Windows'),
      })
      if (!isWindows) await extractArtifact(zip, to('out'), undefined, 'linux')
    },
  )
})

describe('a checkout', () => {
  const broken = 'export default {\n  appId: oops(),\n}\n'
  const unparsable = 'export default {\n  appId: "com.example.app",,\n}\n'

  it.each([
    ['a script that throws', 'capacitor.config.ts', broken, { line: 2, column: 10 }],
    ['a script that cannot be parsed', 'capacitor.config.ts', unparsable, { line: 2 }],
    ['a module that throws', 'capacitor.config.js', broken, { line: 2, column: 10 }],
    ['a module that cannot be parsed', 'capacitor.config.js', unparsable, { line: 2 }],
  ])('in a folder with any name: the place of %s is found', async (_what, file, text, place) => {
    const root = join(makeScratch('machines'), 'Äpps of Ada (1) #2 100%')
    const files = makeProject({
      [`apps/mobile/${file}`]: text,
      'apps/mobile/package.json': { type: file.endsWith('.js') ? 'module' : 'commonjs' },
    })
    renameSync(files, root)
    const error = await failure(config(root, join(root, 'apps/mobile')))
    expect(error.at).toMatchObject({ file: `apps/mobile/${file}`, ...place })
  })

  it('that is reached through a link: places are still in it', async () => {
    const real = makeProject({ 'apps/mobile/capacitor.config.ts': broken })
    const link = join(makeScratch('machines'), 'link')
    symlinkSync(real, link, 'junction')
    const error = await failure(config(link, join(link, 'apps/mobile')))
    expect(error.at).toMatchObject({ file: 'apps/mobile/capacitor.config.ts', line: 2 })
  })

  it('runs the package manager of this system, also from a folder with a space', async () => {
    const root = join(makeScratch('machines'), 'with space')
    mkdirSync(root)
    writeIn(root, 'package.json', { name: 'tiny', scripts: { say: 'node -p "1 + 1"' } })
    const lines: string[] = []
    const { exitCode } = await runChild('npm', ['run', 'say', '--silent'], {
      cwd: root,
      env: process.env as Record<string, string>,
      onOutput: line => lines.push(line),
    })
    expect({ exitCode, lines }).toEqual({ exitCode: 0, lines: ['2'] })
  })
})
