/** Commits and branches that are written through GitHub's API, without a checkout. */
import * as z from 'zod/mini'
import { GitHubError, isNotFound, toGraphqlError } from './errors.ts'
import type { Repository } from './repository.ts'
import { parseResponse, Sha } from './response.ts'

const Named = z.object({ sha: Sha })
const Node = z.object({ node_id: z.string() })
const CommitOfTree = z.object({ tree: Named })
const CommitData = z.extend(CommitOfTree, { message: z.string(), parents: z.array(Named) })
const Permission = z.object({ permission: z.string() })
const Refs = z.array(z.object({ ref: z.string(), object: Named }))

const DELETE_BRANCH = `mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }`

/** One file that changes. */
interface FileCommit {
  /** Of the tree that the commit has. */
  readonly message: (tree: string) => string
  readonly path: string
  readonly text: string
  /** The commit whose files the new one has, but for this file. */
  readonly base: string
  readonly parents: readonly string[]
}

interface Commit {
  readonly message: string
  readonly tree: string
  readonly parents: readonly string[]
}

export function branches({ octokit, owner, repo }: Repository) {
  return {
    /** Makes a commit that no branch has yet; returns its sha. Needs `contents: write`. */
    async commitFile({ message, path, text, base, parents }: FileCommit): Promise<string> {
      const { data: commit } = await octokit.rest.git.getCommit({ owner, repo, commit_sha: base })
      const { data: tree } = await octokit.rest.git.createTree({
        owner,
        repo,
        base_tree: parseResponse(CommitOfTree, commit, 'GET of a commit').tree.sha,
        tree: [{ path, mode: '100644', type: 'blob', content: text }],
      })
      const { sha } = parseResponse(Named, tree, 'POST of a tree')
      const { data } = await octokit.rest.git.createCommit({
        owner,
        repo,
        message: message(sha),
        tree: sha,
        parents: [...parents],
      })
      return parseResponse(Named, data, 'POST of a commit').sha
    },

    /** A commit's message, and the shas of its tree and its parents. Needs `contents: read`. */
    async readCommit(sha: string): Promise<Commit> {
      const { data } = await octokit.rest.git.getCommit({ owner, repo, commit_sha: sha })
      const { message, tree, parents } = parseResponse(CommitData, data, 'GET of a commit')
      return { message, tree: tree.sha, parents: parents.map(each => each.sha) }
    },

    /** Whether a person can push to this repository: what GitHub says of an author's association includes readers. */
    async canPush(login: string): Promise<boolean> {
      try {
        const asked = { owner, repo, username: login }
        const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel(asked)
        const { permission } = parseResponse(Permission, data, 'GET of a permission')
        return permission === 'admin' || permission === 'write'
      } catch (error) {
        // An account that is gone, or not a person's.
        if (isNotFound(error)) return false
        throw error
      }
    },

    /** The newest commits of the branches that begin so, by name. Needs `contents: read`. */
    async listBranches(beginning: string): Promise<Map<string, string>> {
      const { data } = await octokit.rest.git.listMatchingRefs({ owner, repo, ref: `heads/${beginning}` })
      const refs = parseResponse(Refs, data, 'GET /repos/{owner}/{repo}/git/matching-refs/{ref}')
      return new Map(refs.map(({ ref, object }) => [ref.replace('refs/heads/', ''), object.sha]))
    },

    /** False where the branch exists. Needs `contents: write`. */
    async createBranch(name: string, sha: string): Promise<boolean> {
      return unless(/already exists/i, () =>
        octokit.rest.git.createRef({ owner, repo, ref: `refs/heads/${name}`, sha }),
      )
    },

    /**
     * Deletes a branch that is still at this commit; returns GitHub's reason where it is elsewhere, or a rule keeps it,
     * else null. GitHub's REST API deletes a branch wherever it is. Needs `contents: write`.
     */
    async deleteBranch(name: string, sha: string): Promise<string | null> {
      const { data } = await octokit.rest.repos.get({ owner, repo })
      const { node_id: repositoryId } = parseResponse(Node, data, 'GET /repos/{owner}/{repo}')
      // GitHub's GraphQL API: the new commit that is all zeros is none.
      const update = { name: `refs/heads/${name}`, beforeOid: sha, afterOid: '0'.repeat(sha.length) }
      try {
        await octokit.graphql(DELETE_BRANCH, { input: { repositoryId, refUpdates: [update] } })
        return null
      } catch (error) {
        const refusal = toGraphqlError(error)
        if (refusal.retryAfter !== null) throw refusal
        return refusal.reason
      }
    },

    /** False where the branch has a commit that `sha` does not build on: nobody's work is lost. Needs `contents: write`. */
    async advanceBranch(name: string, sha: string): Promise<boolean> {
      return unless(/fast.?forward|cannot be updated/i, () =>
        octokit.rest.git.updateRef({ owner, repo, ref: `heads/${name}`, sha, force: false }),
      )
    },
  }
}

/** False where GitHub refuses with this reason. */
async function unless(reason: RegExp, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof GitHubError && error.status === 422 && reason.test(error.reason)) return false
    throw error
  }
}
