import { createCipheriv, createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRepository, type Repository } from '../local/repository.ts'

export interface AppSize {
  /** `5 MB, 300 files` */
  readonly label: string
  readonly megabytes: number
  readonly files: number
}

export interface App {
  readonly repository: Repository
  /** Paths in the web folder. */
  readonly files: readonly string[]
  /** Their bytes. */
  readonly bytes: number
  /** Absolute path. */
  readonly webDirectory: string
}

export const APP_ID = 'com.example.daybreak'
const WEB = 'dist'

/** The part that is the same in every app. The CLI looks for the call in scripts only. */
const ENTRIES = {
  'index.html':
    '<!doctype html><meta charset="utf-8"><title>Daybreak</title><div id="app"></div><script type="module" src="/assets/index.js"></script>\n',
  'assets/index.js':
    'import{CapacitorUpdater}from"./updater.js";CapacitorUpdater.notifyAppReady();import("./main.js")\n',
}

type Draw = () => number

/** What a build is made of: of each kind so many of the files, and of the bytes. Half of the bytes do not deflate. */
const KINDS = [
  { kind: 'js', files: 0.4, bytes: 0.36, path: (name: string) => `assets/${name}.js` },
  { kind: 'json', files: 0.12, bytes: 0.06, path: (name: string) => `assets/i18n/${name}.json` },
  { kind: 'css', files: 0.03, bytes: 0.04, path: (name: string) => `assets/${name}.css` },
  { kind: 'svg', files: 0.15, bytes: 0.04, path: (name: string) => `icons/${name}.svg` },
  { kind: 'png', files: 0.24, bytes: 0.36, path: (name: string) => `images/${name}.png` },
  { kind: 'woff2', files: 0.06, bytes: 0.14, path: (name: string) => `fonts/${name}.woff2` },
] as const
type Kind = (typeof KINDS)[number]['kind']

const LEADS: Partial<Record<Kind, Buffer>> = {
  png: Buffer.from('89504e470d0a1a0a', 'hex'),
  woff2: Buffer.from('wOF2'),
}

/** A prebuilt app in a checkout, the same on every machine. The web folder is ignored by git, as builds are. */
export function createApp(size: AppSize, capgoUrl: string): App {
  const config = {
    appId: APP_ID,
    appName: 'Daybreak',
    webDir: WEB,
    // How the CLI is told of another Capgo.
    plugins: { CapacitorUpdater: { localHost: capgoUrl, localApi: capgoUrl, localApiFiles: capgoUrl } },
  }
  const dependencies = { '@capacitor/core': '8.0.0', '@capgo/capacitor-updater': '8.51.2' }
  const manifest = { name: 'daybreak', version: '1.0.0', private: true, dependencies }
  const repository = createRepository({
    files: {
      '.gitignore': `${WEB}\nnode_modules\n`,
      'capacitor.config.json': JSON.stringify(config, null, 2),
      'package.json': JSON.stringify(manifest, null, 2),
      'package-lock.json': JSON.stringify({ ...manifest, lockfileVersion: 3, packages: {} }, null, 2),
    },
  })
  for (const [name, version] of Object.entries(dependencies))
    repository.write({ [`node_modules/${name}/package.json`]: JSON.stringify({ name, version }) })

  const webDirectory = join(repository.path, WEB)
  const draw = drawFrom(size.files)
  const texts = { js: scripts(draw), json: messages(draw), css: styles(draw), svg: drawings(draw) }
  const files: string[] = []
  let bytes = 0
  const add = (path: string, content: Buffer) => {
    write(join(webDirectory, path), content)
    files.push(path)
    bytes += content.length
  }
  for (const [path, content] of Object.entries(ENTRIES)) add(path, Buffer.from(content))
  for (const { kind, share, path } of plan(size, draw)) add(path, contentOf(kind, path, share, texts, draw))
  return { repository, files, bytes, webDirectory }
}

/** Gives one script of middling size another content, of the same length. */
export function changeOneFile(app: App, change: number): void {
  const scriptPaths = app.files.filter(path => path.endsWith('.js'))
  const path = join(app.webDirectory, scriptPaths[scriptPaths.length >> 1]!)
  const mark = `/*${String(change).padStart(8, '0')}*/`
  write(path, Buffer.from(`${mark}${readFileSync(path, 'latin1').slice(mark.length)}`, 'latin1'))
}

/** SHA-256 of every file, lower-case hex, sorted. */
export function hashesOf(app: App): string[] {
  return app.files
    .map(path =>
      createHash('sha256')
        .update(readFileSync(join(app.webDirectory, path)))
        .digest('hex'),
    )
    .sort()
}

/** The files but for the entries, with their sizes: a few large ones and many small ones of each kind. */
function plan(size: AppSize, draw: Draw): { kind: Kind; path: string; share: number }[] {
  const total = size.megabytes * 1_000_000
  const others = KINDS.slice(1).reduce((sum, { files }) => sum + Math.round(files * size.files), 0)
  return KINDS.flatMap(({ kind, files, bytes, path }, at) => {
    const count =
      at === 0 ? size.files - Object.keys(ENTRIES).length - others : Math.round(files * size.files)
    const weights = Array.from({ length: count }, () => Math.exp(2.2 * (draw() + draw() + draw() - 1.5)))
    const sum = weights.reduce((one, other) => one + other, 0)
    return weights.map((weight, n) => {
      const name = `${WORDS[n % WORDS.length]}-${n.toString(36)}${Math.floor(draw() * 2 ** 31).toString(36)}`
      return { kind, path: path(name), share: Math.max(64, Math.round((weight / sum) * bytes * total)) }
    })
  })
}

/** Texts are cut out of one long text of their kind: nobody parses them, and what repeats is megabytes away. */
function contentOf(
  kind: Kind,
  path: string,
  length: number,
  texts: Readonly<Partial<Record<Kind, string>>>,
  draw: Draw,
): Buffer {
  const text = texts[kind]
  if (text === undefined) {
    const key = createHash('sha256').update(path).digest().subarray(0, 16)
    const noise = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
    LEADS[kind]!.copy(noise)
    return noise
  }
  const lead = `/*! ${path} */`
  const start = Math.floor(draw() * text.length)
  let content = lead + text.slice(start, start + length)
  while (content.length < length) content += text.slice(0, length)
  return Buffer.from(content.slice(0, length), 'latin1')
}

const WORDS =
  'account,alert,avatar,badge,basket,button,calendar,camera,card,chart,chat,checkout,color,comment,contact,cursor,date,device,dialog,editor,event,export,feed,filter,folder,form,frame,gallery,graph,group,header,history,home,icon,image,import,input,invoice,label,language,layout,list,loader,locale,login,map,market,media,member,menu,message,modal,month,network,note,number,offer,order,page,panel,payment,person,phone,picker,player,policy,price,print,profile,push,query,queue,rating,region,report,result,route,schedule,screen,search,section,session,setting,share,sheet,slider,sound,status,step,store,stream,style,switch,table,target,theme,timer,title,toast,token,tool,tracker,upload,user,value,vector,video,view,wallet,week,widget,window,zone'.split(
    ',',
  )
const pick = <T>(list: readonly T[], draw: Draw): T => list[Math.floor(draw() * list.length)]!
/** Few words often and many seldom, as in every language. */
const word = (draw: Draw) => WORDS[Math.floor(draw() ** 3 * WORDS.length)]!
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)
const letter = (draw: Draw) => String.fromCharCode(97 + Math.floor(draw() ** 2 * 26))

function grow(length: number, piece: () => string): string {
  const pieces: string[] = []
  for (let size = 0; size < length; ) {
    const next = piece()
    pieces.push(next)
    size += next.length
  }
  return pieces.join('')
}

/** As a minifier leaves them; deflates to between a third and a quarter. */
function scripts(draw: Draw): string {
  const l = () => letter(draw)
  const w = () => word(draw)
  const name = () => `${w()}${capital(w())}`
  const n = () => Math.floor(draw() ** 5 * 1_000)
  const forms = [
    () => `function ${l()}${l()}(${l()},${l()}){return ${l()}.${w()}(${l()},"${w()}")}`,
    () =>
      `const ${l()}${n()}=${l()}=>{const{${w()}:${l()},${w()}:${l()}}=${l()};return ${l()}(${l()},${n()})};`,
    () => `if(${l()}.${name()}===${n()}||!${l()})throw new Error("${capital(w())} ${w()} is not a ${w()}");`,
    () => `${l()}.prototype.${name()}=function(${l()}){this.${w()}=${l()};this._${name()}(${n()})};`,
    () =>
      `${l()}(${l()},{class:"${w()}-${w()} ${w()}",onClick:${l()}[${n() % 10}]||(${l()}=>${l()}.${w()}())},`,
    () => `var ${l()}${l()}=Object.assign({},${l()},{${w()}:!${n() % 2},${w()}:"${w()}",${name()}:${n()}});`,
    () => `for(let ${l()}=0;${l()}<${l()}.length;${l()}++)${l()}.push(${l()}[${l()}].${w()});`,
    () =>
      `export{${l()}${l()} as ${l()},${l()}${n()} as ${l()}};import{${l()} as ${l()}}from"./${w()}-${n()}.js";`,
  ]
  return grow(6_000_000, () => pick(forms, draw)())
}

function messages(draw: Draw): string {
  const sentence = () => Array.from({ length: 3 + Math.floor(draw() * 6) }, () => word(draw)).join(' ')
  return grow(1_500_000, () => `  "${word(draw)}.${word(draw)}.${word(draw)}": "${capital(sentence())}.",\n`)
}

function styles(draw: Draw): string {
  const n = () => Math.floor(draw() ** 2 * 100)
  const forms = [
    () => `.${word(draw)}-${word(draw)}{display:flex;padding:${n()}px ${n()}px;margin:0 ${n()}px}`,
    () => `.${word(draw)} .${word(draw)}:hover{color:var(--${word(draw)}-${word(draw)});opacity:.${n()}}`,
    () =>
      `@media(min-width:${n()}rem){.${word(draw)}{width:${n()}%;transform:translate(${n()}px,-${n()}px)}}`,
  ]
  return grow(1_000_000, () => pick(forms, draw)())
}

function drawings(draw: Draw): string {
  const n = () => (draw() * 24).toFixed(2)
  const forms = [
    () =>
      `<path d="M${n()} ${n()}c${n()}-${n()} ${n()} ${n()} ${n()} ${n()}l-${n()} ${n()}z" fill="#1f2328"/>`,
    () => `<circle cx="${n()}" cy="${n()}" r="${n()}" stroke="currentColor" stroke-width="1.5"/>`,
    () => `<g transform="translate(${n()} ${n()})"><rect width="${n()}" height="${n()}" rx="2"/></g>`,
  ]
  return grow(1_000_000, () => pick(forms, draw)())
}

/** Mulberry32: small, and the same everywhere. */
function drawFrom(seed: number): Draw {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function write(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
