import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findComments } from '../../../src/bundle/javascript.ts'
import { checkWebDirectory } from '../../../src/bundle/web-directory.ts'
import { failure, makeProject, writeIn } from '../checkout/project.ts'

type Files = Record<string, string>
const READY = 'CapacitorUpdater.notifyAppReady()'
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`

/** Files of the web folder. */
const folder = (files: Files) =>
  makeProject(Object.fromEntries(Object.entries(files).map(([path, text]) => [`dist/${path}`, text])))
const check = (root: string, isStrict: boolean) =>
  checkWebDirectory({
    root,
    directory: join(root, 'dist'),
    requireNotifyAppReady: isStrict,
    dropSourceMaps: true,
    maxBytes: 2 ** 30,
  })
const start = async (files: Files) => (await check(folder(files), false)).warnings
const refused = async (files: Files, isStrict = false) => failure(check(folder(files), isStrict))
const app = { 'assets/app.js': READY, 'assets/app.css': '' }

describe('what index.html loads', () => {
  it.each<[string, Files]>([
    ['relative', { 'index.html': '<script type="module" crossorigin src="./assets/app.js"></script>' }],
    ['absolute', { 'index.html': "<SCRIPT defer src='/assets/app.js?v=1#x'></SCRIPT>" }],
    ['unquoted', { 'index.html': '<script src=assets/app.js></script>' }],
    ['with a base', { 'index.html': '<base href="/"><script src="assets/app.js"></script>' }],
    ['with a base of its own', { 'index.html': '<base href="assets/"><script src="app.js"></script>' }],
    ['with %20', { 'index.html': '<script src="my%20app.js"></script>', 'my app.js': '' }],
    ['with an entity', { 'index.html': '<script src="a&amp;b.js"></script>', 'a&b.js': '' }],
    [
      'from elsewhere',
      {
        'index.html':
          '<script src="https://cdn.example.com/x.js"></script><script src="//x.org/y.js"></script><script src="data:text/javascript,1"></script>',
      },
    ],
    [
      'from elsewhere by base',
      { 'index.html': '<base href="https://example.com/"><script src="x.js"></script>' },
    ],
    [
      'added by the native app',
      { 'index.html': '<script src="cordova.js"></script><script src="/capacitor.js"></script>' },
    ],
    ['in a comment', { 'index.html': '<!-- <script src="x.js"></script> -->' }],
    ['in a script', { 'index.html': '<script>document.title = \'<script src="x.js">\'</script>' }],
    [
      'for old browsers',
      { 'index.html': '<script src="assets/app.js"></script><script nomodule src="/legacy.js"></script>' },
    ],
    [
      'no script',
      {
        'index.html':
          '<script type="application/ld+json" src="x.js"></script><link rel="icon" href="x.ico"><link rel="modulepreload" href="x.js">',
      },
    ],
    ['an import map', { 'index.html': '<script type="importmap">{"imports":{"a":"./x.js"}}</script>' }],
    ['an import in a comment', { 'index.html': '<script>// import "/x.js"\n/* import("/y.js") */</script>' }],
    ['no ending', { 'index.html': '<script src="/config"></script>' }],
    [
      'an import of the page',
      {
        'index.html':
          '<script type="module">import "vue"; import a from "./assets/app.js"; import("/assets/app.js")</script>',
      },
    ],
  ])('%s: nothing is said', async (_, files) => {
    expect(await start({ ...app, ...files })).toEqual([])
  })

  it.each<[string, Files, string, string]>([
    [
      'the base of another place',
      {
        'index.html':
          '<script type="module" src="/repo/assets/app.js"></script><link rel="stylesheet" href="/repo/assets/app.css">',
      },
      'index.html loads "/repo/assets/app.js", but these scripts are missing: it has "assets/app.js", so the build is for the sub-path "/repo/"',
      'base (Vite)',
    ],
    [
      'the same in <base>',
      { 'index.html': '<base href="/a/b/"><script src="assets/app.js"></script>' },
      'sub-path "/a/b/"',
      '--base-href',
    ],
    [
      'the same in the page',
      { 'index.html': '<script>Promise.all([\n import("/repo/assets/app.js")\n])</script>' },
      'sub-path "/repo/"',
      'paths.base',
    ],
    [
      'the same beside what is elsewhere',
      {
        'index.html': '<script src="https://x.org/a.js"></script><script src="/repo/assets/app.js"></script>',
      },
      'sub-path "/repo/"',
      'basePath',
    ],
    [
      'sources',
      { 'index.html': '<script type="module" src="/src/main.tsx"></script>' },
      '"/src/main.tsx" is source code',
      'webDir',
    ],
    [
      'sources that are there',
      { 'index.html': '<script type="module" src="/src/main.ts"></script>', 'src/main.ts': '' },
      '"/src/main.ts" is source code',
      'webDir',
    ],
    [
      'other case',
      { 'index.html': '<script src="Assets/App.js"></script>' },
      'The web folder "dist" cannot be shipped: index.html loads "Assets/App.js", but these scripts are missing: the file is "assets/app.js", and phones distinguish upper and lower case.',
      'Use the exact name of the file in index.html.',
    ],
    [
      'compressed files alone',
      { 'index.html': '<script src="x.js"></script>', 'x.js.gz': '' },
      'it has only "x.js.gz"',
      'compresses',
    ],
    [
      'what is nowhere',
      { 'index.html': '<script src="x.js"></script>' },
      'The web folder "dist" cannot be shipped: index.html loads "x.js", but these scripts are missing.',
      'white page',
    ],
  ])('%s: an error', async (_, files, message, hint) => {
    const error = await refused({ ...app, ...files })
    expect(error.code).toBe('start_scripts_missing')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
    // The cause alone, not what follows from it.
    expect((await refused({ ...app, ...files }, true)).code).toBe('start_scripts_missing')
  })

  it.each<[string, string, string]>([
    ['one of them', '<script src="/env.js"></script><script src="assets/app.js"></script>', '"/env.js"'],
    ['a style sheet', '<link rel="stylesheet" href="x.css"><script src="assets/app.js"></script>', '"x.css"'],
    [
      'beside a script of elsewhere',
      '<script src="https://x.org/a.js"></script><script src="env.js"></script>',
      '"env.js"',
    ],
    [
      'beside the app in the page',
      `<script>${'a();'.repeat(2000)}</script><script src="env.js"></script>`,
      '"env.js"',
    ],
  ])('%s is missing: a warning', async (_, html, missing) => {
    expect(await start({ ...app, 'index.html': html })).toEqual([
      `index.html loads ${missing}, which is missing in the bundle.`,
    ])
  })
})

describe('the page itself', () => {
  it.each<[string, Files, string]>([
    ['Angular', { 'index.csr.html': '', 'main.js': READY }, '"ssr": false'],
    [
      'Angular, a folder above',
      { 'browser/index.csr.html': '', 'server/x.mjs': '' },
      'It is in "dist/browser"',
    ],
    ['SvelteKit', { '200.html': '' }, 'adapter-static'],
    ['what is compressed', { 'index.html.gz': '' }, 'keep the files'],
    ['an old ending', { 'index.htm': '' }, 'Rename'],
  ])('%s wrote another', async (_, files, hint) => {
    const error = await refused(files)
    expect(error.code).toBe('index_html_missing')
    expect(error.hint).toContain(hint)
  })

  it('pointers of Git LFS are told, and nothing that follows from them', async () => {
    const error = await refused(
      { 'index.html': '<script src="app.js"></script>', 'app.js': POINTER, 'a.png': POINTER },
      true,
    )
    expect(error.code).toBe('lfs_pointers')
    expect(error.message).toContain('"a.png", "app.js"')
    expect(error.hint).toContain('lfs: true')
    const others = {
      'index.html': '',
      'about.txt': `About:\n${POINTER}`,
      'long.txt': POINTER + 'x'.repeat(1024),
    }
    expect(await start(others)).toEqual([])
  })
})

describe('notifyAppReady', () => {
  const page = '<script type="module" src="/app.js"></script>'
  const passes = async (files: Files) =>
    expect((await check(folder({ 'index.html': page, ...files }), true)).warnings)

  it.each([
    ['a call', 'import{C as e}from"./x.js";e.notifyAppReady().then(()=>{});'],
    ['a call with an object', 'CapacitorUpdater.notifyAppReady({})'],
    ['an optional call', 'u?.notifyAppReady?.()'],
    ['a call by name', 'u["notifyAppReady"]()'],
    ['destructuring', 'const{notifyAppReady:e}=u;e()'],
    ['a call in a condition', 'if(await u.notifyAppReady()){ok()}'],
    ['a choice', 'const f=u?u.notifyAppReady:async()=>{}'],
    ['a reference at the very end', 'Promise.resolve().then(u.notifyAppReady'],
    ['a call beside the stand-in', 'async notifyAppReady(){return{}} u.notifyAppReady()'],
    ['a call behind an address', 'fetch("https://x.org");u.notifyAppReady();a("*/")'],
    ['a call behind a glob', 'a.accept="image/*";u.notifyAppReady();b("*/*")'],
    ['a call behind a pattern', 'a=/[/"`]\\//.test(b);u.notifyAppReady();// x'],
    ['a call in a template', 'a=`${b?`//${c}`:"/*"}`;u.notifyAppReady();d=`*/`'],
    ['a call behind a comment', '/* x */u.notifyAppReady()/* y */'],
    ['a call in code that is evaluated', 'eval("u.notifyAppReady() // x")'],
  ])('is found as %s', async (_, code) => {
    ;(await passes({ 'app.js': code })).toEqual([])
  })

  it.each<[string, Files]>([
    ['the page', { 'index.html': `<script>${READY}</script>` }],
    ['an import', { 'app.js': 'import{a as b}from"./assets/b-1a2b.js"', 'assets/b-1a2b.js': READY }],
    [
      'an import of an import',
      { 'app.js': 'import"./a/b.js"', 'a/b.js': 'import("../c.mjs")', 'c.mjs': READY },
    ],
    ['a dynamic import', { 'app.js': 'const a=()=>import(`./b.js`)', 'b.js': READY }],
    ['a list of Vite', { 'app.js': 'const __vite__mapDeps=(i,m=["assets/b.js"])=>i', 'assets/b.js': READY }],
    [
      'a script for old browsers',
      {
        'index.html': '<script nomodule id="vite-legacy-entry" data-src="./l.js">System.import()</script>',
        'l.js': READY,
      },
    ],
    [
      'an import map',
      {
        'index.html':
          '<script type="importmap">{"imports":{"b":"./b.js"}}</script><script type="module">import "b"</script>',
        'b.js': READY,
      },
    ],
    ['a name with %20', { 'index.html': '<script src="my%20app.js"></script>', 'my app.js': READY }],
    [
      'another page',
      {
        'index.html': '<meta http-equiv="refresh" content="0; url=home/index.html">',
        'home/index.html': '<script src="../b.js"></script>',
        'b.js': READY,
      },
    ],
    [
      'a frame',
      { 'index.html': '<iframe src="frame.html"></iframe>', 'frame.html': `<script>${READY}</script>` },
    ],
    [
      'webpack, by hash',
      {
        'app.js': '(self.webpackChunkapp=[]).push;a.u=e=>"js/"+e+"."+{12:"4f3a2b"}[e]+".js"',
        'js/12.4f3a2b.js': READY,
      },
    ],
    [
      'webpack, by number',
      { 'app.js': 'webpackChunk;i.e(12).then();a=e=>e+".chunk.js"', '12.chunk.js': READY },
    ],
    ['SystemJS', { 'app.js': 'System.register(["./b.js"],e=>{})', 'b.js': READY }],
    [
      'AMD',
      {
        'index.html': '<script data-main="js/main" src="app.js"></script>',
        'app.js': '',
        'js/main.js': READY,
      },
    ],
  ])('is found by %s', async (_, files) => {
    ;(await passes({ 'app.js': 'a()', ...files })).toEqual([])
  })

  const PLUGIN = 'class e extends t{async notifyAppReady(){return{bundle:n}}}'
  it.each<[string, Files, string]>([
    ['nothing', { 'app.js': 'console.log(1)' }, 'no file calls'],
    [
      "the updater's own stand-in",
      { 'app.js': 'import("./web-1a2b3c.js")', 'web-1a2b3c.js': PLUGIN },
      'no file calls',
    ],
    [
      'the same for old browsers',
      { 'app.js': 't.prototype.notifyAppReady=function(){return n()}' },
      'no file calls',
    ],
    [
      'the same as a descriptor',
      { 'app.js': 'r(t,[{key:"notifyAppReady",value:function(){}}])' },
      'no file calls',
    ],
    [
      'the same as a property',
      { 'app.js': 'a={notifyAppReady:async()=>({}),b:1,"notifyAppReady":function(){}}' },
      'no file calls',
    ],
    ['another name', { 'app.js': 'notifyAppReadyLater()' }, 'no file calls'],
    [
      'what is no code',
      { 'app.js': 'a()', 'app.js.map': READY, 'a.css': READY, 'a.txt': READY },
      'no file calls',
    ],
    [
      'a comment',
      { 'app.js': `a()\n  // ${READY}\nb()` },
      'The web folder "dist" cannot be shipped: notifyAppReady() appears only in a comment ("app.js").',
    ],
    [
      'a comment at the end of a line',
      { 'app.js': `a("https://x.org") // ${READY}` },
      'The web folder "dist" cannot be shipped: notifyAppReady() appears only in a comment ("app.js").',
    ],
    [
      'a block',
      { 'app.js': `/**\n * Call ${READY} first.\n */\na()` },
      'The web folder "dist" cannot be shipped: notifyAppReady() appears only in a comment ("app.js").',
    ],
    [
      'a comment of the page',
      { 'index.html': `<!-- <script>${READY}</script> --><script src="app.js"></script>`, 'app.js': 'a()' },
      'no file calls',
    ],
    [
      'a file that nothing loads',
      { 'app.js': 'import"./b.js"', 'b.js': 'c()', 'old/app-1.js': READY },
      'only "old/app-1.js" calls notifyAppReady()',
    ],
    [
      'a page that nothing loads',
      { 'app.js': 'a()', 'old.html': `<script>${READY}</script>` },
      'only "old.html" calls',
    ],
    [
      'the file of a comment of the page',
      {
        'index.html': '<!-- <script src="b.js"></script> --><script src="app.js"></script>',
        'app.js': 'a()',
        'b.js': READY,
      },
      'only "b.js" calls',
    ],
    ['a page without scripts', { 'index.html': '<p>Hello</p>', 'app.js': READY }, 'only "app.js" calls'],
  ])('is missed when there is %s', async (_, files, message) => {
    const error = await refused({ 'index.html': page, ...files }, true)
    expect(error.code).toBe('notify_app_ready_missing')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(
      "Without this call, devices revert to the previous bundle. Import CapacitorUpdater from '@capgo/capacitor-updater', and call CapacitorUpdater.notifyAppReady() when the app starts. If the code is obfuscated, set the input check-notify-app-ready to false.",
    )
    expect(error.hint).toContain('check-notify-app-ready')
    expect(await start({ 'index.html': page, ...files })).toEqual([])
  })

  it.each(['import(a)', 'd.createElement("script")'])('is not certain where %s may load it', async code => {
    ;(await passes({ 'app.js': code, 'b.js': READY })).toEqual([
      expect.stringContaining('only "b.js" calls notifyAppReady()'),
    ])
  })

  it('is not looked for in what is no script', async () => {
    const root = folder({ 'index.html': page, 'app.js': READY })
    truncateSync(writeIn(root, 'dist/other.js', ''), 100 * 1024 * 1024)
    expect((await check(root, true)).files).toHaveLength(3)
  })
})

it.each([
  ['a // b\nc', ['// b']],
  ['a = "//" + \'/*\' // b', ['// b']],
  ['`// ${a /* b */ + `/*` + { c: "}" }} // `', ['/* b */']],
  ['a = b / c // d', ['// d']],
  ['a = /[/]\\/"/ // b', ['// b']],
  ['return/"/.test(a)/* b */', ['/* b */']],
  ['a[0] / 2 / /* b */ 3', ['/* b */']],
  ["it's // b\nc // d", ['// d']],
  ['a /* b', ['/* b']],
])('comments of %j', (code, expected) => {
  expect(findComments(code).map(({ from, to }) => code.slice(from, to))).toEqual(expected)
})
