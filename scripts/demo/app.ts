import { cpSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRepository, type Repository } from '../../local/repository.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/vite-capacitor', import.meta.url))

export interface Commit {
  readonly sha: string
  readonly branch: string
  readonly headline: string
}

/** The example app in a repository of its own, with the history that the story begins with. */
export interface App {
  readonly repository: Repository
  readonly old: Commit
  readonly main: Commit
  readonly develop: Commit
  /** Of the pull request: when it is opened, and what is pushed to it. */
  readonly opened: Commit
  readonly pushed: Commit
  /** On main: testers.json with two devices. */
  readonly listed: Commit
  /** Of the pull request that goes to them. */
  readonly night: Commit
}

/** Expectations once a tester has joined and left. */
export interface LaterCommits {
  /** On main: testers.json with one device on development. */
  readonly moved: Commit
  /** On develop: what is to be promoted; it contains all of main. */
  readonly tested: Commit
  /** On main: what should never have been published. */
  readonly bad: Commit
}

export const ADA = { name: "Ada's iPhone", device: 'ada00000-1111-4222-8333-000000000001' }
export const QA = { name: 'Pixel of QA', device: 'c0ffee00-1111-4222-8333-000000000002' }

const HEADLINES = [
  'Good night',
  'Good morning',
  'Good evening',
  'Happy weekend',
  'Enjoy the weekend',
  'Sleep well',
  'Good afternoon',
  'Oops',
] as const
type Headline = (typeof HEADLINES)[number]

export function createApp(): App {
  const repository = createRepository({ files: {}, message: 'Begin' })
  cpSync(EXAMPLE, repository.path, {
    recursive: true,
    filter: path => !['node_modules', 'dist'].includes(basename(path)),
  })
  const commit = (branch: string, headline: Headline) => say(headline, branch, repository)
  const old = commit('main', 'Good night')
  const main = commit('main', 'Good morning')
  repository.branch('develop')
  const develop = commit('develop', 'Good evening')
  repository.branch('feature/weekend', main.sha)
  const opened = commit('feature/weekend', 'Happy weekend')
  const pushed = commit('feature/weekend', 'Enjoy the weekend')
  repository.branch('main', main.sha)
  const listed = { ...main, sha: repository.commit(listTesters(ADA, QA), 'Test on two devices') }
  repository.branch('feature/night')
  const night = commit('feature/night', 'Sleep well')
  return { repository, old, main, develop, opened, pushed, listed, night }
}

/** Goes on where main is now. */
export function continueApp({ repository, main, develop }: App): LaterCommits {
  repository.git(['checkout', '--quiet', '--force', 'main'])
  const files = listTesters(ADA, { ...QA, channel: 'development' })
  const moved = { ...main, sha: repository.commit(files, 'Test development, too') }
  repository.branch('develop', develop.sha)
  repository.git(['merge', '--quiet', '--no-ff', '--no-commit', '--strategy-option', 'ours', moved.sha])
  const tested = say('Good afternoon', 'develop', repository)
  repository.branch('main', moved.sha)
  const bad = say('Oops', 'main', repository)
  return { moved, tested, bad }
}

function say(headline: Headline, branch: string, repository: Repository): Commit {
  const news = { headline, text: `This app was built from branch ${branch}.` }
  const files = { 'src/news.ts': `export const news = ${JSON.stringify(news)}\n` }
  return { sha: repository.commit(files, `Say "${headline}"`), branch, headline }
}

function listTesters(...testers: readonly object[]) {
  return { 'testers.json': `${JSON.stringify({ testers }, null, 2)}\n` }
}

/** The headline that the web code of a bundle shows, read from its scripts. */
export function headlineOf(files: ReadonlyMap<string, Buffer>): string | null {
  const scripts = [...files].filter(([path]) => path.endsWith('.js')).map(([, content]) => content.toString())
  const shown = HEADLINES.filter(headline => scripts.some(script => script.includes(headline)))
  return shown.length === 1 ? shown[0]! : null
}
