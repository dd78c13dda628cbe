export interface RepositorySeed {
  /** `owner/name`. */
  readonly name: string
  /** A git repository whose commits, branches and files these are; read anew for each request. */
  readonly gitDir: string
  readonly private?: boolean
  readonly defaultBranch?: string
  /** What an earlier server kept of it: the text that `HostedRepository.save` made. */
  readonly saved?: string
}

export interface PullSeed {
  readonly number?: number
  readonly title?: string
  readonly body?: string | null
  readonly author?: string
  readonly head: { readonly ref: string; readonly sha?: string; readonly fork?: string }
  readonly base?: { readonly ref?: string; readonly sha?: string }
  readonly state?: 'open' | 'closed'
  readonly merged?: boolean
  readonly mergeCommitSha?: string | null
  readonly draft?: boolean
  readonly labels?: readonly string[]
  readonly reviewers?: readonly string[]
  readonly reviews?: readonly ReviewSeed[]
}

export interface ReviewSeed {
  readonly author: string
  readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED'
  readonly body?: string
}

export interface CommentSeed {
  readonly body: string
  readonly author?: string
}

export interface RunSeed {
  readonly id?: number
  readonly name?: string
  readonly event?: string
  readonly status?: string
  readonly conclusion?: string | null
  readonly headBranch: string
  readonly headSha: string
  /** `owner/name` of the fork that the head is in. */
  readonly fork?: string
  readonly path?: string
  readonly attempt?: number
  readonly actor?: string
}

export interface ArtifactSeed {
  readonly runId: number
  readonly name: string
  readonly zip: Uint8Array
  /** What GitHub says about the size; the zip's own by default. */
  readonly sizeInBytes?: number
  readonly expired?: boolean
  /** Asked for by who stored it. */
  readonly expiresAt?: string | null
}
