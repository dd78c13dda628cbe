// Runs of workflows and their artifacts as GitHub's API describes them.
import type { Commit } from '../git.ts'
import type { Artifact, Issue, Run } from '../records.ts'
import type { HostedRepository } from '../state.ts'
import { type Json, nodeId, numberOf, type RepositoryResources } from './repositories.ts'

export function runResources({ apiOf, webOf, user, repository }: RepositoryResources) {
  return {
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
  }
}
