/**
 * Writes .github/actions/capgo/action.yml, the action under the path by which the ready-made workflows name it:
 * GitHub's `uses: $/path` is the workflow's own repository at the commit that runs, but takes no empty path.
 * `--check` only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const FILE = join(ROOT, '.github/actions/capgo/action.yml')
const HEADER = '# action.yml, for the workflows beside it; written by scripts/docs/nested-action.ts.\n'
const MAIN = /^ {2}main: (dist\/\S+\.js)$/m

/** What the file holds for this action.yml. Throws where that has no `main` to lead to. */
export function nestAction(actionYml: string): string {
  if (!MAIN.test(actionYml)) throw new Error('action.yml has no line "main: dist/….js".')
  return HEADER + actionYml.replace(MAIN, '  main: ../../../$1')
}

if (import.meta.main) {
  const wanted = nestAction(readFileSync(join(ROOT, 'action.yml'), 'utf8'))
  if (!process.argv.includes('--check')) writeFileSync(FILE, wanted)
  else if (readFileSync(FILE, 'utf8') !== wanted) {
    console.error('.github/actions/capgo/action.yml is not as action.yml says. Run: npm run readme')
    process.exitCode = 1
  }
}
