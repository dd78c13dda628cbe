/** A pull request as GitHub reports it now, and the commit of it that is checked out. */
import type { RunContext } from '../../context.ts'
import { ActionError, RefGone } from '../../errors.ts'
import { type PullRequest, toPullRequest } from '../../event.ts'
import type { GitHub } from '../../github/client.ts'
import { isPrivileged } from '../../plan/operation.ts'
import { whyNoPreview } from '../../plan/preview.ts'
import type { Head } from '../../plan/staleness.ts'
import { shortSha } from '../../report/format.ts'
import { PULL_REQUESTS } from './comment.ts'
import { readCheckedOutCommit } from './workplace.ts'

/** The pull request as it is now; null when GitHub does not report it, which is a warning. */
export async function readPull(number: number, { bestEffort }: RunContext): Promise<PullRequest | null> {
  return bestEffort('check whether the pull request is open', PULL_REQUESTS, async github => {
    const answer = await github.readPull(number)
    return answer === null ? null : toPullRequest(answer)
  })
}

/** The pull request's newest commit, as GitHub reports it now. Throws `RefGone` where it wants no preview any more. */
export async function readHeadOfPull(number: number, context: RunContext): Promise<Head> {
  const now = await readPull(number, context)
  if (now === null) return { kind: 'unknown' }
  const end = whyNoPreview(now, context.inputs)
  if (end !== null) throw new RefGone(`${end}, so nothing is published.`)
  return { kind: 'at', sha: now.headSha }
}

/**
 * The head that is checked out: the event's (`sha`), by itself or merged into its base, or that of now, where the
 * checkout was made by name. Another commit is published as the event's head, with a warning.
 */
export async function readHeadOfCheckout(
  pull: PullRequest,
  sha: string,
  context: RunContext,
): Promise<string> {
  const { deps, trigger } = context
  if (isPrivileged(trigger)) return sha
  const checkedOut = await readCheckedOutCommit(context)
  if (checkedOut === null || checkedOut.sha === trigger.commit.sha) return sha
  const isOf = (head: string) => checkedOut.sha === head || checkedOut.parents.includes(head)
  if (isOf(sha)) return sha
  if (isOf(pull.headSha)) return pull.headSha
  deps.log.warning(
    `The checked-out commit ${shortSha(checkedOut.sha)} is neither the head of #${pull.number} (${shortSha(sha)}) nor its merge into the base branch. Its content is published as ${shortSha(sha)}. Check the input "ref" of actions/checkout.`,
  )
  return sha
}

/** Throws `github_token_missing`, which says what it is needed for. */
export function requireGitHub({ github }: RunContext, need: string): GitHub {
  if (github !== null) return github
  throw new ActionError('github_token_missing', 'The input "github-token" is empty.', {
    hint: `It is needed to ${need}.`,
  })
}
