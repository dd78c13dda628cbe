/** Proves that the committed dist/ is what src/ builds: builds it aside and compares byte for byte. From the same build, that docs/development/dependencies.md is true. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildDist } from './build.ts'
import { isPageTrue } from './docs/dependencies.ts'

const root = join(import.meta.dirname, '..')
const committed = join(root, 'dist')
const folder = mkdtempSync(join(tmpdir(), 'dist-'))
const fresh = join(folder, 'dist')
try {
  await buildDist(fresh, folder)
  const names = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort()
  const different = [...new Set([...names(fresh), ...names(committed)])].filter(name => !same(name))
  const untracked = execFileSync('git', ['status', '--porcelain', '--', 'dist'], {
    cwd: root,
    encoding: 'utf8',
  }).trim()
  if (different.length > 0 || untracked !== '') {
    console.error(
      `dist/ is not what src/ builds: ${different.join(', ') || untracked}. Run: npm run build, and commit it.`,
    )
    process.exitCode = 1
  } else console.log('dist/ is what src/ builds.')
  if (!isPageTrue(folder)) {
    console.error(
      'docs/development/dependencies.md is not what the lockfile and dist/ say. Run: npm run readme',
    )
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}

function same(name: string): boolean {
  try {
    return readFileSync(join(fresh, name)).equals(readFileSync(join(committed, name)))
  } catch {
    return false
  }
}
