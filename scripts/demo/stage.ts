import { createHash } from 'node:crypto'
import { describeRequest, type RecordedRequest, type TestCapgo, writesOf } from '../../local/app.ts'
import { unzip } from '../../local/device-files.ts'
import type { HostedRepository, LocalGitHub } from '../../local/github/index.ts'
import type { WorkflowEvent } from '../../local/runner/event.ts'
import { type ActionRun, runAction } from '../../local/runner/runner.ts'
import { failOnLeak } from '../../local/runner/secrets.ts'
import { type App, type Commit, headlineOf } from './app.ts'
import { bold, dim, type Story } from './terminal.ts'

/** The app's native version, as in the stores. */
export const NATIVE = '1.0'

/** What the story plays on. */
export interface Stage {
  readonly story: Story
  readonly capgo: TestCapgo
  readonly github: LocalGitHub
  readonly hosted: HostedRepository
  readonly githubToken: string
  readonly app: App
}

export interface Act {
  readonly run: ActionRun
  readonly requests: readonly RecordedRequest[]
}

/** Runs the built action for an event, and says what came of it. */
export async function act(
  { story, capgo, github, githubToken, app }: Stage,
  commit: Commit,
  event: WorkflowEvent,
  {
    runNumber,
    attempt = 1,
    isLate = false,
    inputs = {},
  }: {
    readonly runNumber: number
    readonly attempt?: number
    readonly isLate?: boolean
    readonly inputs?: Readonly<Record<string, string>>
  },
): Promise<Act> {
  // The branch has gone on when an old job is late.
  if (isLate) app.repository.detach(commit.sha)
  else app.repository.branch(commit.branch, commit.sha)
  const before = github.requests.length
  const { result: run, requests } = await capgo.record(() =>
    runAction({
      repo: app.repository.path,
      event,
      inputs: { ...capgo.inputs, ...inputs },
      secrets: [capgo.token],
      githubToken,
      apiUrl: github.url,
      resultsUrl: github.resultsUrl,
      runId: 9_000_000_000 + runNumber,
      runNumber,
      runAttempt: attempt,
    }),
  )
  const { outputs } = run
  const seconds = dim(`(${(run.durationMs / 1000).toFixed(1)} s)`)
  story.line(`  ${bold(outputs.outcome ?? 'no outcome')}: ${outputs.reason ?? ''} ${seconds}`)
  if (story.isFull) {
    story.fact('commit', `${commit.sha.slice(0, 7)} on ${commit.branch}`)
    const asked = github.requests.length - before
    const writes = writesOf(requests).length
    story.fact('requests', `${requests.length} to Capgo, of which ${writes} write; ${asked} to GitHub`)
    for (const request of requests) story.line(dim(`            ${describeRequest(request)}`))
  }
  story.check('the step is green', run.exitCode === 0, `exit code ${run.exitCode}`)
  story.check('the run has a job summary', run.summary.trim() !== '')
  story.check('the key is nowhere in log, summary and outputs', !leaks(run, capgo.token))
  if (run.exitCode !== 0) story.line(dim(run.visibleLog.replace(/^/gm, '    | ')))
  return { run, requests }
}

/**
 * A newly installed app gets what a channel serves (`headline`; null when that is nothing). `latest` is the
 * run that reported about its channel.
 */
export async function look(
  { story, capgo }: Stage,
  channel: string,
  headline: string | null,
  latest: ActionRun,
): Promise<void> {
  const device = capgo.device({ versionBuild: NATIVE, defaultChannel: channel })
  const answer = await device.checkForUpdate()
  if (answer.kind !== 'update') {
    story.check(`a phone on ${channel} gets no update`, headline === null, answer.error)
    return
  }
  const bundle = await device.download(answer).catch((error: Error) => error)
  if (bundle instanceof Error) {
    story.claim(`a phone on ${channel} installs ${answer.version}`, false, bundle.message)
    return
  }
  const shown = headlineOf(bundle.files)
  const size = `${(bundle.downloaded / 1024).toFixed(1)} kB`
  const how = bundle.checksum === null ? 'file by file' : `SHA-256 ${bundle.checksum.slice(0, 8)}…`
  story.claim(
    `a phone on ${channel} shows "${shown}" ${dim(`(${answer.version}, ${size}, ${how})`)}`,
    shown === headline,
    `"${headline}" was expected`,
  )
  if (channel !== latest.outputs.channel) return
  // Files that came one by one are also those of the zip whose checksum the run reported.
  const zip = Buffer.from(await (await fetch(answer.url)).arrayBuffer())
  const files = await unzip(zip)
  const same =
    createHash('sha256').update(zip).digest('hex') === latest.outputs.checksum &&
    answer.version === latest.outputs['bundle-version'] &&
    files.size === bundle.files.size &&
    [...files].every(([path, content]) => bundle.files.get(path)?.equals(content))
  story.check('byte for byte what the run reported', same)
}

function leaks(run: ActionRun, token: string): boolean {
  try {
    failOnLeak(run, [token])
    return false
  } catch {
    return true
  }
}
