/** src/ -> dist/: the action, what the runner starts, the script that evaluates a Capacitor config in a child process, that of the threads that deflate, and the zlib that these run. */
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
    ['src/bundle/evaluate-config.ts', join(target, 'evaluate-config')],
    ['src/bundle/deflate-worker.ts', join(target, 'deflate-worker')],
  ] as const
  for (const [index, [entry, folder]] of programs.entries()) {
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
