/** Writes docs/development/dependencies.md from package-lock.json, what dist/ is made of, and docs/development/dependencies.yml; check-dist.ts compares. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { buildDist, ZLIB } from '../build.ts'
import { table } from './table.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const page = 'docs/development/dependencies.md'

/** By its folder in `node_modules`, as the lockfile has it. */
type Lockfile = Readonly<
  Record<string, { readonly version: string; readonly dev?: boolean; readonly hasInstallScript?: boolean }>
>

interface Facts {
  readonly looked: string
  readonly packages: Readonly<
    Record<
      string,
      { readonly why: string; readonly by: string; readonly newest: string; readonly released: string }
    >
  >
  /** What one would expect, and is not there. */
  readonly absent: readonly { readonly name: string; readonly instead: string; readonly fact: string }[]
}

interface Module {
  readonly name: string
  readonly size: number
  /** None for a module that was joined with others, and is listed below the one that joins them too. */
  readonly chunks: readonly unknown[]
  readonly modules?: readonly Module[]
}

/** Bytes of source in dist/ by the folder of the package; `src` is this project's own. `stats` is from `buildDist`. */
function measure(stats: string): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const file of readdirSync(stats).filter(name => name.endsWith('.json'))) {
    const { modules } = JSON.parse(readFileSync(join(stats, file), 'utf8')) as { modules: Module[] }
    const bundled = modules.filter(({ chunks }) => chunks.length > 0)
    for (const { name, size } of bundled.flatMap(module => module.modules ?? [module])) {
      const owner = ownerOf(name)
      if (owner !== null) sizes.set(owner, (sizes.get(owner) ?? 0) + size)
    }
  }
  sizes.set(ZLIB.owner, statSync(join(root, ZLIB.owner, ZLIB.file)).size)
  return sizes
}

/** `./node_modules/@actions/core/lib/core.js` -> `node_modules/@actions/core`; null for what is Node's or webpack's. */
function ownerOf(module: string): string | null {
  if (module.startsWith('./src/')) return 'src'
  // Stands in for packages that are optional and not there.
  if (module.startsWith('./node_modules/@vercel/ncc/')) return null
  return /^\.\/(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? null
}

const bytes = (size: number) => size.toLocaleString('en-US')
const nameOf = (folder: string) => folder.replace(/^.*node_modules\//, '')

/** Packages of former days have an object, or none. */
interface Licensed {
  readonly license?: string | { readonly type: string }
  readonly licenses?: readonly { readonly type: string }[]
}

function licenceOf(folder: string): string {
  const { license, licenses } = JSON.parse(read(join(folder, 'package.json'))) as Licensed
  if (typeof license === 'string') return license
  return license?.type ?? licenses?.[0]?.type ?? 'not stated'
}

function dependenciesPage(stats: string): string {
  const direct = Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies)
  const lockfile = (JSON.parse(read('package-lock.json')) as { packages: Lockfile }).packages
  const { looked, packages, absent } = parse(read('docs/development/dependencies.yml'), {
    schema: 'failsafe',
  }) as Facts
  const named = Object.keys(packages).sort().join()
  if (named !== [...direct].sort().join())
    throw new Error(
      'docs/development/dependencies.yml must say of each package in "dependencies" why it is here, and of no other.',
    )
  const sizes = measure(stats)
  const lock = (folder: string) => {
    const found = lockfile[folder]
    if (found === undefined) throw new Error(`${folder} is not in package-lock.json.`)
    if (found.dev) throw new Error(`${folder} is in dist/, and package.json has it among "devDependencies".`)
    return found
  }
  const scripts = (folder: string) => (lock(folder).hasInstallScript ? '**yes**' : 'no')
  const ours = direct.map(name => `node_modules/${name}`)
  const others = [...sizes.keys()].filter(folder => folder !== 'src' && !ours.includes(folder)).sort()
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const directRows = ours.map(folder => {
    const { why, by, newest, released } = packages[nameOf(folder)]!
    return [
      `\`${nameOf(folder)}\` ${lock(folder).version}`,
      why,
      by,
      licenceOf(folder),
      bytes(sizes.get(folder) ?? 0),
      `${newest}, ${released}`,
      scripts(folder),
    ]
  })
  const otherRows = others.map(folder => [
    `\`${nameOf(folder)}\` ${lock(folder).version}`,
    licenceOf(folder),
    bytes(sizes.get(folder) ?? 0),
    scripts(folder),
  ])
  return `# What is in dist/

Users of this action install nothing: \`dist/\` holds all code that runs, and no install script of any package is needed.

\`dist/\` is what \`npm run build\` makes of \`src/\` and \`package-lock.json\`, byte for byte, on any machine: \`npm run check\`
builds it anew and compares. The licences' texts are in \`dist/licenses.txt\`. This page is written by \`npm run readme\`.

Of ${bytes(total)} bytes of source, ${bytes(sizes.get('src') ?? 0)} are this project's own. "In dist/" counts the source of all modules that are bundled,
in bytes, for all programs in \`dist/\` together.

## Chosen

The newest release is what the npm registry said on ${looked}.

${table(['package', 'what for', 'by', 'licence', 'in dist/', 'newest release', 'install script'], directRows)}

## Expected, and not there

Each with what is there instead, and the measurement or the fact that decided it.

${table(
  ['package', 'instead', 'why'],
  absent.map(({ name, instead, fact }) => [
    name.startsWith('`') || name.includes(' ') ? name : `\`${name}\``,
    instead,
    fact,
  ]),
)}

## What these bring along

${table(['package', 'licence', 'in dist/', 'install script'], otherRows)}
`
}

/** Whether docs/development/dependencies.md is what the lockfile and dist/ say. */
export function isPageTrue(stats: string): boolean {
  return existsSync(join(root, page)) && read(page) === dependenciesPage(stats)
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), 'dependencies-'))
  try {
    await buildDist(join(folder, 'dist'), folder)
    writeFileSync(join(root, page), dependenciesPage(folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
