import { pullRequestEvent, pushEvent } from '../../local/runner/event.ts'
import { ADA, continueApp, headlineOf, type LaterCommits, QA } from './app.ts'
import { showComment } from './comment.ts'
import { act, NATIVE, type Stage } from './stage.ts'

const NUMBER = 14
const STRANGER = 'd00d0000-1111-4222-8333-000000000003'
/** Capgo looks for overrides once it has counted the first, which takes seconds. */
const FIRST_OVERRIDE = 15_000
/** Capgo takes the same device and channel once a minute. */
const SAME_DEVICE = 61_000

/** Two devices in testers.json get the preview of a pull request. */
export async function tellTesters(stage: Stage): Promise<void> {
  const { story, app, hosted, capgo } = stage
  const { main, listed, night } = app

  story.chapter('8  testers.json lists two devices')
  const push = pushEvent({ branch: 'main', sha: listed.sha, before: main.sha })
  await act(stage, listed, push, { runNumber: 7 })
  await see(stage, { ada: main.headline, qa: main.headline, stranger: main.headline })

  story.chapter('9  A pull request goes to both')
  await hosted.addPull({ number: NUMBER, title: 'Nights', head: { ref: night.branch, sha: night.sha } })
  await happen(stage, 'opened', 8)
  capgo.server.clock.advance(FIRST_OVERRIDE)
  showComments(stage, 12)
  await see(stage, { ada: night.headline, qa: night.headline, stranger: main.headline })
}

/** It is closed; then the file moves one of them. */
export async function tellTestersMoved(stage: Stage): Promise<LaterCommits> {
  const { story, app, hosted, capgo } = stage
  const { main, listed } = app

  story.chapter('12  The pull request is closed')
  hosted.closePull(NUMBER)
  await happen(stage, 'closed', 13)
  showComments(stage, 1)
  await see(stage, { ada: main.headline, qa: main.headline, stranger: main.headline })

  story.chapter('13  The file moves one of them to development')
  const later = continueApp(app)
  const { moved } = later
  capgo.server.clock.advance(SAME_DEVICE)
  await act(stage, moved, pushEvent({ branch: 'main', sha: moved.sha, before: listed.sha }), {
    runNumber: 14,
  })
  capgo.server.clock.advance(FIRST_OVERRIDE)
  await see(stage, { ada: main.headline, qa: app.develop.headline, stranger: main.headline })
  return later
}

function happen(stage: Stage, action: 'opened' | 'closed', runNumber: number) {
  const { sha, branch } = stage.app.night
  const event = pullRequestEvent(action, { number: NUMBER, headSha: sha, headRef: branch })
  return act(stage, stage.app.night, event, { runNumber })
}

function showComments({ story, hosted }: Stage, lines: number): void {
  for (const { body } of hosted.commentsOf(NUMBER)) showComment(body, story, lines)
}

/** The bundle of each device when it asks for updates. None of them chooses a channel itself. */
async function see(
  { story, capgo }: Stage,
  expected: { readonly ada: string; readonly qa: string; readonly stranger: string },
): Promise<void> {
  const devices = [
    [ADA.name, ADA.device, expected.ada],
    [QA.name, QA.device, expected.qa],
    ['a phone of nobody in the list', STRANGER, expected.stranger],
  ] as const
  const shown: string[] = []
  for (const [name, deviceId] of devices) {
    const bundle = await capgo.device({ versionBuild: NATIVE, deviceId }).update()
    shown.push(`${name}: "${bundle === null ? 'nothing' : headlineOf(bundle.files)}"`)
  }
  const wanted = devices.map(([name, , headline]) => `${name}: "${headline}"`)
  story.claim(wanted.join(', '), shown.join() === wanted.join(), shown.join(', '))
}
