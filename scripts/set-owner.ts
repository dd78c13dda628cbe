/**
 * The account that publishes this action, in every file that names it: `npm run set-owner -- <account>`. Run it before the
 * first release or in a fork, then `npm run build && npm run readme`.
 */
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'capgo-publish-action'
/** Text that explains the placeholder, which a release does not have. */
const EXPLANATION = /<!-- owner:begin -->[\s\S]*?<!-- owner:end -->\n*/g

/** The account that the files name now. */
export function readOwner(root: string): string {
  const [, owner] = /'([\w-]+)\/capgo-publish-action'/.exec(
    readFileSync(join(root, 'src/documents.ts'), 'utf8'),
  )!
  return owner!
}

/** Writes the account into the files, paths from the root; returns those that changed. Throws on a name that GitHub refuses. */
export function setOwner(root: string, files: readonly string[], account: string): string[] {
  if (!/^[a-z\d](?:-?[a-z\d]){0,38}$/i.test(account))
    throw new Error(`"${account}" is not a name that GitHub accepts for an account.`)
  const owner = readOwner(root)
  return files.filter(file => {
    const path = join(root, file)
    const text = readFileSync(path, 'utf8')
    // A picture is not text.
    if (text.includes('\0')) return false
    const wanted = text
      .replace(EXPLANATION, '')
      .replaceAll(`${owner}/${NAME}`, `${account}/${NAME}`)
      .replace(/^\* @[\w-]+$/m, line => (file === '.github/CODEOWNERS' ? `* @${account}` : line))
    if (wanted !== text) writeFileSync(path, wanted)
    return wanted !== text
  })
}

/** Every file of the project, paths from the root. */
export function listFiles(root: string): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return listed.split('\0').filter(file => lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile())
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  try {
    const changed = setOwner(root, listFiles(root), process.argv[2] ?? '')
    console.log(
      `${process.argv[2]}/${NAME} is in ${changed.length} files. Now: npm run build && npm run readme`,
    )
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
