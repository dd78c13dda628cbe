/** How two commits stand to one another: by the checkout's own history where it is complete enough, else by GitHub's. */
import { compareInCheckout } from '../../checkout/git-history.ts'
import type { RunContext } from '../../context.ts'
import type { Relation } from '../../plan/types.ts'
import type { Workplace } from './workplace.ts'

/** Compares two commits: `head` as seen from `base`. */
export type CompareCommits = (base: string, head: string) => Promise<Relation>

export function commitComparer(
  { root, childEnv }: Pick<Workplace, 'root' | 'childEnv'>,
  { github, deps }: Pick<RunContext, 'github' | 'deps'>,
): CompareCommits {
  const { signal } = deps.cancellation
  return async (base, head) => {
    const local = await compareInCheckout(base, head, { cwd: root, env: childEnv, signal })
    if (local !== null) return local
    return (await github?.compare(base, head)) ?? 'unknown'
  }
}
