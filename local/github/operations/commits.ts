import { posix } from 'node:path'
import { type Answer, type Call, type Handler, notFound, ok, paginate, Refusal } from '../answers.ts'
import type { TreeEntry } from '../git.ts'
import { isBot } from '../resources/repositories.ts'

/** GitHub lists this many files of a comparison, all on its first page. */
const MAX_FILES = 300
const MAX_COMMITS = 250
/** Above it the JSON has no content; above 100 MB nothing is served. */
const MAX_JSON_FILE = 1024 * 1024
const MAX_FILE = 100 * 1024 * 1024

export const commits: Readonly<Record<string, Handler>> = {
  // Everybody reads what is public.
  'repos/get-collaborator-permission-level': ({ repository, resources, path }) => {
    const login = String(path.username)
    // The accounts of Apps whose login says so have no permission, and others are not found.
    if (isBot(login) && !login.endsWith('[bot]')) throw new Refusal(404, `${login} is not a user`)
    const { owner, collaborators, readers, isPrivate } = repository
    const canRead = readers.has(login) || (!isPrivate && !isBot(login))
    const permission =
      login === owner ? 'admin' : collaborators.has(login) ? 'write' : canRead ? 'read' : 'none'
    return ok({
      permission,
      role_name: permission,
      user: { ...resources.user(login), role_name: permission },
    })
  },

  'repos/get': ({ repository, resources }) => ok(resources.fullRepository(repository)),

  'repos/get-commit': async call => {
    const name = String(call.path.ref)
    const sha = await call.repository.resolve(/^(heads|tags)\//.test(name) ? `refs/${name}` : name)
    if (sha === null)
      throw new Refusal(422, `No commit found for SHA: ${name.replace(/^(heads|tags)\//, '')}`)
    if (/application\/vnd\.github(\.v3)?\.sha/.test(call.accept))
      return {
        status: 200,
        bytes: Buffer.from(sha),
        headers: { 'content-type': 'application/vnd.github.sha; charset=utf-8' },
      }
    return ok(call.resources.commit(call.repository, await call.repository.git.commit(sha)))
  },

  'repos/list-commits': async call => {
    const { repository, resources, query } = call
    const head = await resolve(call, String(query.sha ?? repository.defaultBranch))
    const text = (name: string) => (query[name] === undefined ? null : String(query[name]))
    const shas = await repository.git.log(head, {
      path: text('path'),
      since: text('since'),
      until: text('until'),
    })
    const { items, headers } = paginate(call, shas)
    const render = async (sha: string) => resources.commit(repository, await repository.git.commit(sha))
    return ok(await Promise.all(items.map(render)), headers)
  },

  'repos/list-activities': async call => {
    const { repository, query, clock, login, resources } = call
    const ref = String(query.ref ?? `refs/heads/${repository.defaultBranch}`)
    const days = { day: 1, week: 7, month: 30, quarter: 90, year: 365 }[String(query.time_period)] ?? 36_500
    const since = Date.parse(clock.now()) - days * 86_400_000
    const changes = repository.git
      .changes(ref.replace(/^refs\/heads\//, ''))
      .filter(({ at }) => Date.parse(at) >= since)
    const all = await Promise.all(
      changes.map(async ({ before, after, at }, index) => ({
        id: index + 1,
        node_id: `RA_${index + 1}`,
        before,
        after,
        ref,
        timestamp: at,
        activity_type: await kindOfPush(call, before, after),
        actor: resources.user(login),
      })),
    )
    const wanted = all.filter(
      ({ activity_type }) => query.activity_type === undefined || activity_type === query.activity_type,
    )
    return ok(wanted.slice(0, Number(query.per_page ?? 30)))
  },

  'repos/compare-commits-with-basehead': async call => {
    const { repository, resources, path, query } = call
    const { git } = repository
    const basehead = String(path.basehead)
    const [baseName, headName] = basehead.split('...')
    if (!baseName || !headName) throw notFound()
    const base = await resolve(call, baseName)
    const head = await resolve(call, headName)
    const comparison = await git.compare(base, head)
    if (comparison === null) throw new Refusal(404, `No common ancestor between ${baseName} and ${headName}.`)
    const { mergeBase, aheadBy, behindBy } = comparison
    const { items, headers } = paginate(call, comparison.commits, {
      defaultPage: MAX_COMMITS,
      longestPage: MAX_COMMITS,
    })
    const files = Number(query.page ?? 1) > 1 ? [] : await git.changedFiles(mergeBase, head)
    const render = async (sha: string) => resources.commit(repository, await git.commit(sha))
    const page = `${resources.webOf(repository.name)}/compare/${basehead}`
    const json = {
      url: `${resources.apiOf(repository.name)}/compare/${basehead}`,
      html_url: page,
      permalink_url: `${resources.webOf(repository.name)}/compare/${base.slice(0, 7)}...${head.slice(0, 7)}`,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      base_commit: await render(base),
      merge_base_commit: await render(mergeBase),
      status:
        aheadBy === 0 ? (behindBy === 0 ? 'identical' : 'behind') : behindBy === 0 ? 'ahead' : 'diverged',
      ahead_by: aheadBy,
      behind_by: behindBy,
      total_commits: aheadBy,
      commits: await Promise.all(items.map(render)),
      files: files.slice(0, MAX_FILES).map(file => resources.file(repository, head, file)),
    }
    return ok(json, headers)
  },

  'git/get-commit': async ({ repository, resources, path }) => {
    const sha = String(path.commit_sha)
    // No names here.
    const known = /^[0-9a-f]{40}$/.test(sha) ? await repository.git.resolve(sha) : null
    if (known === null) throw notFound()
    return ok(resources.gitCommit(repository, await repository.git.commit(known)))
  },

  'git/get-ref': async ({ repository, resources, path }) => {
    const ref = `refs/${path.ref}`
    const sha = /^refs\/(heads|tags|pull)\/./.test(ref) ? await repository.resolve(ref) : null
    if (sha === null) throw notFound()
    return ok(resources.gitRef(repository, ref, sha))
  },

  'repos/get-content': async call => {
    const { repository, path, query } = call
    const { git } = repository
    const ref = String(query.ref ?? repository.defaultBranch)
    const commit = await repository.resolve(ref)
    if (commit === null) throw new Refusal(404, `No commit found for the ref ${ref}`)
    const place = String(path.path).replace(/^\/+|\/+$/g, '')
    const entry = await git.entry(commit, place)
    if (entry === null) throw notFound()
    if (entry.type === 'tree') {
      const children = await git.children(commit, entry.path)
      return ok(children.map(child => describeEntry(call, ref, child)))
    }
    return answerFile(call, ref, await followLink(call, commit, entry))
  },
}

async function resolve({ repository }: Call, name: string): Promise<string> {
  const sha = await repository.resolve(name)
  if (sha === null) throw notFound()
  return sha
}

/** GitHub answers the file that a symbolic link of the same repository leads to. */
async function followLink(
  { repository: { git } }: Call,
  commit: string,
  entry: TreeEntry,
): Promise<TreeEntry> {
  if (entry.mode !== '120000') return entry
  const target = posix.join(posix.dirname(entry.path), (await git.blob(entry.sha)).toString())
  const found = target.startsWith('.') || target === '' ? null : await git.entry(commit, target)
  return found?.type === 'blob' && found.mode !== '120000' ? { ...found, path: entry.path } : entry
}

async function answerFile(call: Call, ref: string, entry: TreeEntry): Promise<Answer> {
  if (entry.size > MAX_FILE) throw new Refusal(403, 'This API returns blobs up to 100 MB in size.')
  const described = describeEntry(call, ref, entry)
  if (described.type !== 'file') return ok({ ...described, ...(await describeSpecial(call, entry)) })
  const bytes = await call.repository.git.blob(entry.sha)
  if (/application\/vnd\.github(\.v3)?\.raw/.test(call.accept))
    return { status: 200, bytes, headers: { 'content-type': 'application/vnd.github.raw; charset=utf-8' } }
  const isSmall = bytes.length <= MAX_JSON_FILE
  return ok({
    ...described,
    encoding: isSmall ? 'base64' : 'none',
    // Lines of 60 characters, as GitHub's encoder makes them.
    content: isSmall ? bytes.toString('base64').replace(/(.{1,60})/g, '$1\n') : '',
  })
}

async function describeSpecial({ repository }: Call, entry: TreeEntry): Promise<Record<string, unknown>> {
  if (entry.type === 'commit') return { submodule_git_url: '' }
  return { target: (await repository.git.blob(entry.sha)).toString() }
}

function describeEntry(
  { repository, resources }: Call,
  ref: string,
  entry: TreeEntry,
): Record<string, unknown> {
  const type =
    entry.type === 'tree'
      ? 'dir'
      : entry.type === 'commit'
        ? 'submodule'
        : entry.mode === '120000'
          ? 'symlink'
          : 'file'
  const path = entry.path.split('/').map(encodeURIComponent).join('/')
  const self = `${resources.apiOf(repository.name)}/contents/${path}?ref=${encodeURIComponent(ref)}`
  const kind = type === 'dir' ? 'tree' : 'blob'
  const git = `${resources.apiOf(repository.name)}/git/${kind}s/${entry.sha}`
  const html = `${resources.webOf(repository.name)}/${kind}/${ref}/${path}`
  return {
    type,
    size: entry.size,
    name: entry.path.split('/').at(-1),
    path: entry.path,
    sha: entry.sha,
    url: self,
    git_url: git,
    html_url: html,
    download_url: type === 'file' ? `${resources.webOf(repository.name)}/raw/${ref}/${path}` : null,
    _links: { self, git, html },
  }
}

async function kindOfPush({ repository }: Call, before: string, after: string): Promise<string> {
  if (/^0+$/.test(before)) return 'branch_creation'
  return (await repository.git.isAncestor(before, after)) ? 'push' : 'force_push'
}
