/** The release's command that names the account, tried on a copy of this project. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeScratch } from '../../local/runner/scratch.ts'
import { listFiles, readOwner, setOwner } from '../../scripts/set-owner.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Files that users read and copy. */
const READ =
  /^(README|SECURITY|CONTRIBUTING)\.md$|^action\.yml$|^(docs|examples|\.github)\/.*\.(md|yml|json)$/

it('leaves nothing of the placeholder, and no word about it', () => {
  const copy = makeScratch('owner')
  const files = listFiles(ROOT)
  for (const file of files) cpSync(join(ROOT, file), join(copy, file))
  const owner = readOwner(copy)
  const changed = setOwner(copy, files, 'acme-1')
  expect(changed).toEqual(expect.arrayContaining(['README.md', 'src/documents.ts', '.github/CODEOWNERS']))
  expect(readOwner(copy)).toBe('acme-1')
  const read = (file: string) => readFileSync(join(copy, file), 'utf8')
  expect(files.filter(file => read(file).includes(`${owner}/capgo-publish-action`))).toEqual([])
  expect(read('README.md')).toContain('uses: acme-1/capgo-publish-action@v1')
  expect(read('.github/CODEOWNERS')).toContain('* @acme-1\n')
  const readByUsers = files.filter(file => READ.test(file))
  expect(readByUsers.length).toBeGreaterThan(40)
  expect(readByUsers.filter(file => /\bOWNER\b|owner:begin/.test(read(file)))).toEqual([])
  // A second time, from that account to another one.
  setOwner(copy, files, 'other')
  expect(files.filter(file => read(file).includes('acme-1/'))).toEqual(['test/unit/set-owner.test.ts'])
})

it.each(['', '-acme', 'acme_1', 'acme/x', 'a'.repeat(40)])('refuses %j', account => {
  expect(() => setOwner(ROOT, [], account)).toThrow('is not a name that GitHub accepts')
})
