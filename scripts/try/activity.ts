/** Traces on GitHub of an event without a pull request: an issue, a comment, a run of another workflow. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { isObject, type Payload } from '../../local/runner/event.ts'
import type { Wishes } from './arguments.ts'
import { labelOf, loginOf, putPull, readDiscussion, readPull } from './pull.ts'
import type { Stage } from './repository.ts'

/** Puts it there, and completes `more`, the payload's own part. What cannot be is added to `problems`. */
export async function readActivity(
  wishes: Wishes,
  stage: Stage,
  more: Payload,
  problems: string[],
): Promise<void> {
  const { event, payload } = wishes
  if (event === 'workflow_run') await followRun(wishes, stage, more)
  if (event !== 'issues' && event !== 'issue_comment') return
  const number = numberOf(wishes, stage)
  if (event === 'issues' && stage.hosted.issues.get(number)?.pull)
    problems.push(`#${number} is a pull request, and the event "issues" is about issues only.`)
  else if (event === 'issues') {
    more.action ??= 'opened'
    putIssue(number, String(payload.action ?? more.action), wishes, stage, more)
  } else {
    more.action ??= 'created'
    putIssue(number, '', wishes, stage, more)
    const { body = '/publish', user } = isObject(payload.comment) ? payload.comment : {}
    const author = loginOf(user) ?? 'ada'
    const { id } = stage.hosted.addComment(number, { body: String(body), author })
    more.comment = { id, body, user: { login: author } }
    more.sender = { login: author }
  }
}

/** Of the payload, else a new one's, or the newest. */
function numberOf({ event, payload }: Wishes, { hosted }: Stage): number {
  const given = isObject(payload.issue) ? payload.issue : {}
  const isNew = event === 'issues' && (payload.action ?? 'opened') === 'opened'
  const fitting = [...hosted.issues.values()].filter(({ pull }) => event !== 'issues' || pull === null)
  const next = Math.max(0, ...hosted.issues.keys()) + 1
  return Number(given.number ?? payload.number ?? (isNew ? next : (fitting.at(-1)?.number ?? next)))
}

function putIssue(
  number: number,
  action: string,
  { payload }: Wishes,
  { hosted }: Stage,
  more: Payload,
): void {
  const given = isObject(payload.issue) ? payload.issue : {}
  const known = hosted.issues.get(number) ?? null
  const own = {
    ...given,
    body: isObject(given.body) ? formOf(given.body) : given.body,
    user: given.user ?? (action === 'opened' ? payload.sender : undefined),
  }
  const { state, title, ...rest } = readDiscussion(own, known, { action, label: labelOf(payload) })
  const sender = loginOf(payload.sender) ?? rest.author
  const issue = known ?? hosted.addIssue({ number, title: `Issue of ${rest.author}` })
  if (state === 'closed' && issue.state === 'open') hosted.closeIssue(number, sender)
  if (state === 'open') Object.assign(issue, { state, closedAt: null })
  Object.assign(issue, rest, title === null ? {} : { title })
  // GitHub counts people among them who can only read: here they can push.
  if (/^(OWNER|MEMBER|COLLABORATOR)$/.test(String(given.author_association)))
    hosted.collaborators.add(issue.author)
  const url = `https://github.com/${hosted.name}/pull/${number}`
  more.issue = {
    number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    user: { login: issue.author },
    labels: issue.labels.map(name => ({ name })),
    ...(issue.pull === null ? {} : { pull_request: { url, html_url: url } }),
  }
  more.sender = { login: sender }
}

/** Answers of an issue form by their labels, as GitHub writes them into the issue. */
const formOf = (answers: Payload) =>
  Object.entries(answers)
    .map(([label, answer]) => `### ${label}\n\n${answer}`)
    .join('\n\n')

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
