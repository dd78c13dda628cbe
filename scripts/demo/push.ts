import { describeRequest, writesOf } from '../../local/app.ts'
import { pushEvent } from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import type { Commit } from './app.ts'
import { type Act, act, look, type Stage } from './stage.ts'

/** Pushes to two branches, the first one again, and a late one. */
export async function tellPushes(stage: Stage): Promise<void> {
  const { story, app } = stage
  story.chapter(`1  Push to main: "${app.main.headline}"`)
  const first = await push(stage, app.main, { runNumber: 1 })
  story.check('published', first.run.outputs.outcome === 'published', first.run.outputs.outcome)
  story.check('channel production was made', first.run.outputs.channel === 'production')
  await lookAt(stage, null, first.run)

  story.chapter(`2  Push to develop: "${app.develop.headline}"`)
  const second = await push(stage, app.develop, { runNumber: 2 })
  story.check('published', second.run.outputs.outcome === 'published', second.run.outputs.outcome)
  story.check('on channel development', second.run.outputs.channel === 'development')
  story.check('under a name of its own', differ('bundle-version', first, second))
  story.check('with other content', differ('checksum', first, second))
  await lookAt(stage, app.develop.headline, second.run)

  story.chapter('3  The first run again')
  const third = await push(stage, app.main, { runNumber: 1, attempt: 2 })
  story.check('unchanged', third.run.outputs.outcome === 'unchanged', third.run.outputs.outcome)
  story.check('the same bytes came out of the build', !differ('checksum', first, third))
  story.check('production keeps its bundle', !differ('bundle-id', first, third))
  claimNoWrites(stage, third)
  await lookAt(stage, app.develop.headline, first.run)

  story.chapter(`4  A late run of an older commit: "${app.old.headline}"`)
  const fourth = await push(stage, app.old, { runNumber: 3, isLate: true })
  story.check('stale', fourth.run.outputs.outcome === 'stale', fourth.run.outputs.outcome)
  story.check('production keeps its bundle', !differ('bundle-id', first, fourth))
  claimNoWrites(stage, fourth)
  await lookAt(stage, app.develop.headline, first.run)
}

function push(
  stage: Stage,
  commit: Commit,
  run: { runNumber: number; attempt?: number; isLate?: boolean },
): Promise<Act> {
  return act(stage, commit, pushEvent({ branch: commit.branch, sha: commit.sha }), run)
}

/** Production shows main's newest commit all the time. */
async function lookAt(stage: Stage, development: string | null, latest: ActionRun): Promise<void> {
  await look(stage, 'production', stage.app.main.headline, latest)
  await look(stage, 'development', development, latest)
}

function differ(output: string, one: Act, other: Act): boolean {
  return one.run.outputs[output] !== other.run.outputs[output]
}

function claimNoWrites({ story }: Stage, { requests }: Act): void {
  const writes = writesOf(requests)
  story.claim('nothing was written to Capgo', writes.length === 0, writes.map(describeRequest).join(', '))
}
