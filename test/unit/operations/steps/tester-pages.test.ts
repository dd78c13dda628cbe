/** Where the comment leads people who add a phone. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeScratch } from '../../../../local/runner/scratch.ts'
import type { PullRequest } from '../../../../src/event.ts'
import { pageOfEntry, pageToAddPhone } from '../../../../src/operations/steps/tester-pages.ts'
import type { Tester } from '../../../../src/plan/tester-list.ts'

const repository = { repositoryUrl: 'https://github.com/o/r', defaultBranch: 'release/next#1' }
const file = { path: 'apps/my app/testers.json', text: '[]' }
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

it('is a new file where the default branch has none', async () => {
  const workspace = makeScratch('pages')
  mkdirSync(join(workspace, '.git'))
  expect(await pageToAddPhone({ ...file, text: '' }, workspace, repository)).toBe(
    'https://github.com/o/r/new/release/next%231?filename=apps%2Fmy%20app%2Ftesters.json',
  )
})

it('is not known without a checkout', async () => {
  expect(await pageToAddPhone(file, makeScratch('pages'), repository)).toBe(null)
})

it.each([
  ['the default branch', 'newest', 'release/next%231'],
  ['the commit of the pull request that adds it', 'proposed', 'c0ffee'],
])('an entry has its line in the file of %s', (_where, list, ref) => {
  const tester = { line: 7 } as Tester
  const lists = {
    newest: { ...file, testers: list === 'newest' ? [tester] : [] },
    proposed: list === 'proposed' ? [tester] : null,
    isCheckedOut: false,
  }
  const scope = {
    isWhole: false,
    published: { headSha: 'c0ffee' } as PullRequest,
    closing: null,
    channel: null,
  }
  expect(pageOfEntry(tester, { scope, lists }, repository)).toBe(
    `https://github.com/o/r/blob/${ref}/apps/my%20app/testers.json#L7`,
  )
  expect(pageOfEntry({ line: 7 } as Tester, { scope, lists }, repository), 'a former one').toBe(null)
})
