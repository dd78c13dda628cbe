import { pullRequestEvent } from '../../local/runner/event.ts'
import { stateOfComment } from '../../src/report/comment.ts'
import type { Commit } from './app.ts'
import { showComment } from './comment.ts'
import { act, look, type Stage } from './stage.ts'

const NUMBER = 12
/** Lines of a comment. */
const WHOLE = 12
const HEADLINE = 1

/** A pull request is opened, pushed to and merged. */
export async function tellPull(stage: Stage): Promise<void> {
  const { story, app, hosted, capgo } = stage
  const { opened, pushed, main } = app
  await hosted.addPull({ number: NUMBER, title: 'Weekends', head: { ref: opened.branch, sha: opened.sha } })

  story.chapter(`5  A pull request is opened: "${opened.headline}"`)
  const first = await happen(stage, 'opened', opened, 4)
  story.check('published', first.run.outputs.outcome === 'published', first.run.outputs.outcome)
  story.check('on a channel of its own', first.run.outputs.channel === 'pr-12', first.run.outputs.channel)
  readComment(stage, 'ready', WHOLE)
  story.check('GitHub shows the deployment', deployment(stage) === 'success', deployment(stage))
  await look(stage, 'pr-12', opened.headline, first.run)
  await look(stage, 'production', main.headline, first.run)

  story.chapter(`6  It is pushed to: "${pushed.headline}"`)
  hosted.pull(NUMBER).pull.head.sha = pushed.sha
  const second = await happen(stage, 'synchronize', pushed, 5)
  story.check('published', second.run.outputs.outcome === 'published', second.run.outputs.outcome)
  readComment(stage, 'ready', HEADLINE)
  await look(stage, 'pr-12', pushed.headline, second.run)
  await look(stage, 'production', main.headline, second.run)

  story.chapter('7  It is merged')
  hosted.closePull(NUMBER, { merged: true })
  const third = await happen(stage, 'closed', pushed, 6)
  story.check('cleaned', third.run.outputs.outcome === 'cleaned', third.run.outputs.outcome)
  readComment(stage, 'closed', HEADLINE)
  const { store } = capgo.server
  const channels = store.list('channels', { app_id: capgo.appId }).map(({ name }) => name)
  story.check('channel pr-12 is deleted', !channels.includes('pr-12'), channels.join(', '))
  const bundles = store.list('app_versions', { app_id: capgo.appId, deleted: false }).map(({ name }) => name)
  story.check('so are its bundles, and no other', bundles.length === 2, bundles.join(', '))
  story.check('GitHub shows the deployment as inactive', deployment(stage) === 'inactive', deployment(stage))
  await look(stage, 'pr-12', null, third.run)
  await look(stage, 'production', main.headline, third.run)
}

function happen(
  stage: Stage,
  action: 'opened' | 'synchronize' | 'closed',
  commit: Commit,
  runNumber: number,
) {
  const { pull } = stage.hosted.pull(NUMBER)
  const event = pullRequestEvent(action, {
    number: NUMBER,
    headSha: commit.sha,
    headRef: commit.branch,
    merged: pull.mergedAt !== null,
  })
  return act(stage, commit, event, { runNumber })
}

/** Shows the first lines of the comment, of which there is one, and checks its state. */
function readComment({ story, hosted }: Stage, expected: string, lines: number): void {
  const comments = hosted.commentsOf(NUMBER)
  for (const { body } of comments) showComment(body, story, lines)
  story.check('the pull request has one comment', comments.length === 1, `it has ${comments.length}`)
  const state = stateOfComment(comments[0]?.body ?? '')
  story.check(`the comment is of state "${expected}"`, state === expected, `it is "${state}"`)
}

function deployment({ hosted }: Stage): string {
  const all = hosted.deployments.filter(({ environment }) => environment === `preview/pr-${NUMBER}`)
  return all.at(-1)?.statuses.at(-1)?.state ?? 'none'
}
