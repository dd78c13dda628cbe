/** Traces on GitHub of an event without a pull request: an issue, a comment, a run of another workflow. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { isObject, type Payload } from '../../local/runner/event.ts'
import type { Wishes } from './arguments.ts'
import { putPull, readPull } from './pull.ts'
import type { Stage } from './repository.ts'

/** Puts it there, and completes `more`, the payload's own part. */
export async function readActivity(name: string, wishes: Wishes, stage: Stage, more: Payload): Promise<void> {
  if (name === 'workflow_run') await followRun(wishes, stage, more)
  if (name === 'issues' || name === 'issue_comment') putIssue(wishes, stage, more)
}

function putIssue({ event, payload }: Wishes, { hosted }: Stage, more: Payload): void {
  const given = isObject(payload.issue) ? payload.issue : {}
  const number = Number(given.number ?? payload.number ?? Math.max(1, ...hosted.issues.keys()))
  const issue = hosted.issues.get(number) ?? hosted.addIssue({ number })
  const url = `https://github.com/${hosted.name}/pull/${number}`
  more.action ??= event === 'issues' ? 'opened' : 'created'
  more.issue = {
    number,
    title: issue.title,
    state: issue.state,
    labels: issue.labels.map(name => ({ name })),
    ...(issue.pull === null ? {} : { pull_request: { url, html_url: url } }),
  }
  if (event !== 'issue_comment') return
  const { body, user } = isObject(payload.comment) ? payload.comment : {}
  const author = isObject(user) && typeof user.login === 'string' ? user.login : 'ada'
  const { id } = hosted.addComment(number, { body: typeof body === 'string' ? body : '/publish', author })
  more.comment = { id, body: body ?? '/publish', user: { login: author } }
}

async function followRun(wishes: Wishes, stage: Stage, more: Payload): Promise<void> {
  const { payload, artifacts } = wishes
  const { repository, hosted } = stage
  const given = isObject(payload.workflow_run) ? payload.workflow_run : {}
  const branch = String(given.head_branch ?? wishes.branch ?? repository.branch ?? repository.defaultBranch)
  const sha = String(given.head_sha ?? repository.find(branch) ?? repository.head)
  const event = String(given.event ?? (branch === repository.defaultBranch ? 'push' : 'pull_request'))
  const head = isObject(given.head_repository) ? String(given.head_repository.full_name) : hosted.name
  const pulls = Array.isArray(given.pull_requests) ? given.pull_requests.filter(isObject) : []
  for (const pull of pulls) {
    const hint = { branch, action: '', label: null }
    const facts = readPull(Number(pull.number), pull, hint, stage, [])
    if (!hosted.issues.has(facts.number)) await putPull(facts, hosted)
  }
  const known = hosted.runs.find(({ id }) => id === given.id)
  const run =
    known ??
    hosted.addRun({
      ...(typeof given.id === 'number' ? { id: given.id } : {}),
      event,
      headBranch: branch,
      headSha: sha,
      conclusion: given.conclusion === undefined ? 'success' : (given.conclusion as string | null),
      ...(head === hosted.name ? {} : { fork: head }),
    })
  for (const [name, folder] of Object.entries(artifacts))
    hosted.addArtifact({ runId: run.id, name, zip: zipSync(readFolder(folder)) })
  more.action ??= 'completed'
  more.workflow_run = {
    id: run.id,
    event,
    status: 'completed',
    conclusion: run.conclusion,
    head_branch: branch,
    head_sha: sha,
    head_repository: { full_name: head, owner: { login: head.split('/')[0] }, fork: head !== hosted.name },
    repository: { full_name: hosted.name },
    pull_requests: [],
  }
}

function readFolder(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names
      .filter(name => statSync(join(folder, name)).isFile())
      .map(name => [name.replaceAll('\\', '/'), readFileSync(join(folder, name))]),
  )
}
