/** `npm run try -- --state`: the repository of the local GitHub stays, and each try pushes to it what is new. */
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { createRepository, Repository } from '../../../local/repository.ts'
import { makeScratch } from '../../../local/runner/scratch.ts'
import { TriedRepository } from '../../../scripts/try/repository.ts'

let own: Repository
let path: string
beforeEach(() => {
  own = createRepository({ files: { 'a.txt': 'one' } })
  path = makeScratch('kept')
  onTestFinished(() => own.remove())
})

/** As the next try finds it. */
const open = () => new TriedRepository(own.path, path)
const hosted = (...words: string[]) => own.git(words, { GIT_DIR: path })

/** A commit on a branch of GitHub, as the action makes one; returns it. */
function write(branch: string): string {
  const made = hosted('commit-tree', `${own.head}^{tree}`, '-p', own.head, '-m', 'Add a tester (#45)')
  hosted('update-ref', `refs/heads/${branch}`, made)
  return made
}

it('has what the action wrote, and what is new in the folder', () => {
  own.branch('left')
  own.branch('main')
  expect(open().listNews()).toEqual([])
  const made = { main: write('main'), proposal: write('capgo/tester-45') }
  own.git(['branch', '--delete', 'left'])
  own.branch('left/behind')
  const feature = own.commit({ 'b.txt': 'one' })
  own.tag('v1')
  const next = open()
  expect(next.rejected).toEqual([])
  expect([next.tip('left/behind'), next.find('refs/tags/v1'), next.tip('left')]).toEqual([
    feature,
    feature,
    null,
  ])
  expect(next.find('refs/heads/main')).toBe(made.main)
  expect(next.listNews()).toEqual([
    { name: 'capgo/tester-45', commit: made.proposal, subject: 'Add a tester (#45)' },
    { name: 'main', commit: made.main, subject: 'Add a tester (#45)' },
  ])
  // A branch that somebody deleted on GitHub stays away, as long as nobody pushes to it.
  next.removeBranch('left/behind')
  expect([open().tip('left/behind'), open().find('refs/heads/left/behind')]).toEqual([null, feature])
  own.commit({ 'b.txt': 'two' })
  expect(open().tip('left/behind')).toBe(own.head)
})

it('takes a force push of the folder, as long as nothing of the action is lost', () => {
  const first = own.head
  own.commit({ 'a.txt': 'two' })
  open()
  own.git(['reset', '--quiet', '--hard', first])
  expect([open().rejected, open().tip('main')]).toEqual([[], first])
})

it('keeps a commit of the action until the folder has it, or replaces it on purpose', () => {
  open()
  const made = write('main')
  own.commit({ 'a.txt': 'two' })
  own.branch('other')
  const [problem, ...more] = open().rejected
  expect([problem, more]).toEqual([expect.stringContaining('"Add a tester (#45)" on main'), []])
  // Nothing is pushed then, and nothing forgotten.
  expect([open().tip('main'), open().tip('other'), open().rejected.length]).toEqual([made, null, 1])
  const [pull, push] = [...problem!.matchAll(/^ {2}git (.*)$/gm)].map(([, words]) => words!.split(' '))
  own.checkout('main')
  const before = own.head
  own.git(pull!)
  expect([open().rejected, open().tip('main'), open().isAncestor(made, own.head)]).toEqual([
    [],
    own.head,
    true,
  ])
  write('main')
  own.git(['reset', '--quiet', '--hard', before])
  expect(open().rejected).toHaveLength(1)
  own.git(push!)
  expect([open().rejected, open().tip('main')]).toEqual([[], before])
})

it.each([
  [1, 'main', '1'],
  [0, 'feature main', '2'],
])('is checked out with --fetch-depth %i', (depth, branches, count) => {
  const older = own.commit({ 'a.txt': 'two' })
  own.branch('feature')
  own.branch('main')
  own.commit({ 'a.txt': 'three' })
  const checkout = new Repository(open().checkOut(older, 'refs/heads/main', depth))
  expect([checkout.head, checkout.git(['rev-list', '--count', 'HEAD'])]).toEqual([older, count])
  const refs = checkout.git(['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/remotes'])
  expect(refs.split('\n').join(' ')).toBe(branches)
})
