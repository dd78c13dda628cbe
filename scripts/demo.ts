import {
  describeRequest,
  type RecordedRequest,
  startTestCapgo,
  type TestCapgo,
  writesOf,
} from '../test/helpers/capgo.ts'
import { pushEvent } from '../test/helpers/event.ts'
import { type ActionRun, runAction } from '../test/helpers/runner.ts'
import { failOnLeak } from '../test/helpers/secrets.ts'
import { type App, type Commit, createApp, headlineOf } from './demo/app.ts'
import { bold, cyan, dim, Story } from './demo/terminal.ts'

/*
 * The whole story on this machine: pushes to two branches, the built action exactly as GitHub's runner starts
 * it, a local Capgo, and devices that take what the channels serve. Every line with a mark is checked; the exit
 * code is 1 if one of them is not true.
 */

const NATIVE = '1.0'

interface Push {
  readonly commit: Commit
  readonly runNumber: number
  readonly attempt?: number
}

/** What a device on each channel shows; null when nothing is there to take. */
interface Shown {
  readonly production: string | null
  readonly development: string | null
}

const began = performance.now()
const story = new Story()
const capgo = await startTestCapgo({ role: 'app_developer' })
try {
  await tell(capgo, createApp())
} finally {
  await capgo.stop()
}
const seconds = ((performance.now() - began) / 1000).toFixed(1)
if (story.broken.length > 0) {
  story.line(`\n${bold(`${story.broken.length} of ${story.statements} statements are not true:`)}`)
  for (const what of story.broken) story.line(`  ${what}`)
  process.exitCode = 1
} else story.line(`\n${bold(`All ${story.statements} statements are true.`)} ${dim(`${seconds} s`)}`)

async function tell(capgo: TestCapgo, app: App): Promise<void> {
  story.line(bold('A push puts the right bundle on the right channel'))
  story.fact('Capgo', `${cyan(capgo.url)}, on this machine; it has the app and no channel`)
  story.fact('app', `examples/vite-capacitor as a repository of its own, native version ${NATIVE}`)
  story.fact('workflow', 'uses: capgo-publish-action with capgo-token and api-url, nothing else')

  story.chapter(`1  Push to main: "${app.main.headline}"`)
  const first = await push(capgo, app, { commit: app.main, runNumber: 1 })
  story.claim('published', first.run.outputs.outcome === 'published', first.run.outputs.outcome)
  story.claim('channel production was made', first.run.outputs.channel === 'production')
  await look(capgo, app, { production: app.main.headline, development: null }, first.run)

  story.chapter(`2  Push to develop: "${app.develop.headline}"`)
  const second = await push(capgo, app, { commit: app.develop, runNumber: 2 })
  story.claim('published', second.run.outputs.outcome === 'published', second.run.outputs.outcome)
  story.claim('on channel development', second.run.outputs.channel === 'development')
  story.claim('under a name of its own', differ('bundle-version', first.run, second.run))
  story.claim('with other content', differ('checksum', first.run, second.run))
  const both = { production: app.main.headline, development: app.develop.headline }
  await look(capgo, app, both, second.run)

  story.chapter('3  The first run again')
  const third = await push(capgo, app, { commit: app.main, runNumber: 1, attempt: 2 })
  story.claim('unchanged', third.run.outputs.outcome === 'unchanged', third.run.outputs.outcome)
  story.claim('the same bytes came out of the build', !differ('checksum', first.run, third.run))
  story.claim('production keeps its bundle', !differ('bundle-id', first.run, third.run))
  claimNoWrites(third.requests)
  await look(capgo, app, both, first.run)

  story.chapter(`4  A late run of an older commit: "${app.old.headline}"`)
  const fourth = await push(capgo, app, { commit: app.old, runNumber: 3 })
  story.claim('stale', fourth.run.outputs.outcome === 'stale', fourth.run.outputs.outcome)
  story.claim('production keeps its bundle', !differ('bundle-id', first.run, fourth.run))
  claimNoWrites(fourth.requests)
  await look(capgo, app, both, first.run)
}

async function push(capgo: TestCapgo, app: App, { commit, runNumber, attempt = 1 }: Push) {
  app.repository.branch(commit.branch, commit.sha)
  const { result: run, requests } = await capgo.record(() =>
    runAction({
      repo: app.repository.path,
      event: pushEvent({ branch: commit.branch, sha: commit.sha }),
      inputs: capgo.inputs,
      secrets: [capgo.token],
      runId: 9_000_000_000 + runNumber,
      runNumber,
      runAttempt: attempt,
    }),
  )
  const { outputs } = run
  story.fact('commit', `${commit.sha.slice(0, 7)} on ${commit.branch}`)
  story.fact(
    'outcome',
    `${bold(outputs.outcome ?? 'none')} ${dim(`in ${(run.durationMs / 1000).toFixed(1)} s`)}`,
  )
  if (outputs['bundle-version'])
    story.fact('bundle', `${bold(outputs['bundle-version'])} on channel ${outputs.channel}`)
  if (outputs.reason) story.fact('reason', outputs.reason)
  story.fact('requests', `${requests.length}, of which ${writesOf(requests).length} write`)
  for (const request of requests) story.line(dim(`            ${describeRequest(request)}`))
  story.claim('the step is green', run.exitCode === 0, `exit code ${run.exitCode}`)
  story.claim('there is a job summary', run.summary.trim() !== '')
  story.claim('the key is nowhere in log, summary and outputs', !leaks(run, capgo.token))
  if (run.exitCode !== 0) story.line(dim(run.visibleLog.replace(/^/gm, '    | ')))
  return { run, requests }
}

/** Newly installed apps on both channels take what is served; `latest` is the run that told about its channel. */
async function look(capgo: TestCapgo, app: App, shown: Shown, latest: ActionRun): Promise<void> {
  for (const channel of ['production', 'development'] as const) {
    const device = capgo.device({ versionBuild: NATIVE, defaultChannel: channel })
    const answer = await device.checkForUpdate()
    const expected = shown[channel]
    if (answer.kind !== 'update') {
      story.claim(`a device on ${channel} has nothing to take`, expected === null, answer.error)
      continue
    }
    const bundle = await device.download(answer).catch((error: Error) => error)
    if (bundle instanceof Error) {
      story.claim(`a device on ${channel} installs ${answer.version}`, false, bundle.message)
      continue
    }
    const headline = headlineOf(bundle.files, app)
    const size = `${(bundle.downloaded / 1024).toFixed(1)} kB`
    const sha = `SHA-256 ${bundle.checksum?.slice(0, 8)}…`
    story.claim(
      `a device on ${channel} installs ${answer.version} (${size}, ${sha}) and shows "${headline}"`,
      headline === expected,
      `"${expected}" was pushed`,
    )
    if (channel !== latest.outputs.channel) continue
    const same =
      bundle.checksum === latest.outputs.checksum && answer.version === latest.outputs['bundle-version']
    story.claim('which is byte for byte what the run told', same)
  }
}

function differ(output: string, one: ActionRun, other: ActionRun): boolean {
  return one.outputs[output] !== other.outputs[output]
}

function leaks(run: ActionRun, token: string): boolean {
  try {
    failOnLeak(run, [token])
    return false
  } catch {
    return true
  }
}

function claimNoWrites(requests: readonly RecordedRequest[]): void {
  const writes = writesOf(requests)
  story.claim('nothing was written to Capgo', writes.length === 0, writes.map(describeRequest).join(', '))
}
