import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { openPromise } from 'yauzl'
import { worker, zlib } from '../../../local/zlib.ts'
import type { BundleFile } from '../../../src/bundle/bundle-file.ts'
import { checkWebDirectory } from '../../../src/bundle/web-directory.ts'
import { zipDirectory } from '../../../src/bundle/zip.ts'
import { failure, makeProject, writeIn } from '../checkout/project.ts'

/** The same on every machine: text with repeats, and noise. */
function sample(bytes: number, seed: number): Buffer {
  const words = [
    'const',
    'value',
    '=',
    'function',
    '(',
    ')',
    '=>',
    '{',
    '}',
    'return',
    'import',
    '"ü"',
    ';',
    '\n',
  ]
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 16
  }
  let text = ''
  while (text.length < bytes) text += `${words[next() % words.length]} ${next() % 7 === 0 ? next() : ''}`
  return Buffer.from(text).subarray(0, bytes)
}

function noise(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(`${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, bytes)
}

const CONTENT = {
  'index.html': '<script src="assets/app.js"></script>',
  'assets/app.js': sample(700_001, 1),
  'assets/exact.js': sample(131_072, 2),
  'assets/photo.png': noise(200_000),
  'empty.txt': '',
  'ünïcode/日本 😀.txt': 'names',
  'a-b.txt': '1',
  'a.txt': '2',
  'a/b.txt': '3',
  'Z.txt': '4',
  '.well-known/assetlinks.json': '[]',
}
/** What every machine, Node version and processor must make of it. */
const SHA256 = '67b49ec6ca40967fc880dcd6aaa9fd35423f8beadfc296801640740ba42c4194'

async function filesOf(directory: string): Promise<readonly BundleFile[]> {
  return (
    await checkWebDirectory({
      root: directory,
      directory,
      requireNotifyAppReady: false,
      dropSourceMaps: false,
      maxBytes: 2 ** 30,
    })
  ).files
}

async function zip(directory: string, files?: readonly BundleFile[]) {
  const to = join(makeProject({}), 'bundle.zip')
  return zipDirectory({ directory, files: files ?? (await filesOf(directory)), to, worker: null, zlib })
}

describe('zipDirectory', () => {
  it('makes a zip that others read, with the size and SHA-256 it says', async () => {
    const directory = makeProject(CONTENT)
    const made = await zip(directory)
    const bytes = readFileSync(made.path)
    expect(made.size).toBe(bytes.length)
    expect(made.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(execFileSync('unzip', ['-tq', made.path], { encoding: 'utf8' })).toContain('No errors detected')

    const archive = await openPromise(made.path)
    const read: Record<string, Buffer> = {}
    for await (const entry of archive.eachEntry()) {
      read[entry.fileName] = await buffer(await archive.openReadStreamPromise(entry))
      expect(entry.compressionMethod).toBe(8)
      expect(entry.extraFields).toEqual([])
      expect(entry.externalFileAttributes >>> 16).toBe(0o100644)
      expect(entry.getLastModDate({ timezone: 'UTC' }).toISOString()).toBe('1980-01-01T12:00:00.000Z')
    }
    const expected = Object.fromEntries(
      Object.entries(CONTENT).map(([path, content]) => [path, Buffer.from(content)]),
    )
    expect(read).toEqual(expected)
  })

  it.each([
    ['in this thread', null],
    ['in others', worker],
  ])('tells the SHA-256 of each file: small, large, packed, empty, deflated %s', async (_, source) => {
    const content = {
      ...CONTENT,
      'large.js': sample(5 * 1024 * 1024, 3),
      'large.mp4': noise(3 * 1024 * 1024),
      ...Object.fromEntries(
        [4, 5, 6, 7].map(seed => [`chunk-${seed}.js`, sample(3.5 * 1024 * 1024, seed)] as const),
      ),
    }
    const directory = makeProject(content)
    const to = join(makeProject({}), 'bundle.zip')
    const options = { directory, files: await filesOf(directory), to, worker: source, zlib }
    const made = await zipDirectory({ ...options, hashed: true })
    const hashed = Object.entries(content).map(([path, bytes]) => ({
      path,
      size: Buffer.byteLength(bytes),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }))
    const byPath = (one: { path: string }, other: { path: string }) => (one.path < other.path ? -1 : 1)
    expect([...(made.files ?? [])].sort(byPath)).toEqual(hashed.sort(byPath))
    expect(await zipDirectory(options)).toEqual({ ...made, files: null })
  })

  it('sorts by the bytes of the names', async () => {
    const made = await zip(makeProject(CONTENT))
    const archive = await openPromise(made.path)
    const names: string[] = []
    for await (const entry of archive.eachEntry()) names.push(entry.fileName)
    expect(names).toEqual([
      '.well-known/assetlinks.json',
      'Z.txt',
      'a-b.txt',
      'a.txt',
      'a/b.txt',
      'assets/app.js',
      'assets/exact.js',
      'assets/photo.png',
      'empty.txt',
      'index.html',
      'ünïcode/日本 😀.txt',
    ])
  })

  it('is the same on every machine: a hash that was measured', async () => {
    expect((await zip(makeProject(CONTENT))).sha256).toBe(SHA256)
  })

  it('does not depend on dates, modes, the order of creation or of the list', async () => {
    const reversed = makeProject(Object.fromEntries(Object.entries(CONTENT).reverse()))
    chmodSync(join(reversed, 'index.html'), 0o700)
    utimesSync(join(reversed, 'a.txt'), 1, 1)
    const files = await filesOf(reversed)
    expect((await zip(reversed, [...files].reverse())).sha256).toBe(SHA256)
  })

  it.each([
    { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' },
    { TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8' },
  ])('does not depend on the timezone, the locale and the umask: $TZ', env => {
    const directory = makeProject(CONTENT)
    const to = join(makeProject({}), 'bundle.zip')
    const source = join(import.meta.dirname, '../../../src/bundle')
    const script = `
      import { checkWebDirectory } from '${source}/web-directory.ts'
      import { zipDirectory } from '${source}/zip.ts'
      import { zlib } from '${source}/../../local/zlib.ts'
      process.umask(0o077)
      const [directory, to] = process.argv.slice(1)
      const { files } = await checkWebDirectory({ root: directory, directory, requireNotifyAppReady: false, dropSourceMaps: false, maxBytes: 2 ** 30 })
      console.log((await zipDirectory({ directory, files, to, worker: null, zlib })).sha256)`
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script, directory, to], {
      env,
      encoding: 'utf8',
    })
    expect(said.trim()).toBe(SHA256)
  })

  it('changes with any byte, name or place', async () => {
    const hashes = await Promise.all(
      [{ a: '1' }, { a: '2' }, { b: '1' }, { 'x/a': '1' }, { a: '1', b: '' }].map(
        async content => (await zip(makeProject({ 'index.html': '', ...content }))).sha256,
      ),
    )
    expect(new Set(hashes).size).toBe(5)
  })

  it('is the same whether one thread makes it or many do', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `assets/${index}`)
    const directory = makeProject({
      ...CONTENT,
      ...Object.fromEntries(names.map((name, index) => [`${name}.js`, sample(60_000 + index, index)])),
      ...Object.fromEntries(names.map((name, index) => [`${name}.png`, noise(70_000 + index)])),
      'large.json': sample(5_000_000, 3),
    })
    const files = await filesOf(directory)
    const to = join(makeProject({}), 'bundle.zip')
    const many = await zipDirectory({ directory, files, to, worker, zlib })
    expect(execFileSync('unzip', ['-tq', to], { encoding: 'utf8' })).toContain('No errors detected')
    expect((await zip(directory, files)).sha256).toBe(many.sha256)
  })

  it('stores what its format has compressed already, in a form that every reader takes', async () => {
    const directory = makeProject({
      'index.html': '',
      'a.png': noise(200_000),
      'b.png': '',
      'c.woff2': noise(65_535),
    })
    const made = await zip(directory)
    expect(made.size).toBeLessThan(200_000 + 65_535 + 1000)
    expect(execFileSync('unzip', ['-tq', made.path], { encoding: 'utf8' })).toContain('No errors detected')
  })

  it.each([
    ['shorter', 10],
    ['longer', 900_000],
  ])('notices a file that is %s than it was', async (_, size) => {
    const directory = makeProject(CONTENT)
    const files = await filesOf(directory)
    truncateSync(join(directory, 'assets/app.js'), size)
    const error = await failure(zip(directory, files))
    expect(error.code).toBe('file_changed')
    expect(error.message).toContain('"assets/app.js"')
  })

  it('ends when nobody needs it any more', async () => {
    const directory = makeProject({ 'index.html': '', 'a.png': noise(1_000_000), 'b.png': noise(1_000_000) })
    const to = join(makeProject({}), 'bundle.zip')
    const signal = AbortSignal.abort(new Error('it is over'))
    const made = zipDirectory({ directory, files: await filesOf(directory), to, worker, zlib, signal })
    await expect(made).rejects.toThrow('it is over')
    expect(readFileSync(to)).toHaveLength(0)
  })

  it('fails when it cannot write', async () => {
    const directory = makeProject({ 'index.html': '' })
    const to = join(makeProject({}), 'missing/bundle.zip')
    await expect(
      zipDirectory({ directory, files: await filesOf(directory), to, worker: null, zlib }),
    ).rejects.toThrow('ENOENT')
  })

  it('holds more files than fit in one read of a folder', async () => {
    const directory = makeProject({ 'index.html': '' })
    mkdirSync(join(directory, 'many'))
    for (let index = 0; index < 2000; index++) writeIn(directory, `many/${index}.txt`, `${index}`)
    const made = await zip(directory)
    expect((await openPromise(made.path)).entryCount).toBe(2001)
    expect(readdirSync(join(directory, 'many'))).toHaveLength(2000)
  })
})
