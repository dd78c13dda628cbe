import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { atEnd, makeScratch, removeScratch } from './runner/scratch.ts'

/** Paths to contents; null removes the file. */
export type Files = Readonly<Record<string, string | Buffer | null>>

/** The first commit's date; every further one is a minute later, so that shas are the same on every machine. */
const FIRST_COMMIT = Date.UTC(2026, 0, 1)

/** Commands that leave every commit within reach of a ref. */
const KEEPING = new Set(['add', 'config', 'rev-list', 'rev-parse'])

/** A git repository in a temporary folder. */
export class Repository {
  readonly path: string
  /** Null when it has to be asked for. */
  #commits: number | null = null

  constructor(path: string) {
    this.path = path
  }

  /** Changes files without a commit. */
  write(files: Files): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.path, name)
      if (content === null) {
        rmSync(path)
        continue
      }
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
  }

  /** Commits these changes, and what else was changed before; returns the commit's sha. */
  commit(files: Files, message = 'Change the app'): string {
    this.write(files)
    const commits = this.#commits ?? Number(this.git(['rev-list', '--count', '--all']))
    const date = new Date(FIRST_COMMIT + commits * 60_000).toISOString()
    this.git(['add', '--all'])
    this.git(['commit', '--quiet', '--allow-empty', '--message', message], {
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    })
    this.#commits = commits + 1
    return this.head
  }

  get head(): string {
    const head = this.#read('HEAD')
    const ref = /^ref: (.*)$/.exec(head ?? '')?.[1]
    return (ref === undefined ? head : this.#read(ref)) ?? this.git(['rev-parse', 'HEAD'])
  }

  /** The commit of a branch. */
  shaOf(branch: string): string {
    return this.#read(`refs/heads/${branch}`) ?? this.git(['rev-parse', branch])
  }

  /** A ref, without a process for it; null where git keeps it elsewhere. */
  #read(ref: string): string | null {
    try {
      return readFileSync(join(this.path, '.git', ref), 'utf8').trim()
    } catch {
      return null
    }
  }

  /** Makes a branch here, or elsewhere, and goes to it. */
  branch(name: string, at = 'HEAD'): void {
    this.git(['checkout', '--quiet', '-B', name, at])
  }

  /** A branch name, or a commit to be detached at. */
  checkout(ref: string): void {
    this.git(['checkout', '--quiet', ref])
  }

  detach(at = 'HEAD'): void {
    this.git(['checkout', '--quiet', '--detach', at])
  }

  tag(name: string, at = 'HEAD'): void {
    this.git(['tag', name, at])
  }

  merge(branch: string, message = `Merge ${branch}`): string {
    this.git(['merge', '--quiet', '--no-ff', '--no-commit', branch])
    return this.commit({}, message)
  }

  /**
   * What actions/checkout leaves for `branch`: by default the newest commit only (`fetch-depth: 1`).
   * `depth: 0` is the whole history.
   */
  clone(branch: string, { depth = 1 }: { depth?: number } = {}): Repository {
    const folder = makeScratch('clone')
    const shallow = depth === 0 ? [] : ['--depth', String(depth)]
    git(this.path, ['clone', '--quiet', ...shallow, '--branch', branch, `file://${this.path}`, folder])
    return new Repository(folder)
  }

  git(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
    if (!KEEPING.has(args[0] ?? '')) this.#commits = null
    return git(this.path, args, env)
  }

  remove(): void {
    removeScratch(this.path)
  }
}

/** Repositories as they are made first, by what is in them. */
const made = new Map<string, string>()
atEnd(() => made.clear())

/** A new repository with one commit on `branch`. */
export function createRepository(
  options: { files?: Files; branch?: string; message?: string } = {},
): Repository {
  const { files = {}, branch = 'main', message = 'Begin' } = options
  const repository = new Repository(makeScratch('repository'))
  const key = JSON.stringify([files, branch, message])
  const same = made.get(key)
  if (same !== undefined) {
    cpSync(same, repository.path, { recursive: true })
    return repository
  }
  repository.git(['init', '--quiet', '--template=', '--initial-branch', branch])
  repository.commit(files, message)
  const copy = makeScratch('first')
  cpSync(repository.path, copy, { recursive: true })
  made.set(key, copy)
  return repository
}

/** Free of the machine's git configuration. */
function git(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  // Else every commit starts a process that looks for what could be tidied up.
  const output = execFileSync('git', ['-c', 'maintenance.auto=false', '-c', 'gc.auto=0', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada Example',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_COMMITTER_NAME: 'Ada Example',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
      GIT_TERMINAL_PROMPT: '0',
      ...env,
    },
  })
  return output.trim()
}
