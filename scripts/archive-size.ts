/** The size of the archive that GitHub packs for each job that uses the action: `node scripts/archive-size.ts` */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** The tar of the last commit, as .gitattributes is now. */
export function archive(): Buffer {
  return execFileSync('git', ['archive', '--worktree-attributes', '--format=tar', 'HEAD'], {
    cwd: join(import.meta.dirname, '..'),
    maxBuffer: 2 ** 30,
  })
}

/** Bytes that a job downloads. */
export const archiveSize = (): number => gzipSync(archive()).length

if (import.meta.main) console.log(`${archiveSize().toLocaleString('en')} bytes`)
