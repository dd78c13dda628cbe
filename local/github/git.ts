import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface Person {
  readonly name: string
  readonly email: string
  readonly date: string
}

export interface Commit {
  readonly sha: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Person
  readonly committer: Person
  readonly message: string
}

export interface Comparison {
  readonly mergeBase: string
  readonly aheadBy: number
  readonly behindBy: number
  /** Of head and not of base, oldest first. */
  readonly commits: readonly string[]
}

export interface ChangedFile {
  readonly path: string
  readonly previousPath?: string
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed'
  /** The blob; of the old one where the file was removed. */
  readonly sha: string
  readonly additions: number
  readonly deletions: number
}

export interface TreeEntry {
  readonly mode: string
  readonly type: 'blob' | 'tree' | 'commit'
  readonly sha: string
  /** Bytes; 0 for folders. */
  readonly size: number
  readonly path: string
}

/** Words of a command, all of whose commits are named by their sha: what git says to it stays true. */
const FIXED = /^([0-9a-f]{40}(\^\{\w+\})?|[0-9a-f]{40}\.\.[0-9a-f]{40}|blob|-.*)$/
/** Of these, what comes first, or after `--`, is not a commit. */
const isFixed = (args: readonly string[]): boolean => {
  const words = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  const [, ...rest] = words.filter(word => word !== '--literal-pathspecs')
  return rest.some(word => /^[0-9a-f]{40}/.test(word)) && rest.every(word => FIXED.test(word))
}

export interface WrittenFile {
  readonly path: string
  readonly mode: string
  readonly content: string
}

/** A git repository. What a ref is, it is asked anew each time, so that what is pushed is seen. */
export class GitStore {
  readonly folder: string
  /** By command: each one starts a process. */
  readonly #known = new Map<string, Promise<string>>()

  constructor(folder: string) {
    this.folder = folder
  }

  /** The object's sha, of the branch, tag, full ref or (abbreviated) sha; in GitHub's order. */
  async resolve(name: string, type: 'commit' | 'object' = 'commit'): Promise<string | null> {
    const candidates = /^refs\//.test(name)
      ? [name]
      : [`refs/heads/${name}`, `refs/tags/${name}`, ...(/^[0-9a-f]{7,40}$/.test(name) ? [name] : [])]
    for (const candidate of candidates) {
      const branch = this.#branch(candidate)
      if (branch === 'none') continue
      if (branch !== 'unknown') return branch
      const sha = await this.#try([
        'rev-parse',
        '--verify',
        '--quiet',
        '--end-of-options',
        `${candidate}^{${type}}`,
      ])
      if (sha !== null) return sha
    }
    return null
  }

  /** Where a branch points, read from its file; whether another ref is there is known where none are packed. */
  #branch(ref: string): string | 'none' | 'unknown' {
    if (!/^refs\/(heads|tags)\//.test(ref)) return 'unknown'
    const git = join(this.folder, '.git')
    if (!statSync(git, { throwIfNoEntry: false })?.isDirectory()) return 'unknown'
    try {
      const sha = readFileSync(join(git, ref), 'latin1').trim()
      return ref.startsWith('refs/heads/') && /^[0-9a-f]{40}$/.test(sha) ? sha : 'unknown'
    } catch {
      return statSync(join(git, 'packed-refs'), { throwIfNoEntry: false }) === undefined ? 'none' : 'unknown'
    }
  }

  async commit(sha: string): Promise<Commit> {
    const format = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00')
    const fields = (await this.#git(['log', '-1', `--format=${format}`, sha])).split('\0') as [
      ...[string, string, string, string, string, string, string, string, string, string],
    ]
    const [id, tree, parents, authorName, authorEmail, authorDate, name, email, date, message] = fields
    return {
      sha: id,
      tree,
      parents: parents.split(' ').filter(Boolean),
      author: { name: authorName, email: authorEmail, date: utc(authorDate) },
      committer: { name, email, date: utc(date) },
      message: message.trimEnd(),
    }
  }

  /** Null where the two have no ancestor in common. */
  async compare(base: string, head: string): Promise<Comparison | null> {
    const mergeBase = await this.#try(['merge-base', base, head])
    if (mergeBase === null) return null
    const list = async (range: string) =>
      (await this.#git(['rev-list', '--reverse', '--topo-order', range])).split('\n').filter(Boolean)
    const commits = await list(`${base}..${head}`)
    return { mergeBase, commits, aheadBy: commits.length, behindBy: (await list(`${head}..${base}`)).length }
  }

  /** Commits from `head` on, the newest first; of a path those that changed it, as `git log` simplifies history. */
  async log(
    head: string,
    { path, since, until }: { path: string | null; since: string | null; until: string | null },
  ): Promise<string[]> {
    const bounds = [
      ...(since === null ? [] : [`--since=${since}`]),
      ...(until === null ? [] : [`--until=${until}`]),
    ]
    const of = path === null ? [] : ['--', path]
    const list = await this.#git(['--literal-pathspecs', 'log', '--format=%H', ...bounds, head, ...of])
    return list.split('\n').filter(Boolean)
  }

  /** A branch's commits before and after each change, the newest first, by the repository's own log. */
  changes(branch: string): { readonly before: string; readonly after: string; readonly at: string }[] {
    const log = join(this.folder, '.git/logs/refs/heads', branch)
    if (statSync(log, { throwIfNoEntry: false }) === undefined) return []
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    return lines.toReversed().flatMap(line => {
      const [, before, after, seconds] =
        /^([0-9a-f]+) ([0-9a-f]+) .*> (\d+) [+-]\d{4}(?:\t|$)/.exec(line) ?? []
      return before === undefined || after === undefined
        ? []
        : [{ before, after, at: utc(new Date(Number(seconds) * 1000).toISOString()) }]
    })
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    return (await this.#try(['merge-base', '--is-ancestor', ancestor, descendant])) !== null
  }

  async changedFiles(from: string, to: string): Promise<ChangedFile[]> {
    const raw = (await this.#git(['diff', '--raw', '-z', '-M', '--abbrev=40', from, to])).split('\0')
    const lines = await this.#changedLines(from, to)
    const files: ChangedFile[] = []
    for (let index = 0; index + 1 < raw.length; ) {
      const [, , oldSha, newSha, letter] = raw[index++]!.split(' ') as [
        string,
        string,
        string,
        string,
        string,
      ]
      const status = statuses[letter[0]!] ?? 'changed'
      const first = raw[index++]!
      const moved = status === 'renamed' || status === 'copied'
      const path = moved ? raw[index++]! : first
      const [additions, deletions] = lines.get(path) ?? [0, 0]
      files.push({
        path,
        ...(moved ? { previousPath: first } : {}),
        status,
        sha: status === 'removed' ? oldSha : newSha,
        additions,
        deletions,
      })
    }
    return files
  }

  /** Lines added and deleted by path; none for binary files. */
  async #changedLines(from: string, to: string): Promise<Map<string, [number, number]>> {
    const fields = (await this.#git(['diff', '--numstat', '-z', '-M', from, to])).split('\0')
    const lines = new Map<string, [number, number]>()
    for (let index = 0; index + 1 < fields.length; ) {
      const [added, deleted, path] = fields[index++]!.split('\t') as [string, string, string]
      // A renamed file has its two paths behind.
      if (path === '') index++
      lines.set(path === '' ? fields[index++]! : path, [Number(added) || 0, Number(deleted) || 0])
    }
    return lines
  }

  /** Null where nothing is. */
  async entry(commit: string, path: string): Promise<TreeEntry | null> {
    if (path === '')
      return {
        mode: '040000',
        type: 'tree',
        sha: await this.#git(['rev-parse', `${commit}^{tree}`]),
        size: 0,
        path,
      }
    return (await this.#tree([commit, '--', path]))[0] ?? null
  }

  async children(commit: string, path: string): Promise<TreeEntry[]> {
    return this.#tree(path === '' ? [commit] : [commit, '--', `${path}/`])
  }

  async blob(sha: string): Promise<Buffer> {
    const { stdout } = await run('git', ['cat-file', 'blob', sha], { ...this.#options, encoding: 'buffer' })
    return stdout
  }

  /** Full names and commits of the refs that begin so. */
  async refs(prefix: string): Promise<{ readonly ref: string; readonly sha: string }[]> {
    const lines = await this.#ask(['for-each-ref', '--format=%(refname) %(objectname)'])
    return lines
      .split('\n')
      .map(line => line.split(' ') as [string, string])
      .flatMap(([ref, sha]) => (ref.startsWith(prefix) ? [{ ref, sha }] : []))
  }

  /** A tree with these files in place of those of the same paths; returns its sha. */
  async writeTree(base: string | null, files: readonly WrittenFile[]): Promise<string> {
    const scratch = mkdtempSync(join(tmpdir(), 'index-'))
    const env = { GIT_INDEX_FILE: join(scratch, 'index') }
    try {
      if (base !== null) await this.#ask(['read-tree', base], env)
      for (const { path, mode, content } of files) {
        const file = join(scratch, 'blob')
        writeFileSync(file, content)
        const sha = await this.#ask(['hash-object', '-w', '--no-filters', file])
        await this.#ask(['update-index', '--add', '--cacheinfo', `${mode},${sha},${path}`], env)
      }
      return await this.#ask(['write-tree'], env)
    } finally {
      rmSync(scratch, { recursive: true })
    }
  }

  /** Returns the sha. */
  async writeCommit(
    { message, tree, parents }: Pick<Commit, 'message' | 'tree' | 'parents'>,
    { name, email, date }: Person,
  ): Promise<string> {
    const env = {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    }
    return this.#ask(['commit-tree', tree, ...parents.flatMap(each => ['-p', each]), '-m', message], env)
  }

  /** `before` is where the ref must be, zeros where it must not exist; false where it is elsewhere. */
  async moveRef(ref: string, sha: string, before: string): Promise<boolean> {
    return (await this.#try(['update-ref', '--create-reflog', ref, sha, before])) !== null
  }

  async #tree(args: readonly string[]): Promise<TreeEntry[]> {
    const lines = (await this.#git(['--literal-pathspecs', 'ls-tree', '-z', '--long', ...args])).split('\0')
    return lines.filter(Boolean).map(line => {
      const [, mode, type, sha, size, path] = /^(\d+) (\w+) (\w+) +(\S+)\t(.*)$/s.exec(line)!
      return { mode: mode!, type: type as TreeEntry['type'], sha: sha!, size: Number(size) || 0, path: path! }
    })
  }

  async #git(args: readonly string[]): Promise<string> {
    if (!isFixed(args)) return this.#ask(args)
    const key = args.join('\0')
    const answer = this.#known.get(key) ?? this.#ask(args)
    this.#known.set(key, answer)
    // A commit that is not there yet may come.
    answer.catch(() => this.#known.delete(key))
    return answer
  }

  async #ask(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { env, ...options } = this.#options
    const { stdout } = await run('git', args, { ...options, env: { ...env, ...more }, encoding: 'utf8' })
    return stdout.replace(/\n$/, '')
  }

  /** Null where git says no. */
  async #try(args: readonly string[]): Promise<string | null> {
    return this.#git(args).catch(error => {
      if (typeof (error as { code?: unknown }).code === 'number') return null
      throw error
    })
  }

  get #options() {
    const env = {
      PATH: process.env.PATH,
      HOME: this.folder,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
    }
    return { cwd: this.folder, env, maxBuffer: 256 * 1024 * 1024 }
  }
}

const statuses: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
}

const utc = (date: string) => new Date(date).toISOString().replace('.000', '')
