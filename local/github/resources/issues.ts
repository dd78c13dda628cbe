// Issues, pull requests and their comments as GitHub's API describes them.
import type { ChangedFile } from '../git.ts'
import type { Comment, Issue, Pull, Review } from '../records.ts'
import type { HostedRepository } from '../state.ts'
import { type Json, nodeId, type RepositoryResources } from './repositories.ts'

export function issueResources({
  apiOf,
  webOf,
  user,
  app,
  repository,
  label,
  association,
}: RepositoryResources) {
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
      auto_merge: pull.mergesItself
        ? {
            enabled_by: user(hosted.owner),
            merge_method: 'merge',
            commit_title: issue.title,
            commit_message: '',
          }
        : null,
      draft: pull.draft,
    }
  }

  return {
    pull,

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
        closed_by: issue.state === 'closed' && issue.closedBy ? user(issue.closedBy) : null,
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

    /** `pull` with the fields that GitHub sends only for a single one. */
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
  }
}
