/** Workflow runs. */
import * as z from 'zod/mini'
import type { Repository } from './repository.ts'
import { parseResponse } from './response.ts'

const Runs = z.object({ workflow_runs: z.array(z.object({ status: z.nullish(z.string()) })) })

export function runs({ octokit, owner, repo }: Repository) {
  return {
    /** Whether a workflow run of this commit is queued or running. Needs `actions: read`. */
    async isRunOnItsWay(headSha: string): Promise<boolean> {
      const parameters = { owner, repo, head_sha: headSha, per_page: 100 }
      const { data } = await octokit.rest.actions.listWorkflowRunsForRepo(parameters)
      const { workflow_runs } = parseResponse(Runs, data, 'GET /repos/{owner}/{repo}/actions/runs')
      return workflow_runs.some(({ status }) => status !== 'completed')
    },
  }
}
