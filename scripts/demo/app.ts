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

/** The example app in a repository of its own, with the history that the story needs. */
export interface App {
  readonly repository: Repository
  readonly old: Commit
  readonly main: Commit
  readonly develop: Commit
  /** Of the pull request: when it is opened, and what is pushed to it. */
  readonly opened: Commit
  readonly pushed: Commit
  /** On main: testers.json with two devices, and then with one of them on development. */
  readonly listed: Commit
  readonly moved: Commit
  /** Of the pull request that goes to them. */
  readonly night: Commit
  /** On develop: what is to be promoted; it contains all of main. */
  readonly tested: Commit
  /** On main: what should never have been published. */
  readonly bad: Commit
}

export const ADA = { name: "Ada's iPhone", device: 'ada00000-1111-4222-8333-000000000001' }
export const QA = { name: 'Pixel of QA', device: 'c0ffee00-1111-4222-8333-000000000002' }

export function createApp(): App {
  const repository = createRepository({ files: {}, message: 'Begin' })
  cpSync(EXAMPLE, repository.path, {
    recursive: true,
    filter: path => !['node_modules', 'dist'].includes(basename(path)),
  })
  const commit = (branch: string, headline: string): Commit => {
    const news = { headline, text: `This app was built from branch ${branch}.` }
    const files = { 'src/news.ts': `export const news = ${JSON.stringify(news)}\n` }
    return { sha: repository.commit(files, `Say "${headline}"`), branch, headline }
  }
  const old = commit('main', 'Good night')
  const main = commit('main', 'Good morning')
  repository.branch('develop')
  const develop = commit('develop', 'Good evening')
  repository.branch('feature/weekend', main.sha)
  const opened = commit('feature/weekend', 'Happy weekend')
  const pushed = commit('feature/weekend', 'Enjoy the weekend')
  const testers = (...list: object[]) => ({
    'testers.json': `${JSON.stringify({ testers: list }, null, 2)}\n`,
  })
  repository.branch('main', main.sha)
  const listed = { ...main, sha: repository.commit(testers(ADA, QA), 'Test on two devices') }
  repository.branch('feature/night')
  const night = commit('feature/night', 'Sleep well')
  repository.branch('main', listed.sha)
  const moved = {
    ...main,
    sha: repository.commit(testers(ADA, { ...QA, channel: 'development' }), 'Test development, too'),
  }
  repository.branch('develop', develop.sha)
  repository.git(['merge', '--quiet', '--no-ff', '--no-commit', '--strategy-option', 'ours', moved.sha])
  const tested = commit('develop', 'Good afternoon')
  repository.branch('main', moved.sha)
  const bad = commit('main', 'Oops')
  return { repository, old, main, develop, opened, pushed, listed, moved, night, tested, bad }
}

/** The headline that the web code of a bundle shows, read from its scripts. */
export function headlineOf(files: ReadonlyMap<string, Buffer>, app: App): string | null {
  const scripts = [...files].filter(([path]) => path.endsWith('.js')).map(([, content]) => content.toString())
  const { old, main, develop, opened, pushed, night, tested, bad } = app
  const shown = [old, main, develop, opened, pushed, night, tested, bad].filter(({ headline }) =>
    scripts.some(script => script.includes(headline)),
  )
  return shown.length === 1 ? shown[0]!.headline : null
}
