/** src/ -> dist/: the action, what the runner starts, the script that evaluates a Capacitor config in a child process, that of the threads that deflate, the zlib that these run, and GitHub's client for artifacts. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')
/** Goes into dist/ as it is. */
export const ZLIB = { owner: 'node_modules/@zip.js/zip.js', file: 'dist/zip-module.wasm' } as const

/** `stats`: a folder where webpack's account of each program goes, as `<n>.json`. */
export function buildDist(target: string, stats?: string): void {
  rmSync(target, { recursive: true, force: true })
  const programs = [
    ['src/index.ts', target],
    ['src/launch.ts', join(target, 'launch')],
    ['src/checkout/evaluate-config.ts', join(target, 'evaluate-config')],
    ['src/bundle/deflate-worker.ts', join(target, 'deflate-worker')],
    // GitHub's client alone, whose source is on npm: half as large without its white space.
    ['src/github/upload-artifact.ts', join(target, 'artifact'), '--minify'],
  ] as const
  for (const [index, [entry, folder, ...more]] of programs.entries()) {
    const account = stats === undefined ? [] : ['--stats-out', join(stats, `${index}.json`)]
    execFileSync(
      process.execPath,
      [
        ncc,
        'build',
        entry,
        '--out',
        folder,
        '--no-cache',
        '--quiet',
        '--license',
        'licenses.txt',
        ...more,
        ...account,
      ],
      {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
  }
  writeFileSync(join(target, 'zlib.wasm'), readFileSync(join(root, ZLIB.owner, ZLIB.file)))
  const licence = readFileSync(join(root, ZLIB.owner, 'LICENSE'), 'utf8')
  appendFileSync(join(target, 'licenses.txt'), `\n\n@zip.js/zip.js\nBSD-3-Clause\n${licence.trim()}\n`)
}

if (import.meta.main) buildDist(join(root, 'dist'))
