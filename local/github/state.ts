import { createHash } from 'node:crypto'
import { GitStore } from './git.ts'
import type { Artifact, Clock, Comment, Deployment, Environment, Issue, Pull, Run } from './records.ts'
import type { ArtifactSeed, CommentSeed, PullSeed, RepositorySeed, RunSeed } from './seeds.ts'

/** What `save` writes and the constructor reads: all but the commits, which are in the git repository. */
type Saved = Pick<HostedRepository, 'name' | 'id' | 'createdAt' | (typeof LISTS)[number]> & {
  readonly lastId: number
  readonly issues: readonly Issue[]
}
const LISTS = ['comments', 'deployments', 'environments', 'runs', 'artifacts'] as const

/** One repository on the local GitHub. Everything in it may be read and changed by tests. */
export class HostedRepository {
  readonly id: number
  owner: string
  repo: string
  readonly isPrivate: boolean
  /** Nothing can be written any more. */
  isArchived = false
  /** "Allow GitHub Actions to create and approve pull requests", a setting of the repository. */
  letsActionsOpenPulls = true
  /** A rule lets nobody push to the default branch. */
  protectsDefaultBranch = false
  /** A rule keeps every branch from being deleted. */
  keepsBranches = false
  /** Logins of people who can push, besides the owner. */
  readonly collaborators = new Set<string>()
  /** Logins of people who were asked in to read. */
  readonly readers = new Set<string>()
  readonly defaultBranch: string
  readonly createdAt: string
  readonly git: GitStore
  readonly issues = new Map<number, Issue>()
  readonly comments: Comment[] = []
  readonly deployments: Deployment[] = []
  readonly environments: Environment[] = []
  readonly runs: Run[] = []
  readonly artifacts: Artifact[] = []
  readonly #clock: Clock

  constructor(seed: RepositorySeed, clock: Clock) {
    const [owner, repo] = seed.name.split('/')
    if (!owner || !repo) throw new Error(`Not owner/name: ${seed.name}`)
    this.#clock = clock
    this.id = clock.nextId()
    this.owner = owner
    this.repo = repo
    this.isPrivate = seed.private ?? false
    this.defaultBranch = seed.defaultBranch ?? 'main'
    this.createdAt = clock.now()
    this.git = new GitStore(seed.gitDir)
    if (seed.saved !== undefined) Object.assign(this, this.#restore(seed.saved))
  }

  /** As text, for a server that starts later. */
  save(): string {
    const { name, id, createdAt } = this
    const lists = Object.fromEntries(LISTS.map(list => [list, this[list]]))
    const saved = {
      name,
      id,
      createdAt,
      lastId: this.#clock.nextId(),
      issues: [...this.issues.values()],
      ...lists,
    }
    const asText = (_key: string, value: unknown) =>
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value
    return JSON.stringify(saved, asText, 2)
  }

  #restore(text: string): Partial<HostedRepository> {
    const asBytes = (_key: string, value: { base64?: unknown } | null) =>
      typeof value?.base64 === 'string' ? Buffer.from(value.base64, 'base64') : value
    const { name, id, createdAt, lastId, issues, ...lists } = JSON.parse(text, asBytes) as Saved
    this.#clock.skipIds(lastId)
    for (const issue of issues) {
      // Who renames a repository keeps what is in it.
      if (issue.pull?.head.repository === name) issue.pull.head.repository = this.name
      this.issues.set(issue.number, issue)
    }
    return { id, createdAt, ...lists }
  }

  get name(): string {
    return `${this.owner}/${this.repo}`
  }

  addIssue(
    seed: {
      number?: number
      title?: string
      body?: string | null
      author?: string
      labels?: readonly string[]
    } = {},
  ): Issue {
    const number = seed.number ?? Math.max(0, ...this.issues.keys()) + 1
    if (this.issues.has(number)) throw new Error(`#${number} is there already.`)
    const now = this.#clock.now()
    const issue: Issue = {
      id: this.#clock.nextId(),
      number,
      title: seed.title ?? 'Greet in the evening too',
      body: seed.body ?? null,
      author: seed.author ?? 'ada',
      state: 'open',
      locked: false,
      labels: [...(seed.labels ?? [])],
      createdAt: now,
      updatedAt: now,
      closedAt: null,
      closedBy: null,
      pull: null,
    }
    this.issues.set(number, issue)
    return issue
  }

  /** Commits that are not given are those that the branches have now. */
  async addPull(seed: PullSeed): Promise<Issue & { pull: Pull }> {
    const baseRef = seed.base?.ref ?? this.defaultBranch
    const headSha = seed.head.sha ?? (await this.#tipOf(seed.head.ref))
    const baseSha = seed.base?.sha ?? (await this.#tipOf(baseRef))
    const issue = this.addIssue(seed)
    const pull: Pull = {
      id: this.#clock.nextId(),
      head: { repository: seed.head.fork ?? this.name, ref: seed.head.ref, sha: headSha },
      base: { ref: baseRef, sha: baseSha },
      draft: seed.draft ?? false,
      mergedAt: null,
      mergesItself: false,
      mergeCommitSha: seed.mergeCommitSha ?? null,
      reviewers: [...(seed.reviewers ?? [])],
      reviews: (seed.reviews ?? []).map(review => ({
        id: this.#clock.nextId(),
        body: '',
        ...review,
        submittedAt: this.#clock.now(),
        commitSha: headSha,
      })),
    }
    const complete = Object.assign(issue, { pull })
    if (seed.merged || seed.state === 'closed') this.closePull(issue.number, { merged: seed.merged ?? false })
    return complete
  }

  closeIssue(number: number, by = this.owner): void {
    const issue = this.issues.get(number)
    if (issue === undefined) throw new Error(`${this.name} has no issue #${number}.`)
    issue.state = 'closed'
    issue.closedBy = by
    issue.closedAt = issue.updatedAt = this.#clock.now()
  }

  closePull(number: number, { merged = false }: { merged?: boolean } = {}): void {
    const { issue, pull } = this.pull(number)
    issue.state = 'closed'
    issue.closedAt = issue.updatedAt = this.#clock.now()
    pull.mergedAt = merged ? issue.closedAt : null
  }

  reopenPull(number: number): void {
    const { issue } = this.pull(number)
    issue.state = 'open'
    issue.closedAt = null
    issue.updatedAt = this.#clock.now()
  }

  /** Throws where there is none. */
  pull(number: number): { issue: Issue; pull: Pull } {
    const issue = this.issues.get(number)
    if (!issue?.pull) throw new Error(`${this.name} has no pull request ${number}.`)
    return { issue, pull: issue.pull }
  }

  addComment(issue: number, { body, author = 'ada' }: CommentSeed): Comment {
    const now = this.#clock.now()
    const comment = { id: this.#clock.nextId(), issue, body, author, createdAt: now, updatedAt: now }
    this.comments.push(comment)
    return comment
  }

  commentsOf(issue: number): Comment[] {
    return this.comments.filter(each => each.issue === issue)
  }

  addRun(seed: RunSeed): Run {
    const run: Run = {
      id: seed.id ?? this.#clock.nextId(),
      number: this.runs.length + 1,
      name: seed.name ?? 'Build',
      event: seed.event ?? 'pull_request',
      status: seed.status ?? 'completed',
      conclusion: seed.conclusion === undefined ? 'success' : seed.conclusion,
      headBranch: seed.headBranch,
      headSha: seed.headSha,
      headRepository: seed.fork ?? this.name,
      path: seed.path ?? '.github/workflows/build.yml',
      attempt: seed.attempt ?? 1,
      actor: seed.actor ?? 'ada',
      createdAt: this.#clock.now(),
    }
    this.runs.push(run)
    return run
  }

  addArtifact(seed: ArtifactSeed): Artifact {
    const artifact: Artifact = {
      id: this.#clock.nextId(),
      runId: seed.runId,
      name: seed.name,
      zip: seed.zip,
      sizeInBytes: seed.sizeInBytes ?? seed.zip.length,
      digest: `sha256:${createHash('sha256').update(seed.zip).digest('hex')}`,
      expired: seed.expired ?? false,
      expiresAt: seed.expiresAt ?? null,
      createdAt: this.#clock.now(),
    }
    this.artifacts.push(artifact)
    return artifact
  }

  /** Made where it is missing, as GitHub does for a deployment. */
  environment(name: string): Environment {
    const existing = this.environments.find(each => sameName(each.name, name))
    if (existing) return existing
    const now = this.#clock.now()
    const environment = { id: this.#clock.nextId(), name, waitTimer: 0, createdAt: now, updatedAt: now }
    this.environments.push(environment)
    return environment
  }

  /** Of a branch, tag, sha, `refs/pull/7/head`, or of another copy's `owner:branch`. */
  async resolve(name: string): Promise<string | null> {
    const [, number, side] = /^(?:refs\/)?pull\/(\d+)\/(head|merge)$/.exec(name) ?? []
    if (number !== undefined) {
      const pull = this.issues.get(Number(number))?.pull
      return (side === 'head' ? pull?.head.sha : pull?.mergeCommitSha) ?? null
    }
    const [, owner, branch] = /^([^:]+):(.+)$/.exec(name) ?? []
    if (branch === undefined || owner === this.owner) return this.git.resolve(branch ?? name)
    const there = [...this.issues.values()].find(
      ({ pull }) => pull?.head.ref === branch && pull.head.repository.split('/')[0] === owner,
    )
    return there?.pull?.head.sha ?? null
  }

  async #tipOf(branch: string): Promise<string> {
    const sha = await this.git.resolve(branch)
    if (sha === null) throw new Error(`${this.name} has no branch ${branch} in ${this.git.folder}.`)
    return sha
  }
}

/** GitHub's names of environments ignore case. */
export const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
