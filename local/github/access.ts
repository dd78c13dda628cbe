import { notFound, Refusal } from './answers.ts'
import type { Operation } from './openapi.ts'
import { WORKFLOW_BOT } from './resources/repositories.ts'
import type { HostedRepository } from './state.ts'

type Permission = 'actions' | 'administration' | 'contents' | 'deployments' | 'issues' | 'pull-requests'
type Level = 'none' | 'read' | 'write'
export type Permissions = Readonly<Partial<Record<Permission, Level>>>

export interface TokenSeed {
  /** As in a workflow's `permissions:`; what is not named is `none`. */
  readonly permissions?: Permissions
  /** `owner/name`; one, as a workflow's token has. */
  readonly repository: string
  /** Of a person, or `my-app[bot]` of another GitHub App. Default: the workflow's own token. */
  readonly login?: string
  /** What a person's token begins with, by its kind. Default: `github_pat_`. */
  readonly prefix?: PersonalPrefix
}

/** Fine-grained and classic personal access tokens, of an OAuth app, and of a GitHub App that acts for a person. */
type PersonalPrefix = 'github_pat_' | 'ghp_' | 'gho_' | 'ghu_'

/** Whether it is a GitHub App's own, as a workflow's is. */
const isInstallation = ({ login }: TokenSeed) => login?.endsWith('[bot]') ?? true

/** Each entry suffices. Empty: every token may. */
type Needs = readonly (readonly [Permission, 'read' | 'write'])[]

const discussion = (level: 'read' | 'write'): Needs => [
  ['issues', level],
  ['pull-requests', level],
]
const only = (permission: Permission, level: 'read' | 'write'): Needs => [[permission, level]]

/** From the page of each operation in GitHub's documentation, "fine-grained access tokens". */
const needs: Readonly<Record<string, Needs>> = {
  'actions/download-artifact': only('actions', 'read'),
  'actions/get-artifact': only('actions', 'read'),
  'actions/get-workflow-run': only('actions', 'read'),
  'actions/list-workflow-run-artifacts': only('actions', 'read'),
  'actions/list-workflow-runs-for-repo': only('actions', 'read'),
  'git/create-commit': only('contents', 'write'),
  'git/create-ref': only('contents', 'write'),
  'git/create-tree': only('contents', 'write'),
  'git/get-commit': only('contents', 'read'),
  'git/get-ref': only('contents', 'read'),
  'git/list-matching-refs': only('contents', 'read'),
  'git/update-ref': only('contents', 'write'),
  'issues/create-comment': discussion('write'),
  'issues/delete-comment': discussion('write'),
  'issues/get': discussion('read'),
  'issues/get-comment': discussion('read'),
  'issues/list-comments': discussion('read'),
  'issues/list-comments-for-repo': discussion('read'),
  'issues/list-for-repo': discussion('read'),
  'issues/update': discussion('write'),
  'issues/update-comment': discussion('write'),
  'pulls/create': only('pull-requests', 'write'),
  'pulls/get': only('pull-requests', 'read'),
  'pulls/list': only('pull-requests', 'read'),
  'pulls/list-files': only('pull-requests', 'read'),
  'pulls/list-requested-reviewers': only('pull-requests', 'read'),
  'pulls/list-reviews': only('pull-requests', 'read'),
  'pulls/update': only('pull-requests', 'write'),
  'repos/compare-commits-with-basehead': only('contents', 'read'),
  'repos/create-deployment': only('deployments', 'write'),
  'repos/create-deployment-status': only('deployments', 'write'),
  'repos/create-or-update-environment': only('administration', 'write'),
  'repos/delete-an-environment': only('administration', 'write'),
  'repos/delete-deployment': only('deployments', 'write'),
  'repos/get': [],
  'repos/get-collaborator-permission-level': [],
  'repos/get-commit': only('contents', 'read'),
  'repos/get-content': only('contents', 'read'),
  'repos/get-deployment': only('deployments', 'read'),
  'repos/get-environment': only('actions', 'read'),
  'repos/list-activities': only('contents', 'read'),
  'repos/list-commits': only('contents', 'read'),
  'repos/list-deployment-statuses': only('deployments', 'read'),
  'repos/list-deployments': only('deployments', 'read'),
  'repos/list-pull-requests-associated-with-commit': only('pull-requests', 'read'),
}

/** Refused even where everybody may read: the download is not part of what a public repository shows. */
const neverPublic = new Set(['actions/download-artifact'])

/** The header by which GitHub says which permission an operation needs. */
export function acceptedPermissions({ id }: Operation): Record<string, string> {
  const accepted = (needs[id] ?? []).map(([permission, level]) => `${permission.replace('-', '_')}=${level}`)
  return { 'x-accepted-github-permissions': accepted.join('; ') || 'metadata=read' }
}

export class Tokens {
  readonly #tokens = new Map<string, TokenSeed>()

  add(seed: TokenSeed): string {
    const token = `${isInstallation(seed) ? 'ghs_' : (seed.prefix ?? 'github_pat_')}${crypto.randomUUID().replaceAll('-', '')}`
    this.#tokens.set(token, seed)
    return token
  }

  /** A token is of a repository, whatever that is called. */
  rename(repository: string, to: string): void {
    for (const [token, seed] of this.#tokens)
      if (seed.repository.toLowerCase() === repository.toLowerCase())
        this.#tokens.set(token, { ...seed, repository: to })
  }

  /** Null without one; throws where it is unknown. */
  read(authorization: string | undefined): TokenSeed | null {
    if (authorization === undefined) return null
    const token = /^(?:token|bearer) (.+)$/i.exec(authorization)?.[1] ?? ''
    const known = this.#tokens.get(token)
    if (known === undefined) throw new Refusal(401, 'Bad credentials')
    return known
  }
}

export const loginOf = (token: TokenSeed | null) => token?.login ?? WORKFLOW_BOT

/**
 * Throws GitHub's refusal: a private repository does not exist for those without access; those who see it but lack the
 * permission get 403. Everybody reads public repositories.
 */
export function authorize(
  { id, method }: Operation,
  token: TokenSeed | null,
  repository: HostedRepository,
): void {
  const isOwn = token?.repository.toLowerCase() === repository.name.toLowerCase()
  if (repository.isPrivate && !isOwn) throw notFound()
  const isOpen = method === 'GET' && !repository.isPrivate && !neverPublic.has(id)
  if (isOpen) return
  if (token === null) throw new Refusal(401, 'Requires authentication')
  const sufficient = needs[id]
  if (sufficient === undefined) throw new Error(`Nobody said which permission ${id} needs.`)
  if (repository.isArchived && method !== 'GET')
    throw new Refusal(403, 'Repository was archived so is read-only.')
  if (sufficient.length === 0) return
  const allowed = sufficient.some(([permission, level]) => {
    const granted = token.permissions?.[permission] ?? 'none'
    return granted === 'write' || granted === level
  })
  if (!isOwn || !allowed) throw inaccessible(token)
}

/** Whether the token may write this in the repository. */
export function writes(token: TokenSeed | null, permission: Permission, { name }: HostedRepository): boolean {
  const isOwn = token?.repository.toLowerCase() === name.toLowerCase()
  return isOwn && token?.permissions?.[permission] === 'write'
}

function inaccessible(token: TokenSeed): Refusal {
  const isApp = isInstallation(token) || token.prefix === 'ghu_'
  return new Refusal(403, `Resource not accessible by ${isApp ? 'integration' : 'personal access token'}`)
}

/** The user that `GET /user` returns; throws for a GitHub App's own token. */
export function personOf(token: TokenSeed | null): string {
  if (token === null) throw new Refusal(401, 'Requires authentication')
  if (token.login === undefined || isInstallation(token)) throw inaccessible(token)
  return token.login
}
