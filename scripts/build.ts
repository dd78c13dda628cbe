/** src/ -> dist/: the action, what the runner starts, the script that evaluates a Capacitor config in a child process, and that of the threads that deflate. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')

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
}

if (import.meta.main) buildDist(join(root, 'dist'))
