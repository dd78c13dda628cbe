/** src/ -> dist/: the action, what the runner starts, the script that evaluates a Capacitor config in a child process, that of the threads that deflate, and the zlib that these run. */
import { execFile } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'

const root = join(import.meta.dirname, '..')
const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')
/** Goes into dist/ as it is. */
export const ZLIB = { owner: 'node_modules/@zip.js/zip.js', file: 'dist/zip-module.wasm' } as const

/** Entry, and its folder in dist/. */
const PROGRAMS = [
  ['src/index.ts', '.'],
  ['src/launch.ts', 'launch'],
  ['src/checkout/evaluate-config.ts', 'evaluate-config'],
  ['src/bundle/deflate-worker.ts', 'deflate-worker'],
] as const

/** "debug" does without it; here it is only a development tool's. */
const OPTIONAL = ['--external', 'supports-color']

/** `stats`: a folder where webpack's account of each program goes, as `<n>.json`. */
export async function buildDist(target: string, stats?: string): Promise<void> {
  rmSync(target, { recursive: true, force: true })
  await Promise.all(
    PROGRAMS.map(([entry, folder], index) => {
      const account = stats === undefined ? [] : ['--stats-out', join(stats, `${index}.json`)]
      return bundle(entry, join(target, folder), account)
    }),
  )
  for (const file of readdirSync(target, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.js')) await minify(join(target, file))
  writeFileSync(join(target, 'zlib.wasm'), readFileSync(join(root, ZLIB.owner, ZLIB.file)))
  const licence = readFileSync(join(root, ZLIB.owner, 'LICENSE'), 'utf8')
  appendFileSync(join(target, 'licenses.txt'), `\n\n@zip.js/zip.js\nBSD-3-Clause\n${licence.trim()}\n`)
}

async function bundle(entry: string, folder: string, more: readonly string[]): Promise<void> {
  const words = [
    'build',
    entry,
    '--out',
    folder,
    '--no-cache',
    '--quiet',
    '--license',
    'licenses.txt',
    ...OPTIONAL,
  ]
  await promisify(execFile)(process.execPath, [ncc, ...words, ...more], { cwd: root }).catch(
    ({ stderr }: { stderr: string }) => {
      throw new Error(`${entry} cannot be bundled.\n${stderr.slice(0, 5_000)}`)
    },
  )
}

/**
 * Every job downloads dist/, so comments and white space stay out of it. Names stay, for whoever reads a stack, except in
 * the chunk that is GitHub's client for artifacts.
 */
async function minify(file: string): Promise<void> {
  const { code } = await transform(readFileSync(file, 'utf8'), {
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: /\d+\.index\.js$/.test(file),
  })
  writeFileSync(file, code)
}

if (import.meta.main) await buildDist(join(root, 'dist'))
