import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { checkWebDirectory } from '../../../src/bundle/web-directory.ts'
import { failure, makeProject, writeIn } from '../checkout/project.ts'

const GIB = 2 ** 30
const READY = 'CapacitorUpdater.notifyAppReady()'

function check(root: string, options: { ready?: boolean; maxBytes?: number; folder?: string } = {}) {
  return checkWebDirectory({
    root,
    directory: join(root, options.folder ?? 'dist'),
    requireNotifyAppReady: options.ready ?? true,
    dropSourceMaps: false,
    maxBytes: options.maxBytes ?? GIB,
  })
}

describe('checkWebDirectory', () => {
  it('lists the files sorted by bytes, with their sizes', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/é.txt': '12',
      'dist/b/c.js': '1',
      'dist/b.js': '',
      'dist/Z': '123',
    })
    expect(await check(root)).toEqual({
      files: [
        { path: 'Z', size: 3 },
        { path: 'b.js', size: 0 },
        { path: 'b/c.js', size: 1 },
        { path: 'index.html', size: READY.length },
        { path: 'é.txt', size: 2 },
      ],
      totalBytes: READY.length + 6,
      excluded: [],
      sourceMaps: [],
      warnings: [],
    })
  })

  it('sorts as UTF-8 and not as UTF-16', async () => {
    const root = makeProject({ 'dist/index.html': READY, 'dist/\uff5e': '', 'dist/😀': '' })
    expect((await check(root)).files.map(file => file.path)).toEqual(['index.html', '\uff5e', '😀'])
  })

  it('leaves out what systems leave lying about, and says so', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/.DS_Store': '',
      'dist/img/Thumbs.db': '',
      'dist/img/desktop.ini': '',
      'dist/__MACOSX/._index.html': '',
      'dist/.git/HEAD': '',
      'dist/.well-known/file': '',
    })
    const checked = await check(root)
    expect(checked.files.map(file => file.path)).toEqual(['.well-known/file', 'index.html'])
    expect(checked.excluded.map(each => each.path)).toEqual([
      '.DS_Store',
      '.git',
      '__MACOSX',
      'img/Thumbs.db',
      'img/desktop.ini',
    ])
    expect(checked.excluded.every(each => each.why !== '')).toBe(true)
  })

  it('leaves out copies compressed with brotli, and only those', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/index.html.br': brotliCompressSync(READY),
      'dist/app.js': 'let a',
      'dist/app.js.br': brotliCompressSync('let b'),
      'dist/cut.js': 'let a = 1',
      'dist/cut.js.br': brotliCompressSync('let a = 1').subarray(0, -2),
      'dist/more.js': 'let a',
      'dist/more.js.br': brotliCompressSync('let a = 1'),
      'dist/alone.js.br': brotliCompressSync('let a'),
      'dist/index.html.gz': gzipSync(READY),
    })
    const checked = await check(root)
    expect(checked.files.map(file => file.path).filter(path => /br|gz/.test(path))).toEqual([
      'alone.js.br',
      'app.js.br',
      'cut.js.br',
      'index.html.gz',
      'more.js.br',
    ])
    expect(checked.excluded).toEqual([
      { path: '*.br', why: expect.stringContaining('compressed copy of a file beside it, ') },
    ])
  })

  it('leaves out source maps in every form', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/app.js.map': '{}',
      'dist/app.js.map.br': brotliCompressSync('{}'),
      'dist/app.js.map.gz': gzipSync('{}'),
    })
    const options = { root, directory: join(root, 'dist'), requireNotifyAppReady: true, maxBytes: GIB }
    const { files, sourceMaps } = await checkWebDirectory({ ...options, dropSourceMaps: true })
    expect(files.map(file => file.path)).toEqual(['index.html'])
    expect(sourceMaps.map(file => file.path)).toEqual(['app.js.map', 'app.js.map.gz'])
  })

  it('warns of source maps', async () => {
    const root = makeProject({ 'dist/index.html': READY, 'dist/app.js.map': '{}' })
    expect((await check(root)).warnings).toEqual([expect.stringContaining('1 source map ')])
  })

  describe('the folder', () => {
    it('is missing', async () => {
      const error = await failure(check(makeProject({ 'package.json': {} })))
      expect(error).toMatchObject({
        code: 'web_dir_missing',
        message: 'The web folder "dist" does not exist.',
      })
    })

    it('is missing, and there is a build elsewhere', async () => {
      const root = makeProject({ 'www/index.html': '', 'dist/my-app/browser/index.html': '' })
      const error = await failure(check(root, { folder: 'build' }))
      expect(error.hint).toContain('"www" and "dist/my-app/browser"')
    })

    it('is a file', async () => {
      expect((await failure(check(makeProject({ dist: 'x' })))).code).toBe('web_dir_not_a_folder')
    })

    it('is empty, but for what is left out', async () => {
      const root = makeProject({ 'dist/.DS_Store': '' })
      mkdirSync(join(root, 'dist/sub'))
      expect((await failure(check(root))).code).toBe('web_dir_empty')
    })
  })

  describe('index.html', () => {
    it('is in one sub-folder', async () => {
      const error = await failure(check(makeProject({ 'dist/browser/index.html': READY })))
      expect(error).toMatchObject({
        code: 'index_html_missing',
        message: 'The web folder "dist" cannot be shipped: index.html is missing at the root.',
      })
      expect(error.hint).toContain('"dist/browser"')
    })

    it('has capitals', async () => {
      expect((await failure(check(makeProject({ 'dist/Index.html': READY })))).hint).toBe(
        'Rename "Index.html" to "index.html".',
      )
    })

    it('is nowhere', async () => {
      expect((await failure(check(makeProject({ 'dist/a.js': READY })))).code).toBe('index_html_missing')
    })
  })

  it('refuses symbolic links, to files and to folders', async () => {
    const root = makeProject({ 'dist/index.html': READY, 'secret/file': '' })
    symlinkSync('index.html', join(root, 'dist/link.html'))
    symlinkSync('../secret', join(root, 'dist/folder'))
    const error = await failure(check(root))
    expect(error.code).toBe('symlinks')
    expect(error.message).toContain('"folder", "link.html"')
  })

  it('follows a link when the web folder itself is one', async () => {
    const root = makeProject({ 'real/index.html': READY })
    symlinkSync('real', join(root, 'dist'))
    expect((await check(root)).files).toHaveLength(1)
  })

  it('refuses names that devices reject', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/a\\b.js': '',
      'dist/a\nb.js': '',
      'dist/..hidden': '',
    })
    execFileSync('sh', ['-c', 'touch "$(printf \'dist/latin1-\\351\')"'], { cwd: root })
    const error = await failure(check(root))
    expect(error.code).toBe('invalid_file_names')
    expect(error.message).toContain('"a\\nb.js", "a\\\\b.js", "latin1-\ufffd"')
    expect(error.message).not.toContain('hidden')
  })

  it('refuses names that differ only by case or Unicode form', async () => {
    const root = makeProject({
      'dist/index.html': READY,
      'dist/A/Logo.png': '',
      'dist/a/logo.png': '',
      'dist/caf\u00e9': '',
      'dist/cafe\u0301': '',
    })
    const error = await failure(check(root))
    expect(error.code).toBe('case_conflicts')
    expect(error.message).toContain('"A/Logo.png = a/logo.png"')
    expect(error.message).toContain('"cafe\u0301 = caf\u00e9"')
  })

  it('refuses pipes', async () => {
    const root = makeProject({ 'dist/index.html': READY })
    execFileSync('mkfifo', [join(root, 'dist/pipe')])
    expect(await failure(check(root))).toMatchObject({
      code: 'not_a_file',
      message: expect.stringContaining('"pipe"'),
    })
  })

  it('refuses what cannot fit, and names the largest files', async () => {
    const root = makeProject({ 'dist/index.html': READY })
    truncateSync(writeIn(root, 'dist/film.mp4', ''), 2 * GIB)
    const error = await failure(check(root))
    expect(error.code).toBe('web_dir_too_large')
    expect(error.message).toContain(
      'The web folder "dist" cannot be shipped: it has 2.1 GB, and Capgo accepts at most 1.1 GB zipped.',
    )
    expect(error.hint).toContain('"film.mp4" (2.1 GB)')
    expect((await check(root, { maxBytes: GIB + 1000 })).files).toHaveLength(2)
  })

  it('names every problem at once', async () => {
    const root = makeProject({ 'dist/a\\b.js': '', 'dist/X': '', 'dist/x': '' })
    symlinkSync('x', join(root, 'dist/link'))
    const error = await failure(check(root))
    expect(error.code).toBe('web_dir_invalid')
    expect(error.message).toBe(
      [
        'The web folder "dist" cannot be shipped, for 5 reasons:',
        '1. index.html is missing at the root (index_html_missing)',
        '2. symbolic links: "link" (symlinks)',
        '3. devices reject these names: "a\\\\b.js" (invalid_file_names)',
        '4. these names differ only by case or Unicode form: "X = x" (case_conflicts)',
        '5. no file calls notifyAppReady() (notify_app_ready_missing)',
      ].join('\n'),
    )
    expect(error.hint!.split('\n')).toHaveLength(5)
  })

  it('counts what would be a long list', async () => {
    const names = Array.from({ length: 14 }, (_, index) => [`dist/${index}\\x`, ''])
    const error = await failure(
      check(makeProject({ 'dist/index.html': READY, ...Object.fromEntries(names) })),
    )
    expect(error.message).toContain('and 4 more')
  })
})
