import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import { extractArtifact } from '../../../src/bundle/artifact.ts'
import { type RawEntry, writeRawZip } from '../../helpers/raw-zip.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const page: RawEntry = { name: 'index.html', content: '<h1>Hello</h1>' }

/** Where the artifact is unpacked, with what else is there. */
function scratch(entries: readonly RawEntry[]) {
  const folder = mkdtempSync(join(tmpdir(), 'artifact-'))
  folders.push(folder)
  const zip = join(folder, 'artifact.zip')
  writeFileSync(zip, writeRawZip(entries))
  return { folder, zip, target: join(folder, 'target') }
}

async function refusal(entries: readonly RawEntry[], limits?: { files: number; bytes: number }) {
  const { folder, zip, target } = scratch(entries)
  const error = await extractArtifact(zip, target, limits).then(
    () => null,
    caught => caught,
  )
  expect(readdirSync(folder), 'nothing is left').toEqual(['artifact.zip'])
  expect(error).toMatchObject({ code: 'artifact_refused' })
  return (error as Error).message
}

it('unpacks a web build', async () => {
  const { zip, target } = scratch([
    page,
    { name: 'assets/' },
    { name: 'assets/app.js', content: 'x'.repeat(9_000) },
  ])
  expect(await extractArtifact(zip, target)).toBe(target)
  expect(readFileSync(join(target, 'assets/app.js'), 'utf8')).toHaveLength(9_000)
})

it('takes the one folder that holds the build', async () => {
  const { zip, target } = scratch([
    { ...page, name: 'www/index.html' },
    { name: 'www/app.js', content: '1' },
  ])
  expect(await extractArtifact(zip, target)).toBe(join(target, 'www'))
})

it.each<[string, readonly RawEntry[], RegExp]>([
  ['zip slip', [page, { name: '../evil.sh' }], /valid zip|leads out/],
  ['zip slip in the middle', [page, { name: 'a/../../evil.sh' }], /valid zip|leads out/],
  ['an absolute path', [page, { name: '/etc/evil' }], /valid zip|absolute/],
  ['a drive', [page, { name: 'C:/evil' }], /valid zip|absolute/],
  ['backslashes', [page, { name: '..\\evil' }], /valid zip|character/],
  ['NUL', [page, { name: 'a\0b' }], /character/],
  ['a newline', [page, { name: 'a\nb' }], /character/],
  ['an empty segment', [page, { name: 'a//b' }], /plain path/],
  ['a dot', [page, { name: './b' }], /plain path/],
  ['a symbolic link', [page, { name: 'link', content: '/etc/passwd', mode: 0o120777 }], /link or a device/],
  ['a device', [page, { name: 'tty', mode: 0o020666 }], /link or a device/],
  ['a named pipe', [page, { name: 'pipe', mode: 0o010666 }], /link or a device/],
  ['an encrypted file', [page, { name: 'secret', flags: 1 }], /encrypted/],
  ['an unknown compression', [page, { name: 'odd', method: 12 }], /method 12|valid zip/],
  ['one name twice', [page, page], /the same name/],
  ['names that differ by case', [page, { name: 'App.js' }, { name: 'app.js' }], /the same name/],
  [
    'names that differ by normal form',
    [page, { name: '\u00e9.js' }, { name: 'e\u0301.js' }],
    /the same name/,
  ],
  ['a file where a folder is', [page, { name: 'a' }, { name: 'a/b' }], /both a file and the folder/],
  ['a long name', [page, { name: 'x'.repeat(256) }], /too long/],
  ['deep folders', [page, { name: `${'a/'.repeat(40)}b` }], /deep/],
  ['overlapping files', [page, { name: 'copy', sameBytesAs: 0 }], /overlaps/],
  ['a size that lies low', [page, { name: 'a', content: 'x'.repeat(5_000), declaredSize: 10 }], /valid zip/],
  ['a size that lies high', [page, { name: 'a', content: 'x', declaredSize: 5_000 }], /valid zip/],
  ['no page', [{ name: 'a/x' }, { name: 'b/x' }], /no index.html at its root, but "a", "b"/],
  ['nothing', [], /empty/],
])('refuses %s', async (_name, entries, message) => {
  expect(await refusal(entries)).toMatch(message)
})

it('refuses what is no zip', async () => {
  const { zip, target, folder } = scratch([])
  writeFileSync(zip, 'hello')
  await expect(extractArtifact(zip, target)).rejects.toMatchObject({ code: 'artifact_refused' })
  expect(readdirSync(folder)).toEqual(['artifact.zip'])
})

it('refuses more files than a web build has, before it unpacks one', async () => {
  const many = Array.from({ length: 60_000 }, (_, n) => ({ name: `f${n}`, stored: true }))
  expect(await refusal(many)).toMatch(/60000 files/)
})

it('refuses a bomb by what it says', async () => {
  expect(await refusal([page, { name: 'zeros', content: 'x', declaredSize: 4_000_000_000 }])).toMatch(
    /more than/,
  )
})

it('refuses a bomb by what it unpacks to', async () => {
  const zeros = Buffer.alloc(3_000_000)
  const bomb = [page, ...[1, 2, 3].map(n => ({ name: `zeros${n}`, content: zeros }))]
  expect(await refusal(bomb, { files: 10, bytes: 5_000_000 })).toMatch(/more than 5000000 bytes/)
})

it('writes nothing outside, whatever the names are', async () => {
  const segment = fc.constantFrom(
    '..',
    '.',
    '',
    'a',
    'A',
    'b.js',
    'index.html',
    '~',
    'C:',
    '\\',
    '\u202e',
    '...',
    ' ',
  )
  const name = fc.array(segment, { minLength: 1, maxLength: 5 }).map(parts => parts.join('/'))
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 6 }), async names => {
      const { folder, zip, target } = scratch([page, ...names.map(each => ({ name: each, content: 'evil' }))])
      await extractArtifact(zip, target).catch(error => expect(error.code).toBe('artifact_refused'))
      expect(readdirSync(folder).filter(each => each !== 'target')).toEqual(['artifact.zip'])
    }),
    { numRuns: 150 },
  )
})
