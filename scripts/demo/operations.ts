import { dispatchEvent, pushEvent } from '../../local/runner/event.ts'
import { type Commit, headlineOf, type LaterCommits } from './app.ts'
import { type Act, act, NATIVE, type Stage } from './stage.ts'

const PHONE = 'feed0000-1111-4222-8333-000000000004'

/** A bad bundle goes to production and is rolled back; then a tested one is promoted. */
export async function tellOperations(stage: Stage, { moved, tested, bad }: LaterCommits): Promise<void> {
  const { story, app, capgo } = stage
  const { main } = app
  const phone = capgo.device({ versionBuild: NATIVE, deviceId: PHONE })
  const tester = capgo.device({ versionBuild: NATIVE, defaultChannel: 'development' })
  const see = async (device: typeof phone, name: string, headline: string) => {
    const bundle = await device.update()
    const shown = bundle === null ? 'what it had' : headlineOf(bundle.files)
    story.claim(`${name} shows "${headline}"`, shown === headline, `it shows ${shown}`)
  }
  const before = await phone.update()
  const isNewest = before !== null && headlineOf(before.files) === main.headline
  story.check(`a phone in production shows "${main.headline}"`, isNewest)

  story.chapter(`14  Push to develop: "${tested.headline}"`)
  await push(stage, tested, 15)
  await see(tester, 'a device on development', tested.headline)

  story.chapter(`15  Push to main: "${bad.headline}"`)
  const accident = await push(stage, bad, 16)
  await see(phone, 'the phone in production', bad.headline)

  story.chapter('16  Production is rolled back')
  const back = await operate(stage, moved, 17, { operation: 'rollback', channel: 'production' })
  claim(stage, 'published', back)
  story.check('it says how many devices run the bad one', /devices? still runs? /.test(back.run.summary))
  await see(phone, 'the phone in production', main.headline)

  story.chapter('17  Somebody runs the bad commit again')
  const again = await push(stage, bad, 16, 2)
  claim(stage, 'stale', again)
  const asked = await phone.checkForUpdate()
  story.claim('the phone in production gets no update', asked.kind === 'up_to_date', asked.kind)
  story.check(
    'production does not have the bad bundle',
    again.run.outputs['bundle-id'] !== accident.run.outputs['bundle-id'],
  )

  story.chapter('18  What was tested on development is promoted to production')
  const inputs = { operation: 'promote', from: 'development', to: 'production', verify: 'true' }
  const promoted = await operate(stage, tested, 18, inputs)
  claim(stage, 'published', promoted)
  story.check('nothing was uploaded', !promoted.requests.some(({ path }) => path.includes('/upload')))
  await see(phone, 'the phone in production', tested.headline)
  story.claim(
    'the phone runs byte for byte what the tester tested',
    phone.installed === tester.installed && phone.installed === promoted.run.outputs['bundle-version'],
    `${phone.installed}, ${tester.installed}`,
  )

  story.chapter('19  Status of all channels')
  const status = await operate(stage, moved, 19, { operation: 'status' })
  claim(stage, 'read', status)
  const lines = status.run.visibleLog.split('\n').filter(line => /^ {2}\S+: /.test(line))
  for (const line of lines) story.line(`  ${line}`)
  story.check('production and development serve the same', sameBundle(status.run.outputs.status ?? '[]'))
}

function push(stage: Stage, commit: Commit, runNumber: number, attempt = 1): Promise<Act> {
  const event = pushEvent({ branch: commit.branch, sha: commit.sha })
  return act(stage, commit, event, { runNumber, attempt })
}

/** A manual run. */
function operate(
  stage: Stage,
  commit: Commit,
  runNumber: number,
  inputs: Readonly<Record<string, string>>,
): Promise<Act> {
  const event = dispatchEvent({ ref: `refs/heads/${commit.branch}`, sha: commit.sha })
  return act(stage, commit, event, { runNumber, inputs })
}

function claim({ story }: Stage, outcome: string, { run }: Act): void {
  story.check(outcome, run.outputs.outcome === outcome, run.outputs.outcome)
}

function sameBundle(status: string): boolean {
  const channels = JSON.parse(status) as { channel: string; bundle: { id: number } | null }[]
  const idOf = (name: string) => channels.find(({ channel }) => channel === name)?.bundle?.id
  return idOf('production') !== undefined && idOf('production') === idOf('development')
}
