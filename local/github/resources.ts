import type { ChangedFile, Commit } from './git.ts'
import type {
  Artifact,
  Comment,
  Deployment,
  DeploymentStatus,
  Environment,
  HostedRepository,
  Issue,
  Pull,
  Review,
  Run,
} from './state.ts'

type Json = Record<string, unknown>

export type Resources = ReturnType<typeof createResources>

/** Ids that GitHub gave its own bots. */
const BOTS: Readonly<Record<string, number>> = {
  'github-actions[bot]': 41898282,
  'dependabot[bot]': 49699333,
}
export const WORKFLOW_BOT = 'github-actions[bot]'

/** What GitHub answers about each thing, in the form that its description gives. `api` and `web` are origins. */
export function createResources(api: string, web: string) {
  const userIds = new Map<string, number>()

  function user(login: string): Json {
    const isBot = login.endsWith('[bot]')
    const id = BOTS[login] ?? userIds.get(login) ?? 1000 + userIds.size
    userIds.set(login, id)
    const url = `${api}/users/${encodeURIComponent(login)}`
    return {
      login,
      id,
      node_id: nodeId('U', id),
      avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
      gravatar_id: '',
      url,
      html_url: isBot ? `${web}/apps/${login.slice(0, -'[bot]'.length)}` : `${web}/${login}`,
      followers_url: `${url}/followers`,
      following_url: `${url}/following{/other_user}`,
      gists_url: `${url}/gists{/gist_id}`,
      starred_url: `${url}/starred{/owner}{/repo}`,
      subscriptions_url: `${url}/subscriptions`,
      organizations_url: `${url}/orgs`,
      repos_url: `${url}/repos`,
      events_url: `${url}/events{/privacy}`,
      received_events_url: `${url}/received_events`,
      type: isBot ? 'Bot' : 'User',
      site_admin: false,
    }
  }

  /** The App behind workflow tokens. */
  function app(login: string): Json | null {
    if (login !== WORKFLOW_BOT) return null
    return {
      id: 15368,
      slug: 'github-actions',
      node_id: nodeId('A', 15368),
      owner: user('github'),
      name: 'GitHub Actions',
      description: 'Automate your workflow from idea to production',
      external_url: 'https://help.github.com/en/actions',
      html_url: `${web}/apps/github-actions`,
      created_at: '2018-07-30T09:30:17Z',
      updated_at: '2025-03-07T16:35:00Z',
      permissions: { contents: 'write', deployments: 'write', issues: 'write', metadata: 'read' },
      events: [],
    }
  }

  const apiOf = (name: string) => `${api}/repos/${name}`
  const webOf = (name: string) => `${web}/${name}`

  /** A copy that is not hosted here is described by its name. */
  function repository(hosted: HostedRepository, name = hosted.name): Json {
    const [owner, repo] = name.split('/') as [string, string]
    const isFork = name !== hosted.name
    const id = isFork ? hosted.id + 500_000 : hosted.id
    const url = apiOf(name)
    const links = Object.entries(repositoryLinks).map(([key, suffix]) => [key, `${url}${suffix}`])
    return {
      id,
      node_id: nodeId('R', id),
      name: repo,
      full_name: name,
      private: hosted.isPrivate,
      visibility: hosted.isPrivate ? 'private' : 'public',
      owner: user(owner),
      html_url: webOf(name),
      description: null,
      fork: isFork,
      url,
      ...Object.fromEntries(links),
      git_url: `git://${new URL(web).host}/${name}.git`,
      ssh_url: `git@${new URL(web).host}:${name}.git`,
      clone_url: `${webOf(name)}.git`,
      svn_url: webOf(name),
      mirror_url: null,
      homepage: null,
      language: 'TypeScript',
      license: null,
      size: 1024,
      stargazers_count: 0,
      watchers_count: 0,
      watchers: 0,
      forks_count: 0,
      forks: 0,
      open_issues_count: openIssues(hosted),
      open_issues: openIssues(hosted),
      has_issues: true,
      has_projects: true,
      has_wiki: false,
      has_pages: false,
      has_downloads: true,
      has_discussions: false,
      archived: hosted.isArchived,
      disabled: false,
      is_template: false,
      allow_forking: true,
      web_commit_signoff_required: false,
      topics: [],
      default_branch: hosted.defaultBranch,
      pushed_at: hosted.createdAt,
      created_at: hosted.createdAt,
      updated_at: hosted.createdAt,
    }
  }

  function label(hosted: HostedRepository, name: string): Json {
    return {
      id: numberOf(name),
      node_id: nodeId('LA', numberOf(name)),
      url: `${apiOf(hosted.name)}/labels/${encodeURIComponent(name)}`,
      name,
      description: '',
      color: 'ededed',
      default: false,
    }
  }

  function association(hosted: HostedRepository, author: string): string {
    if (author.endsWith('[bot]')) return 'NONE'
    return author === hosted.owner ? 'OWNER' : 'CONTRIBUTOR'
  }

  function pullLinks(hosted: HostedRepository, { number }: Issue, { head }: Pull) {
    const url = `${apiOf(hosted.name)}/pulls/${number}`
    const issueUrl = `${apiOf(hosted.name)}/issues/${number}`
    return {
      self: url,
      html: `${webOf(hosted.name)}/pull/${number}`,
      issue: issueUrl,
      comments: `${issueUrl}/comments`,
      review_comments: `${url}/comments`,
      review_comment: `${apiOf(hosted.name)}/pulls/comments{/number}`,
      commits: `${url}/commits`,
      statuses: `${apiOf(hosted.name)}/statuses/${head.sha}`,
    }
  }

  function pull(hosted: HostedRepository, issue: Issue, pull: Pull): Json {
    const links = pullLinks(hosted, issue, pull)
    const side = (name: string, ref: string, sha: string) => {
      const [owner] = name.split('/') as [string]
      return { label: `${owner}:${ref}`, ref, sha, user: user(owner), repo: repository(hosted, name) }
    }
    return {
      url: links.self,
      id: pull.id,
      node_id: nodeId('PR', pull.id),
      html_url: links.html,
      diff_url: `${links.html}.diff`,
      patch_url: `${links.html}.patch`,
      issue_url: links.issue,
      commits_url: links.commits,
      review_comments_url: links.review_comments,
      review_comment_url: links.review_comment,
      comments_url: links.comments,
      statuses_url: links.statuses,
      number: issue.number,
      state: issue.state,
      locked: issue.locked,
      title: issue.title,
      user: user(issue.author),
      body: issue.body,
      labels: issue.labels.map(name => label(hosted, name)),
      milestone: null,
      active_lock_reason: null,
      created_at: issue.createdAt,
      updated_at: issue.updatedAt,
      closed_at: issue.closedAt,
      merged_at: pull.mergedAt,
      merge_commit_sha: pull.mergeCommitSha,
      assignee: null,
      assignees: [],
      requested_reviewers: pull.reviewers.map(user),
      requested_teams: [],
      head: side(pull.head.repository, pull.head.ref, pull.head.sha),
      base: side(hosted.name, pull.base.ref, pull.base.sha),
      _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
      author_association: association(hosted, issue.author),
      auto_merge: null,
      draft: pull.draft,
    }
  }

  /** Dates and people as git has them; GitHub would look for their accounts. */
  function commitParents(hosted: HostedRepository, { parents }: Commit): Json[] {
    return parents.map(sha => ({
      sha,
      url: `${apiOf(hosted.name)}/commits/${sha}`,
      html_url: `${webOf(hosted.name)}/commit/${sha}`,
    }))
  }

  const unsigned = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null }

  return {
    user,
    repository,

    fullRepository: (hosted: HostedRepository): Json => ({
      ...repository(hosted),
      subscribers_count: 0,
      network_count: 0,
    }),

    publicUser(login: string): Json {
      return {
        ...user(login),
        name: login,
        company: null,
        blog: '',
        location: null,
        email: null,
        hireable: null,
        bio: null,
        public_repos: 0,
        public_gists: 0,
        followers: 0,
        following: 0,
        created_at: '2020-01-01T00:00:00Z',
        updated_at: '2020-01-01T00:00:00Z',
      }
    },

    issue(hosted: HostedRepository, issue: Issue): Json {
      const url = `${apiOf(hosted.name)}/issues/${issue.number}`
      const page = `${webOf(hosted.name)}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`
      return {
        url,
        repository_url: apiOf(hosted.name),
        labels_url: `${url}/labels{/name}`,
        comments_url: `${url}/comments`,
        events_url: `${url}/events`,
        html_url: page,
        id: issue.id,
        node_id: nodeId('I', issue.id),
        number: issue.number,
        title: issue.title,
        user: user(issue.author),
        labels: issue.labels.map(name => label(hosted, name)),
        state: issue.state,
        state_reason: null,
        locked: issue.locked,
        assignee: null,
        assignees: [],
        milestone: null,
        comments: hosted.commentsOf(issue.number).length,
        created_at: issue.createdAt,
        updated_at: issue.updatedAt,
        closed_at: issue.closedAt,
        author_association: association(hosted, issue.author),
        active_lock_reason: null,
        body: issue.body,
        closed_by: null,
        ...(issue.pull
          ? {
              draft: issue.pull.draft,
              pull_request: {
                url: `${apiOf(hosted.name)}/pulls/${issue.number}`,
                html_url: page,
                diff_url: `${page}.diff`,
                patch_url: `${page}.patch`,
                merged_at: issue.pull.mergedAt,
              },
            }
          : {}),
      }
    },

    comment(hosted: HostedRepository, comment: Comment): Json {
      const kind = hosted.issues.get(comment.issue)?.pull ? 'pull' : 'issues'
      return {
        url: `${apiOf(hosted.name)}/issues/comments/${comment.id}`,
        html_url: `${webOf(hosted.name)}/${kind}/${comment.issue}#issuecomment-${comment.id}`,
        issue_url: `${apiOf(hosted.name)}/issues/${comment.issue}`,
        id: comment.id,
        node_id: nodeId('IC', comment.id),
        user: user(comment.author),
        created_at: comment.createdAt,
        updated_at: comment.updatedAt,
        author_association: association(hosted, comment.author),
        body: comment.body,
        performed_via_github_app: app(comment.author),
      }
    },

    pull,

    /** `pull` with what GitHub tells of a single one only. */
    fullPull(
      hosted: HostedRepository,
      issue: Issue,
      each: Pull,
      { commits, files }: { commits: number; files: readonly ChangedFile[] },
    ): Json {
      const sum = (count: (file: ChangedFile) => number) =>
        files.reduce((total, file) => total + count(file), 0)
      const isMerged = each.mergedAt !== null
      return {
        ...pull(hosted, issue, each),
        merged: isMerged,
        mergeable: isMerged ? null : true,
        rebaseable: isMerged ? null : true,
        mergeable_state: isMerged ? 'unknown' : each.draft ? 'draft' : 'clean',
        merged_by: isMerged ? user(hosted.owner) : null,
        comments: hosted.commentsOf(issue.number).length,
        review_comments: 0,
        maintainer_can_modify: each.head.repository !== hosted.name,
        commits,
        additions: sum(file => file.additions),
        deletions: sum(file => file.deletions),
        changed_files: files.length,
      }
    },

    review(hosted: HostedRepository, { number }: Issue, review: Review): Json {
      const html = `${webOf(hosted.name)}/pull/${number}#pullrequestreview-${review.id}`
      const url = `${apiOf(hosted.name)}/pulls/${number}`
      return {
        id: review.id,
        node_id: nodeId('PRR', review.id),
        user: user(review.author),
        body: review.body,
        state: review.state,
        html_url: html,
        pull_request_url: url,
        author_association: association(hosted, review.author),
        _links: { html: { href: html }, pull_request: { href: url } },
        submitted_at: review.submittedAt,
        commit_id: review.commitSha,
      }
    },

    /** Without `patch`, which GitHub leaves out of large and binary files. */
    file(hosted: HostedRepository, commit: string, file: ChangedFile): Json {
      const path = file.path.split('/').map(encodeURIComponent).join('/')
      return {
        sha: file.sha,
        filename: file.path,
        status: file.status,
        additions: file.additions,
        deletions: file.deletions,
        changes: file.additions + file.deletions,
        blob_url: `${webOf(hosted.name)}/blob/${commit}/${path}`,
        raw_url: `${webOf(hosted.name)}/raw/${commit}/${path}`,
        contents_url: `${apiOf(hosted.name)}/contents/${path}?ref=${commit}`,
        ...(file.previousPath === undefined ? {} : { previous_filename: file.previousPath }),
      }
    },

    commit(hosted: HostedRepository, commit: Commit): Json {
      const url = `${apiOf(hosted.name)}/commits/${commit.sha}`
      return {
        sha: commit.sha,
        node_id: nodeId('C', commit.sha),
        commit: {
          author: commit.author,
          committer: commit.committer,
          message: commit.message,
          tree: { sha: commit.tree, url: `${apiOf(hosted.name)}/git/trees/${commit.tree}` },
          url: `${apiOf(hosted.name)}/git/commits/${commit.sha}`,
          comment_count: 0,
          verification: unsigned,
        },
        url,
        html_url: `${webOf(hosted.name)}/commit/${commit.sha}`,
        comments_url: `${url}/comments`,
        author: null,
        committer: null,
        parents: commitParents(hosted, commit),
      }
    },

    gitCommit(hosted: HostedRepository, commit: Commit): Json {
      return {
        sha: commit.sha,
        node_id: nodeId('C', commit.sha),
        url: `${apiOf(hosted.name)}/git/commits/${commit.sha}`,
        html_url: `${webOf(hosted.name)}/commit/${commit.sha}`,
        author: commit.author,
        committer: commit.committer,
        tree: { sha: commit.tree, url: `${apiOf(hosted.name)}/git/trees/${commit.tree}` },
        message: commit.message,
        parents: commitParents(hosted, commit),
        verification: unsigned,
      }
    },

    gitRef(hosted: HostedRepository, ref: string, sha: string): Json {
      return {
        ref,
        node_id: nodeId('REF', ref),
        url: `${apiOf(hosted.name)}/git/${ref}`,
        object: { sha, type: 'commit', url: `${apiOf(hosted.name)}/git/commits/${sha}` },
      }
    },

    deployment(hosted: HostedRepository, deployment: Deployment): Json {
      const url = `${apiOf(hosted.name)}/deployments/${deployment.id}`
      return {
        url,
        id: deployment.id,
        node_id: nodeId('DE', deployment.id),
        task: deployment.task,
        original_environment: deployment.environment,
        environment: deployment.environment,
        description: deployment.description,
        created_at: deployment.createdAt,
        updated_at: deployment.updatedAt,
        statuses_url: `${url}/statuses`,
        repository_url: apiOf(hosted.name),
        creator: user(deployment.creator),
        sha: deployment.sha,
        ref: deployment.ref,
        payload: deployment.payload,
        transient_environment: deployment.transient,
        production_environment: deployment.production,
        performed_via_github_app: app(deployment.creator),
      }
    },

    deploymentStatus(hosted: HostedRepository, { id }: Deployment, status: DeploymentStatus): Json {
      const url = `${apiOf(hosted.name)}/deployments/${id}`
      return {
        url: `${url}/statuses/${status.id}`,
        id: status.id,
        node_id: nodeId('DES', status.id),
        state: status.state,
        creator: user(status.creator),
        description: status.description,
        environment: status.environment,
        target_url: status.logUrl,
        created_at: status.createdAt,
        updated_at: status.createdAt,
        deployment_url: url,
        repository_url: apiOf(hosted.name),
        environment_url: status.environmentUrl,
        log_url: status.logUrl,
        performed_via_github_app: app(status.creator),
      }
    },

    environment(hosted: HostedRepository, environment: Environment): Json {
      const name = encodeURIComponent(environment.name)
      return {
        id: environment.id,
        node_id: nodeId('EN', environment.id),
        name: environment.name,
        url: `${apiOf(hosted.name)}/environments/${name}`,
        html_url: `${webOf(hosted.name)}/deployments/activity_log?environments_filter=${name}`,
        created_at: environment.createdAt,
        updated_at: environment.updatedAt,
        protection_rules:
          environment.waitTimer === 0
            ? []
            : [
                {
                  id: environment.id,
                  node_id: nodeId('GA', environment.id),
                  type: 'wait_timer',
                  wait_timer: environment.waitTimer,
                },
              ],
        deployment_branch_policy: null,
      }
    },

    /** `head` is null where the commit is in a fork that this git repository does not have. */
    run(hosted: HostedRepository, run: Run, head: Commit | null, pulls: readonly Issue[]): Json {
      const url = `${apiOf(hosted.name)}/actions/runs/${run.id}`
      const workflowId = numberOf(run.path)
      const small = (name: string) => {
        const { id, url: there, name: repo } = repository(hosted, name)
        return { id, url: there, name: repo }
      }
      return {
        id: run.id,
        name: run.name,
        node_id: nodeId('WFR', run.id),
        head_branch: run.headBranch,
        head_sha: run.headSha,
        path: run.path,
        display_title: head?.message.split('\n')[0] ?? run.name,
        run_number: run.number,
        run_attempt: run.attempt,
        event: run.event,
        status: run.status,
        conclusion: run.conclusion,
        workflow_id: workflowId,
        url,
        html_url: `${webOf(hosted.name)}/actions/runs/${run.id}`,
        pull_requests: pulls.map(({ number, pull: each }) => ({
          url: `${apiOf(hosted.name)}/pulls/${number}`,
          id: each!.id,
          number,
          head: { ref: each!.head.ref, sha: each!.head.sha, repo: small(each!.head.repository) },
          base: { ref: each!.base.ref, sha: each!.base.sha, repo: small(hosted.name) },
        })),
        created_at: run.createdAt,
        updated_at: run.createdAt,
        run_started_at: run.createdAt,
        actor: user(run.actor),
        triggering_actor: user(run.actor),
        jobs_url: `${url}/jobs`,
        logs_url: `${url}/logs`,
        check_suite_url: `${apiOf(hosted.name)}/check-suites/${run.id}`,
        artifacts_url: `${url}/artifacts`,
        cancel_url: `${url}/cancel`,
        rerun_url: `${url}/rerun`,
        previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
        workflow_url: `${apiOf(hosted.name)}/actions/workflows/${workflowId}`,
        head_commit: head
          ? {
              id: head.sha,
              tree_id: head.tree,
              message: head.message,
              timestamp: head.committer.date,
              author: { name: head.author.name, email: head.author.email },
              committer: { name: head.committer.name, email: head.committer.email },
            }
          : null,
        repository: repository(hosted),
        head_repository: repository(hosted, run.headRepository),
      }
    },

    artifact(hosted: HostedRepository, artifact: Artifact, run: Run): Json {
      const url = `${apiOf(hosted.name)}/actions/artifacts/${artifact.id}`
      return {
        id: artifact.id,
        node_id: nodeId('ART', artifact.id),
        name: artifact.name,
        size_in_bytes: artifact.sizeInBytes,
        digest: artifact.digest,
        url,
        archive_download_url: `${url}/zip`,
        expired: artifact.expired,
        created_at: artifact.createdAt,
        updated_at: artifact.createdAt,
        expires_at: artifact.expiresAt ?? artifact.createdAt,
        workflow_run: {
          id: run.id,
          repository_id: hosted.id,
          head_repository_id: repository(hosted, run.headRepository).id,
          head_branch: run.headBranch,
          head_sha: run.headSha,
        },
      }
    },

    apiOf,
    webOf,
  }
}

function openIssues({ issues }: HostedRepository): number {
  return [...issues.values()].filter(({ state }) => state === 'open').length
}

const nodeId = (kind: string, id: number | string) =>
  `${kind}_${Buffer.from(`${kind}:${id}`).toString('base64url')}`

/** The same number for the same text. */
function numberOf(text: string): number {
  let number = 7
  for (const character of text) number = (number * 31 + character.codePointAt(0)!) % 1_000_000_007
  return number
}

const repositoryLinks: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
}
