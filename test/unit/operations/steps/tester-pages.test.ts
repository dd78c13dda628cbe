/** Where the comment leads people who add a phone. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeScratch } from '../../../../local/runner/scratch.ts'
import { pageToAddPhone } from '../../../../src/operations/steps/tester-pages.ts'

const repository = { repositoryUrl: 'https://github.com/o/r', defaultBranch: 'release/next#1' }
const file = 'apps/my app/testers.json'
const EDITOR = 'https://github.com/o/r/edit/release/next%231/apps/my%20app/testers.json'

it('is the file in GitHub’s editor, and the form once the repository has one', async () => {
  const workspace = makeScratch('pages')
  mkdirSync(join(workspace, '.git'))
  expect(await pageToAddPhone(file, workspace, repository)).toBe(EDITOR)
  expect(await pageToAddPhone(file, workspace, { ...repository, defaultBranch: null })).toBe(null)
  mkdirSync(join(workspace, '.github/ISSUE_TEMPLATE'), { recursive: true })
  writeFileSync(join(workspace, '.github/ISSUE_TEMPLATE/tester.yml'), '')
  expect(await pageToAddPhone(file, workspace, { ...repository, defaultBranch: null })).toBe(
    'https://github.com/o/r/issues/new?template=tester.yml',
  )
})

it('is not known without a checkout', async () => {
  expect(await pageToAddPhone(file, makeScratch('pages'), repository)).toBe(null)
})
