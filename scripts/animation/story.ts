/** The story of the animation, as it happens: a push to a pull request, the comment, and a phone before and after. */
import { startTestCapgo } from '../../local/app.ts'
import { startGitHub } from '../../local/github/index.ts'
import { pullRequestEvent, pushEvent, type WorkflowEvent } from '../../local/runner/event.ts'
import { runAction } from '../../local/runner/runner.ts'
import { createApp } from '../demo/app.ts'
import { startCloud } from './cloud.ts'

const REPOSITORY = 'octo-org/daybreak'
const PULL = 12
const NATIVE = '1.0'

export interface Story {
  readonly branch: string
  readonly sha: string
  readonly subject: string
  /** The run's `reason`. */
  readonly reason: string
  /** Milliseconds. */
  readonly duration: number
  /** Markdown. */
  readonly comment: string
  readonly before: Shown
  readonly after: Shown
}

/** The bundle that a phone runs. */
export interface Shown {
  readonly bundle: string
  readonly native: string
  /** Path to content. */
  readonly files: ReadonlyMap<string, Buffer>
}

export async function play(): Promise<Story> {
  await using capgo = await startTestCapgo({ role: 'app_admin', app: { allowPreview: true } })
  await using cloud = await startCloud(capgo.url)
  const github = await startGitHub()
  try {
    const app = createApp()
    const { repository, main, opened } = app
    const hosted = github.addRepository({ name: REPOSITORY, gitDir: repository.path, private: true })
    const githubToken = github.addToken({
      repository: REPOSITORY,
      permissions: { contents: 'read', deployments: 'write', 'pull-requests': 'write' },
    })
    const run = async (
      { branch, sha }: { branch: string; sha: string },
      event: WorkflowEvent,
      runNumber: number,
    ) => {
      repository.branch(branch, sha)
      const done = await runAction({
        repo: repository.path,
        event,
        inputs: { 'capgo-token': capgo.token, 'files-url': capgo.url },
        env: cloud.env,
        // The key goes to the local Capgo, and the run sees another address.
        mayLeak: true,
        githubToken,
        apiUrl: github.url,
        resultsUrl: github.resultsUrl,
        runId: 9_000_000_000 + runNumber,
        runNumber,
      })
      if (done.exitCode !== 0) throw new Error(`Run ${runNumber} failed:\n${done.visibleLog}`)
      return done
    }
    const install = async (defaultChannel: string): Promise<Shown> => {
      const device = capgo.device({ versionBuild: NATIVE, defaultChannel })
      const bundle = await device.update()
      if (bundle === null) throw new Error(`Channel ${defaultChannel} has no update.`)
      return { bundle: bundle.version, native: NATIVE, files: bundle.files }
    }
    await run(main, pushEvent({ branch: main.branch, sha: main.sha }), 56)
    const before = await install('production')
    await hosted.addPull({ number: PULL, title: 'Weekends', head: { ref: opened.branch, sha: opened.sha } })
    const facts = { number: PULL, headSha: opened.sha, headRef: opened.branch }
    const { outputs, durationMs } = await run(opened, pullRequestEvent('opened', facts), 57)
    const [comment] = hosted.commentsOf(PULL)
    if (comment === undefined) throw new Error('The pull request has no comment.')
    return {
      branch: opened.branch,
      sha: opened.sha,
      subject: repository.git(['log', '-1', '--format=%s', opened.sha]).trim(),
      reason: outputs.reason ?? '',
      duration: durationMs,
      comment: comment.body,
      before,
      after: await install(`pr-${PULL}`),
    }
  } finally {
    await github.stop()
  }
}
