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

/** Of `test/unit`, what starts programs or servers, or tries thousands of cases. */
const SLOW = [
  'test/unit/local/**/*.test.ts',
  'test/unit/bundle/zip.test.ts',
  'test/unit/capgo/load.test.ts',
  'test/unit/checkout/build.test.ts',
  'test/unit/checkout/capacitor-config.test.ts',
  'test/unit/error-codes.test.ts',
  'test/unit/launch.test.ts',
  'test/unit/machines.test.ts',
  'test/unit/report/qr.test.ts',
  'test/unit/runtime/child-process.test.ts',
  'test/unit/runtime/network.test.ts',
  'test/unit/try/event.test.ts',
  'test/unit/try/repository.test.ts',
]
/** Elsewhere, what needs neither. */
const QUICK = ['test/contract/testers-schema.test.ts', 'test/security/pages.test.ts']

/** Ends what hangs; not what is slow on a busy machine. */
const LONGEST = 300_000

export default defineConfig({
  test: {
    env: { TMPDIR: isRoomy(MEMORY) ? MEMORY : tmpdir() },
    setupFiles: ['test/helpers/equality.ts'],
    testTimeout: LONGEST,
    hookTimeout: LONGEST,
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts', ...QUICK], exclude: SLOW },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/!(unit)/**/*.test.ts', ...SLOW],
          exclude: QUICK,
        },
      },
    ],
  },
})
