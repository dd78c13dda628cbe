/** Commits as the checkout's git knows them. */
import { type ChildOptions, runChild } from '../runtime/child-process.ts'

type GitOptions = Pick<ChildOptions, 'cwd' | 'env' | 'signal'>

/** A checkout of another user, as in a container job, is one that git refuses to look at. */
const ANY_OWNER = ['-c', 'safe.directory=*']

const git = (args: readonly string[], options: GitOptions) =>
  runChild('git', [...ANY_OWNER, ...args], options)

/** The commit that is checked out. */
export interface CheckedOut {
  readonly sha: string
  /** Also those that a shallow checkout does not have. */
  readonly parents: readonly string[]
}

/**
 * The commit that is checked out in a folder; null when unknown: no checkout, no git, or a checkout of another
 * repository than `owner/name`.
 */
export async function readCheckedOut(repository: string, options: GitOptions): Promise<CheckedOut | null> {
  try {
    const [head, commit, origin] = await Promise.all([
      git(['rev-parse', '--verify', 'HEAD'], options),
      git(['cat-file', 'commit', 'HEAD'], options),
      git(['config', '--get', 'remote.origin.url'], options),
    ])
    const sha = head.tail.trim()
    if (head.exitCode !== 0 || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha)) return null
    if (origin.exitCode === 0 && !isOf(repository, origin.tail.trim())) return null
    const [header = ''] = commit.tail.split('\n\n')
    return { sha, parents: [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent = '']) => parent) }
  } catch {
    options.signal?.throwIfAborted()
    return null
  }
}

/** Whether a clone's address is of this repository; an address that names none (a folder) may be any. */
function isOf(repository: string, url: string): boolean {
  const name = /^(?:https?:\/\/|ssh:\/\/|git@)[^/:]*[/:](.+?)(?:\.git)?\/?$/.exec(url)?.[1]
  return name === undefined || name.toLowerCase() === repository.toLowerCase()
}

/**
 * How `head` stands to `base` as far as the checkout knows: null when it lacks a commit, or is shallow and
 * therefore cannot deny an ancestry.
 */
export async function compareInCheckout(
  base: string,
  head: string,
  options: GitOptions,
): Promise<'identical' | 'ahead' | 'behind' | 'diverged' | null> {
  if (base === head) return 'identical'
  const isAncestor = async (older: string, newer: string): Promise<boolean | null> => {
    const { exitCode } = await git(['merge-base', '--is-ancestor', older, newer], options)
    return exitCode === 0 ? true : exitCode === 1 ? false : null
  }
  try {
    if (await isAncestor(base, head)) return 'ahead'
    const behind = await isAncestor(head, base)
    if (behind) return 'behind'
    if (behind === null || (await isShallow(options))) return null
    return 'diverged'
  } catch {
    options.signal?.throwIfAborted()
    return null
  }
}

async function isShallow(options: GitOptions): Promise<boolean> {
  const { exitCode, tail } = await git(['rev-parse', '--is-shallow-repository'], options)
  return exitCode !== 0 || tail.trim() !== 'false'
}
