// Repositories and people as GitHub's API describes them, and what all its resources share.
import type { HostedRepository } from '../state.ts'

export type Json = Record<string, unknown>

export type RepositoryResources = ReturnType<typeof repositoryResources>

/** Ids that GitHub gave its own bots. */
const BOTS: Readonly<Record<string, number>> = {
  'github-actions[bot]': 41898282,
  'dependabot[bot]': 49699333,
  Copilot: 198982749,
}
export const WORKFLOW_BOT = 'github-actions[bot]'

/** A GitHub App's account, whose login mostly says so. */
export const isBot = (login: string) => login.endsWith('[bot]') || Object.hasOwn(BOTS, login)

/** `api` and `web` are origins. */
export function repositoryResources(api: string, web: string) {
  const userIds = new Map<string, number>()

  function user(login: string): Json {
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
      html_url: isBot(login) ? `${web}/apps/${login.replace('[bot]', '').toLowerCase()}` : `${web}/${login}`,
      followers_url: `${url}/followers`,
      following_url: `${url}/following{/other_user}`,
      gists_url: `${url}/gists{/gist_id}`,
      starred_url: `${url}/starred{/owner}{/repo}`,
      subscriptions_url: `${url}/subscriptions`,
      organizations_url: `${url}/orgs`,
      repos_url: `${url}/repos`,
      events_url: `${url}/events{/privacy}`,
      received_events_url: `${url}/received_events`,
      type: isBot(login) ? 'Bot' : 'User',
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
    if (isBot(author)) return 'NONE'
    if (author === hosted.owner) return 'OWNER'
    const { collaborators, readers } = hosted
    return collaborators.has(author) || readers.has(author) ? 'COLLABORATOR' : 'CONTRIBUTOR'
  }

  return {
    apiOf,
    webOf,
    user,
    app,
    repository,
    label,
    association,

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
  }
}

function openIssues({ issues }: HostedRepository): number {
  return [...issues.values()].filter(({ state }) => state === 'open').length
}

/** GitHub's other name of a thing. */
export const nodeId = (kind: string, id: number | string) =>
  `${kind}_${Buffer.from(`${kind}:${id}`).toString('base64url')}`

/** The same number for the same text. */
export function numberOf(text: string): number {
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
