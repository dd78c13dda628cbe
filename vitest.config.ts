import { readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Folders for a test are made and removed by the thousand: in memory that takes a tenth of the time. */
const MEMORY = '/dev/shm'
const MEMORY_BYTES = 4 * 1024 ** 3

/** Containers often have 64 MB of it, and run no program from there. */
function isRoomy(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find(line => line.split(' ')[1] === folder)
    return bavail * bsize > MEMORY_BYTES && !/\bnoexec\b/.test(mount ?? 'noexec')
  } catch {
    return false
  }
}

/** Of `test/unit`, what starts programs or waits for seconds. */
const SLOW: readonly string[] = []

export default defineConfig({
  test: {
    env: { TMPDIR: isRoomy(MEMORY) ? MEMORY : tmpdir() },
    setupFiles: ['test/helpers/equality.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: [...SLOW] },
      },
      {
        extends: true,
        test: { name: 'whole', include: ['test/**/*.test.ts', ...SLOW], exclude: ['test/unit/**'] },
      },
    ],
  },
})
