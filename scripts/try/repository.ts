/** The user's repository as GitHub has it, and checkouts of it. Nothing of the user's own is changed. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { HostedRepository } from '../../local/github/state.ts'
import { makeScratch } from '../../local/runner/scratch.ts'

/**
 * A bare copy: the branches here and, where those are not here, the ones last fetched from `origin`. Its commits are the
 * user's own objects.
 */
export class TriedRepository {
  /** Folder of the bare copy: what the local GitHub serves. */
  readonly path = makeScratch('repository')
  readonly name: string
  /** The app's folder, from the root of the repository; empty for the root. */
  readonly directory: string
  /** Null: none is checked out. */
  readonly branch: string | null
  readonly head: string
  readonly defaultBranch: string
  /** Files that are not committed, so not part of what is tried. */
  readonly changed: number
  readonly #format: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    const ask = (...words: string[]) => git(folder, ...words)
    const origin = ask('rev-parse', '--show-toplevel')
    const store = resolve(folder, ask('rev-parse', '--git-common-dir'))
    this.name = basename(origin).replace(/[^\w.-]/g, '-')
    this.directory = ask('rev-parse', '--show-prefix').replace(/\/$/, '')
    this.head = ask('rev-parse', '--verify', 'HEAD')
    this.changed = ask('status', '--porcelain', '.').split('\n').filter(Boolean).length
    const checkedOut = ask('rev-parse', '--abbrev-ref', 'HEAD')
    this.branch = checkedOut === 'HEAD' ? null : checkedOut
    this.#format = tryGit(folder, 'rev-parse', '--show-object-format') ?? 'sha1'
    git(this.path, 'init', '--quiet', '--bare', `--object-format=${this.#format}`)
    writeFileSync(join(this.path, 'objects/info/alternates'), `${join(store, 'objects')}\n`)
    if (existsSync(join(store, 'shallow'))) copyFileSync(join(store, 'shallow'), join(this.path, 'shallow'))
    const fetch = (...refs: string[]) =>
      git(this.path, 'fetch', '--quiet', '--no-tags', '--update-shallow', `file://${store}`, ...refs)
    fetch('+refs/remotes/origin/*:refs/heads/*', '^refs/remotes/origin/HEAD')
    fetch('+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*')
    // As on GitHub, where a workflow checks out any commit.
    git(this.path, 'config', 'uploadpack.allowAnySHA1InWant', 'true')
    const told = tryGit(folder, 'symbolic-ref', '--short', 'refs/remotes/origin/HEAD')?.replace(
      /^origin\//,
      '',
    )
    const usual = [told, 'main', 'master'].find(name => name !== undefined && this.tip(name) !== null)
    this.defaultBranch = usual ?? this.branch ?? 'main'
    git(this.path, 'symbolic-ref', 'HEAD', `refs/heads/${this.defaultBranch}`)
  }

  /** The commit of a branch; null without it. */
  tip(branch: string): string | null {
    return this.#commit(`refs/heads/${branch}`)
  }

  /** The commit of a branch, a tag, or of whatever git understands in the user's folder; null without it. */
  find(name: string): string | null {
    return this.tip(name) ?? this.#commit(`refs/tags/${name}`) ?? this.#commit(name, this.#folder)
  }

  #commit(name: string, folder = this.path): string | null {
    return tryGit(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`)
  }

  isAncestor(older: string, newer: string): boolean {
    return tryGit(this.path, 'merge-base', '--is-ancestor', older, newer) !== null
  }

  subject(commit: string): string {
    return git(this.path, 'log', '-1', '--format=%s', commit)
  }

  /** How many commits lead to this one: a later commit has a larger number. */
  count(commit: string): number {
    return Number(git(this.path, 'rev-list', '--count', commit))
  }

  makeBranch(name: string, commit: string): void {
    git(this.path, 'update-ref', `refs/heads/${name}`, commit)
  }

  removeBranch(name: string): void {
    git(this.path, 'update-ref', '-d', `refs/heads/${name}`)
  }

  /** What GitHub makes of a pull request that can be merged: `refs/pull/<number>/merge`. Null where it conflicts. */
  mergePull(number: number, base: string, head: string): string | null {
    git(this.path, 'update-ref', `refs/pull/${number}/head`, head)
    const tree = tryGit(this.path, 'merge-tree', '--write-tree', '--allow-unrelated-histories', base, head)
    if (tree === null) return null
    const date = git(this.path, 'log', '-1', '--format=%cI', head)
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap(who => [
        [`GIT_${who}_NAME`, 'GitHub'],
        [`GIT_${who}_EMAIL`, 'noreply@github.com'],
        [`GIT_${who}_DATE`, date],
      ]),
    )
    const message = `Merge ${head} into ${base}`
    const words = ['commit-tree', tree.split('\n')[0]!, '-p', base, '-p', head, '-m', message]
    const merge = run(this.path, words, env)
    git(this.path, 'update-ref', `refs/pull/${number}/merge`, merge)
    return merge
  }

  /** As actions/checkout leaves it. `depth` 0 is the whole history. */
  checkOut(commit: string, ref: string, depth: number): string {
    const path = makeScratch('checkout')
    git(path, 'init', '--quiet', `--object-format=${this.#format}`)
    git(path, 'remote', 'add', 'origin', `file://${this.path}`)
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1]
    const there = branch === undefined ? ref : `refs/remotes/origin/${branch}`
    const all = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
    git(
      path,
      ...['fetch', '--quiet', '--no-tags', ...(depth === 0 ? [] : ['--depth', `${depth}`]), 'origin'],
      ...(depth === 0 ? all : []),
      `+${commit}:${there.startsWith('refs/pull/') ? there.replace('refs/', 'refs/remotes/') : there}`,
    )
    git(
      path,
      'checkout',
      '--quiet',
      '--force',
      ...(branch === undefined ? ['--detach'] : ['-B', branch]),
      commit,
    )
    return path
  }
}

function git(folder: string, ...words: string[]): string {
  return run(folder, words, {})
}

/** Null where git says no. */
function tryGit(folder: string, ...words: string[]): string | null {
  try {
    return git(folder, ...words)
  } catch {
    return null
  }
}

function run(folder: string, words: readonly string[], env: Readonly<Record<string, string>>): string {
  return execFileSync('git', words, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, ...env },
  }).trim()
}

export interface Stage {
  readonly repository: TriedRepository
  readonly hosted: HostedRepository
  /** Branches to the commits that were pushed last, as an earlier try saw them. */
  readonly pushed: Readonly<Record<string, string>>
}
