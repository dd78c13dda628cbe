// Commits, refs and changed files as GitHub's API describes them.
import type { ChangedFile, Commit, TreeEntry } from '../git.ts'
import type { HostedRepository } from '../state.ts'
import { type Json, nodeId, type RepositoryResources } from './repositories.ts'

export function commitResources({ apiOf, webOf }: RepositoryResources) {
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

    gitTree(hosted: HostedRepository, sha: string, entries: readonly TreeEntry[]): Json {
      const url = `${apiOf(hosted.name)}/git`
      return {
        sha,
        url: `${url}/trees/${sha}`,
        truncated: false,
        tree: entries.map(({ path, mode, type, sha: own, size }) => ({
          path,
          mode,
          type,
          sha: own,
          ...(type === 'blob' ? { size } : {}),
          url: `${url}/${type}s/${own}`,
        })),
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
  }
}
