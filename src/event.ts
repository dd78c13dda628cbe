import { ActionError } from './errors.ts'
import type { Ref } from './plan/channel.ts'
import type { Commit } from './plan/types.ts'

/** What started the run: the runner's variables and the webhook payload. */
export interface EventSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly payload: unknown
}

/** What the event asks for. */
export interface Trigger {
  /** `push`, `workflow_dispatch`, `release`, … */
  readonly event: string
  readonly ref: Ref & { readonly type: 'branch' | 'tag' | 'other' }
  /** Whether the ref is the repository's default branch, or a tag. */
  readonly isDefaultBranch: boolean
  readonly commit: Commit
  /** `owner/name`. */
  readonly repository: string
}

/**
 * The event as data. Throws `not_on_github` when a variable is missing that the runner always sets.
 */
export function readTrigger({ env, payload }: EventSource): Trigger {
  const need = (name: string): string => {
    const value = env[name]
    if (value) return value
    throw new ActionError('not_on_github', `The environment has no ${name}.`, {
      hint: 'This action runs as a step of a GitHub Actions workflow; to try it elsewhere, set the variables that the runner sets.',
    })
  }
  const full = need('GITHUB_REF')
  const sha = need('GITHUB_SHA')
  const repository = need('GITHUB_REPOSITORY')
  const type = full.startsWith('refs/heads/') ? 'branch' : full.startsWith('refs/tags/') ? 'tag' : 'other'
  const name = full.replace(/^refs\/(heads|tags)\//, '')
  const defaultBranch = at(payload, 'repository', 'default_branch')
  return {
    event: need('GITHUB_EVENT_NAME'),
    ref: { full, name, type },
    isDefaultBranch: type === 'tag' || (type === 'branch' && name === defaultBranch),
    repository,
    commit: {
      sha,
      refName: name,
      runId: Number(need('GITHUB_RUN_ID')),
      runNumber: Number(need('GITHUB_RUN_NUMBER')),
      runAttempt: Number(need('GITHUB_RUN_ATTEMPT')),
      url: `${need('GITHUB_SERVER_URL')}/${repository}/commit/${sha}`,
    },
  }
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  )
}
