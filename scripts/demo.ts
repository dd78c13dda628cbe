/**
 * `npm run demo`: the whole story on this machine. Pushes to two branches and a pull request, the built action exactly
 * as GitHub's runner starts it, a local Capgo, a local GitHub, and phones that install what the channels serve. A
 * tester joins from the app's page and leaves. At the end a bad bundle is rolled back, and a tested one promoted. Every line with a mark is checked, and many more are. The
 * exit code is 1 if one of them is not true. `--requests` shows every check, every request and whole comments.
 */
import { parseArgs } from 'node:util'
import { startTestCapgo } from '../local/app.ts'
import { startGitHub } from '../local/github/index.ts'
import { createApp } from './demo/app.ts'
import { tellJoin } from './demo/join.ts'
import { tellOperations } from './demo/operations.ts'
import { tellPull } from './demo/pull.ts'
import { tellPushes } from './demo/push.ts'
import { NATIVE } from './demo/stage.ts'
import { bold, cyan, dim, Story } from './demo/terminal.ts'
import { tellTesters, tellTestersMoved } from './demo/testers.ts'

const REPOSITORY = 'octo-org/daybreak'

const began = performance.now()
const { values } = parseArgs({ options: { requests: { type: 'boolean', default: false } } })
const story = new Story({ isFull: values.requests })
const capgo = await startTestCapgo({ role: 'app_admin' })
const github = await startGitHub()
try {
  const app = createApp()
  const hosted = github.addRepository({ name: REPOSITORY, gitDir: app.repository.path, private: true })
  const githubToken = github.addToken({
    repository: REPOSITORY,
    permissions: { contents: 'read', deployments: 'write', 'pull-requests': 'write' },
  })
  story.line(bold('Branches publish themselves, and a pull request is on a phone in a minute'))
  story.fact('Capgo', `${cyan(capgo.url)}, on this machine; its page shows what happens`)
  story.fact(
    'GitHub',
    `${cyan(github.url)}, on this machine; checked against GitHub's description of its API`,
  )
  story.fact('app', `examples/vite-capacitor as a repository of its own, native version ${NATIVE}`)
  story.fact('time', 'about two minutes on two quiet cores: 21 runs of the built action')
  const stage = { story, capgo, github, hosted, githubToken, app }
  await tellPushes(stage)
  await tellPull(stage)
  await tellTesters(stage)
  await tellJoin(stage)
  const later = await tellTestersMoved(stage)
  await tellOperations(stage, later)
  const violations = github.violations.map(({ request, problems }) => `${request}: ${problems.join(', ')}`)
  story.check('every request to GitHub is in its description', violations.length === 0, violations.join('; '))
  const attempts = capgo.server.deleteAllAttempts.length
  story.check('no request deletes every bundle', attempts === 0)
} finally {
  await Promise.all([capgo.stop(), github.stop()])
}
const seconds = ((performance.now() - began) / 1000).toFixed(1)
if (story.broken.length > 0) {
  story.line(`\n${bold(`${story.broken.length} of ${story.statements} checks are not true:`)}`)
  for (const what of story.broken) story.line(`  ${what}`)
  process.exitCode = 1
} else
  story.line(
    `\n${bold(`All ${story.statements} checks are true`)}, after ${seconds} s. ${dim('npm run demo -- --requests shows each of them, and the wire.')}`,
  )
