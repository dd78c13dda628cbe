import { type ChildOptions, runChild } from './child.ts'

/**
 * How `head` stands to `base` as far as the checkout knows: null when it lacks a commit, or is shallow and
 * therefore cannot deny an ancestry.
 */
export async function compareInCheckout(
  base: string,
  head: string,
  options: Pick<ChildOptions, 'cwd' | 'env' | 'signal'>,
): Promise<'identical' | 'ahead' | 'behind' | 'diverged' | null> {
  if (base === head) return 'identical'
  const isAncestor = async (older: string, newer: string): Promise<boolean | null> => {
    const { exitCode } = await runChild('git', ['merge-base', '--is-ancestor', older, newer], options)
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

async function isShallow(options: Pick<ChildOptions, 'cwd' | 'env' | 'signal'>): Promise<boolean> {
  const { exitCode, tail } = await runChild('git', ['rev-parse', '--is-shallow-repository'], options)
  return exitCode !== 0 || tail.trim() !== 'false'
}
