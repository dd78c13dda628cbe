/** The import graph, types included: circles, and arrows against the layers. `node scripts/import-graph.ts [folder of a checkout] [--arrows]` */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'

const AREAS = ['src', 'local', 'scripts', 'bench', 'test']

/** From the ground up. A folder, or a file of src/, imports its own row and the rows above it in this list. */
export const LAYERS: readonly (readonly string[])[] = [
  ['src/documents.ts', 'src/error-codes.ts', 'src/errors.ts', 'src/releases.ts'],
  ['src/runtime'],
  ['src/checkout', 'src/bundle', 'src/capgo', 'src/github'],
  ['src/plan', 'src/event.ts'],
  ['src/inputs', 'src/log.ts', 'src/runner.ts', 'src/report', 'src/context.ts'],
  ['src/operations'],
  ['src/run.ts'],
  ['src/launch.ts', 'src/index.ts'],
  ['local'],
  // Data: the page of decisions prints the cases that the tests assert.
  ['test/unit/plan/cases'],
  ['scripts', 'bench'],
  ['test'],
]

export interface Import {
  readonly from: string
  readonly to: string
}

/** The project's own files, and what they import of each other, types included. Paths start at `root`. */
export function importGraph(root: string): { files: string[]; imports: Import[] } {
  const files = globSync(`{${AREAS.join(',')}}/**/*.ts`, {
    cwd: root,
    exclude: ['**/node_modules', 'test/fixtures'],
  })
    .map(file => file.replaceAll('\\', '/'))
    .sort()
  const known = new Set(files)
  const imports = files.flatMap(from => {
    const targets = ts.preProcessFile(readFileSync(join(root, from), 'utf8')).importedFiles
    return [...new Set(targets.map(({ fileName }) => posix.join(posix.dirname(from), fileName)))]
      .filter(to => known.has(to))
      .map(to => ({ from, to }))
  })
  return { files, imports }
}

/** Groups of names that reach each other, the largest first. */
export function circles(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to])
  const reached = new Map([...targets.keys()].map(start => [start, reachable(targets, start)]))
  const groups = new Map<string, string[]>()
  for (const [name, names] of reached) {
    if (!names.has(name)) continue
    const group = [...names].filter(other => reached.get(other)?.has(name)).sort()
    groups.set(group.join(), group)
  }
  return [...groups.values()].sort((one, other) => other.length - one.length)
}

function reachable(targets: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const found = new Set<string>()
  const open = [start]
  for (let name = open.pop(); name !== undefined; name = open.pop())
    for (const to of targets.get(name) ?? [])
      if (!found.has(to)) {
        found.add(to)
        open.push(to)
      }
  return found
}

/** What a file belongs to: its folder, or itself where it lies at the top of its area. */
const place = (file: string) => (dirname(file).includes('/') ? dirname(file) : file)

/** Imports between folders, each with the number of imports of files that it stands for. */
export function folderArrows(imports: readonly Import[]): (Import & { count: number })[] {
  const arrows = new Map<string, Import & { count: number }>()
  for (const { from, to } of imports.map(it => ({ from: place(it.from), to: place(it.to) }))) {
    if (from === to) continue
    const arrow = arrows.get(`${from} ${to}`) ?? { from, to, count: 0 }
    arrow.count++
    arrows.set(`${from} ${to}`, arrow)
  }
  return [...arrows.values()].sort((one, other) => (name(one) < name(other) ? -1 : 1))
}

/** Imports that lead to a layer above the importer's. Throws on a file of no layer. */
export function againstLayers(imports: readonly Import[]): Import[] {
  return imports.filter(({ from, to }) => layer(to) > layer(from))
}

function layer(file: string): number {
  const found = LAYERS.findIndex(row => row.some(one => file === one || file.startsWith(`${one}/`)))
  if (found < 0) throw new Error(`${file} has no layer: give it one in scripts/import-graph.ts`)
  return found
}

const name = ({ from, to }: Import) => `${from} -> ${to}`

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { arrows: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const { files, imports } = importGraph(resolve(positionals[0] ?? join(import.meta.dirname, '..')))
  const arrows = folderArrows(imports)
  if (values.arrows) for (const arrow of arrows) console.log(`${name(arrow)} (${arrow.count})`)
  const circlesFound = circles(imports)
  const upwards = againstLayers(imports)
  for (const circle of circlesFound)
    console.error(`Files import each other in a circle: ${circle.join(', ')}`)
  for (const it of upwards) console.error(`An import leads to a layer above: ${name(it)}`)
  console.log(
    [
      `${files.length} files`,
      `${imports.length} imports`,
      `${new Set(files.map(file => dirname(file))).size} folders`,
      `${arrows.length} arrows between folders`,
      `${circlesFound.length} circles of files`,
      `${upwards.length} imports against the layers`,
    ].join(', '),
  )
  if (circlesFound.length + upwards.length > 0) process.exitCode = 1
}
