import type { ReviewSeed } from './seeds.ts'

export interface Review extends Required<ReviewSeed> {
  id: number
  submittedAt: string
  commitSha: string
}

/** What can be commented on: an issue, or a pull request with its `pull`. */
export interface Issue {
  id: number
  number: number
  title: string
  body: string | null
  author: string
  state: 'open' | 'closed'
  /** Only people with write access can still comment; no GitHub App can. */
  locked: boolean
  labels: string[]
  createdAt: string
  updatedAt: string
  closedAt: string | null
  closedBy: string | null
  pull: Pull | null
}

/** Tests may change it, as people change a pull request. */
export interface Pull {
  id: number
  head: { repository: string; ref: string; sha: string }
  base: { ref: string; sha: string }
  draft: boolean
  mergedAt: string | null
  mergeCommitSha: string | null
  /** It is merged as soon as its checks allow. */
  mergesItself: boolean
  reviewers: string[]
  reviews: Review[]
}

export interface Comment {
  id: number
  issue: number
  body: string
  author: string
  createdAt: string
  updatedAt: string
}

export interface DeploymentStatus {
  id: number
  state: 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success'
  description: string
  environment: string
  environmentUrl: string
  logUrl: string
  creator: string
  createdAt: string
}

export interface Deployment {
  id: number
  sha: string
  ref: string
  task: string
  environment: string
  description: string | null
  payload: unknown
  transient: boolean
  production: boolean
  creator: string
  createdAt: string
  updatedAt: string
  /** Oldest first. */
  statuses: DeploymentStatus[]
}

export interface Environment {
  id: number
  name: string
  waitTimer: number
  createdAt: string
  updatedAt: string
}

export interface Run {
  id: number
  number: number
  name: string
  event: string
  status: string
  conclusion: string | null
  headBranch: string
  headSha: string
  headRepository: string
  path: string
  attempt: number
  actor: string
  createdAt: string
}

export interface Artifact {
  id: number
  runId: number
  name: string
  zip: Uint8Array
  sizeInBytes: number
  digest: string
  expired: boolean
  expiresAt: string | null
  createdAt: string
}

export interface Clock {
  /** As GitHub writes it: UTC, whole seconds. */
  now(): string
  nextId(): number
  /** Ids up to this one are in use. */
  skipIds(last: number): void
}
