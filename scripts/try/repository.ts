/** The user's repository as GitHub has it, and checkouts of it. Nothing of the user's own is changed. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { HostedRepository } from '../../local/github/state.ts'
import { makeScratch } from '../../local/runner/scratch.ts'

/** Full names of branches and tags, to what they point at. */
type Refs = Readonly<Record<string, string>>

/**
 * A bare repository, to which each try pushes what is new in the user's: branches there and, where those are not there,
 * the ones last fetched from `origin`. What the action wrote stays. Commits of the user are the user's own objects.
 */
export class TriedRepository {
  /** Folder of the bare repository: what the local GitHub serves. */
  readonly path: string
  /** Pushes that would lose commits of the local GitHub, each with what can be done. */
  readonly rejected: readonly string[]
  readonly name: string
  /** The app's folder, from the root of the repository; empty for the root. */
  readonly directory: string
  /** Null: none is checked out. */
  readonly branch: string | null
  readonly head: string
  readonly defaultBranch: string
  /** Files that are not committed, so not part of what is tried. */
  readonly changed: number
  /** Of the user. */
  readonly #refs: Refs
  readonly #format: string
  readonly #folder: string

  /** `path` may be the folder of an earlier try. */
  constructor(folder: string, path = makeScratch('repository')) {
    this.#folder = folder
    this.path = path
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
    mkdirSync(this.path, { recursive: true })
    git(this.path, 'init', '--quiet', '--bare', `--object-format=${this.#format}`)
    writeFileSync(join(this.path, 'objects/info/alternates'), `${join(store, 'objects')}\n`)
    const shallow = [store, this.path].map(each => join(each, 'shallow')) as [string, string]
    if (existsSync(shallow[0])) copyFileSync(...shallow)
    else rmSync(shallow[1], { force: true })
    this.#refs = {
      ...listRefs(folder, 'refs/remotes/origin/', 'refs/heads/'),
      ...listRefs(folder, 'refs/heads/'),
      ...listRefs(folder, 'refs/tags/'),
    }
    this.rejected = this.#push()
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

  /** Moves what changed in the user's folder since the last time; or returns why not. */
  #push(): string[] {
    const memory = join(this.path, 'last-push.json')
    const last: Refs = existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : {}
    const there = { ...listRefs(this.path, 'refs/heads/'), ...listRefs(this.path, 'refs/tags/') }
    const problems: string[] = []
    const moved: string[] = []
    const gone: string[] = []
    for (const ref of Object.keys({ ...last, ...this.#refs })) {
      const [before, now, hosted] = [last[ref], this.#refs[ref], there[ref]]
      if (now === before || now === hosted) continue
      const isOwn = hosted === undefined || hosted === before
      if (now === undefined) gone.push(...(isOwn ? [`delete ${ref}`] : []))
      else if (isOwn || this.isAncestor(hosted, now)) moved.push(`update ${ref} ${now}`)
      else problems.push(this.#reject(ref, hosted))
    }
    if (problems.length > 0) return problems
    // First, as a branch may have the name of another one's folder.
    for (const commands of [gone, moved])
      if (commands.length > 0) run(this.path, ['update-ref', '--stdin'], {}, `${commands.join('\n')}\n`)
    writeFileSync(memory, JSON.stringify(this.#refs))
    return []
  }

  #reject(ref: string, hosted: string): string {
    const name = ref.replace(/^refs\/(heads|tags)\//, '')
    return [
      `The local GitHub has "${this.subject(hosted)}" on ${name}, and your ${name} changed without it. To keep both, run there:`,
      `  git pull --rebase ${this.path} ${name}`,
      'To keep yours only:',
      `  git push --force ${this.path} ${name}`,
    ].join('\n')
  }

  /** Branches of the local GitHub with a commit that the user's folder lacks: of the action, or a merge. */
  listNews(): { readonly name: string; readonly commit: string; readonly subject: string }[] {
    return Object.entries(listRefs(this.path, 'refs/heads/'))
      .filter(([ref, commit]) => this.#refs[ref] !== commit && this.#commit(commit, this.#folder) === null)
      .map(([ref, commit]) => ({
        name: ref.replace('refs/heads/', ''),
        commit,
        subject: this.subject(commit),
      }))
  }

  /** The commit of a branch; null without it. */
  tip(branch: string): string | null {
    return this.#commit(`refs/heads/${branch}`)
  }

  /** The commit of a branch, a tag, or of whatever git understands in the user's folder or here; null without it. */
  find(name: string): string | null {
    const known = this.tip(name) ?? this.#commit(`refs/tags/${name}`)
    const full = name.startsWith('refs/') ? this.#commit(name) : null
    return known ?? full ?? this.#commit(name, this.#folder) ?? this.#commit(name)
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
    const merge = this.#merge(base, head, `Merge ${head} into ${base}`)
    if (merge !== null) git(this.path, 'update-ref', `refs/pull/${number}/merge`, merge)
    return merge
  }

  /**
   * Merges as the button of a pull request does, unless somebody did already; returns the branch's commit. Null where it
   * conflicts.
   */
  mergeInto(branch: string, head: string, message: string): string | null {
    const base = this.tip(branch)
    const merge = base === null ? null : this.#merge(base, head, message)
    if (base === null || merge === null) return null
    const isNew = tryGit(this.path, 'diff', '--quiet', base, merge) === null
    if (isNew) this.makeBranch(branch, merge)
    return isNew ? merge : base
  }

  #merge(base: string, head: string, message: string): string | null {
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
    const words = ['commit-tree', tree.split('\n')[0]!, '-p', base, '-p', head, '-m', message]
    return run(this.path, words, env)
  }

  /** As actions/checkout leaves it. `depth` 0 is the whole history. */
  checkOut(commit: string, ref: string, depth: number): string {
    const path = makeScratch('checkout')
    git(path, 'init', '--quiet', `--object-format=${this.#format}`)
    git(path, 'remote', 'add', 'origin', `file://${this.path}`)
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1]
    const there = branch === undefined ? ref : `refs/remotes/origin/${branch}`
    const fetch = (...words: string[]) => git(path, 'fetch', '--quiet', '--no-tags', ...words)
    if (depth === 0) fetch('origin', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*')
    // By itself: the event's commit may be an older one of its branch.
    fetch(
      ...(depth === 0 ? [] : ['--depth', `${depth}`]),
      'origin',
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

/** Those below `prefix`, as `as` names them. */
function listRefs(folder: string, prefix: string, as = prefix): Record<string, string> {
  const lines = git(folder, 'for-each-ref', '--format=%(objectname) %(refname)', prefix).split('\n')
  const refs = lines.filter(Boolean).map(line => line.split(' ') as [string, string])
  return Object.fromEntries(
    refs.flatMap(([sha, ref]) =>
      ref === 'refs/remotes/origin/HEAD' ? [] : [[ref.replace(prefix, as), sha]],
    ),
  )
}

function run(
  folder: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): string {
  return execFileSync('git', words, {
    cwd: folder,
    encoding: 'utf8',
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
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
