import { describe, expect, it } from 'vitest'
import type { Permissions } from '../../local/github/index.ts'
import { dispatchEvent, issuesEvent, scheduleEvent } from '../../local/runner/event.ts'
import {
  APP_ID,
  createBuiltWorld,
  type World,
  type WorldOptions,
  type WorldRun,
  withoutChance,
} from './scenario.ts'

const ADA = 'ada00000-0000-4000-8000-000000000001'
const BOB = 'b0b00000-0000-4000-8000-000000000002'
const EVE = 'e5e00000-0000-4000-8000-000000000003'
const PERMISSIONS: Permissions = { contents: 'write', issues: 'write', 'pull-requests': 'write' }
const FILE = `[\n  // The team\n  { "device": "${BOB}", "name": "Bob", "github": "bob", "channel": "beta" }\n]\n`

const timeless = (text: string) =>
  withoutChance(text)
    .replace(/\d{4}[-‑]\d\d[-‑]\d\d.\d\d:\d\d.UTC/g, 'TIME')
    .replace(/<!-- state [\w-]* [0-9a-f.]+ -->/g, '<!-- state -->')

/** The issue as GitHub's form writes it. */
const form = (answers: Record<string, string>) =>
  Object.entries({ 'Join or leave': 'Join', 'Device id': EVE, Name: "Eve's phone", ...answers })
    .map(([label, text]) => `### ${label}\n\n${text}`)
    .join('\n\n')

async function createTeam({ inputs, ...options }: WorldOptions = {}): Promise<World> {
  const world = await createBuiltWorld({
    role: 'app_admin',
    permissions: PERMISSIONS,
    ...options,
    files: { 'testers.json': FILE, ...options.files },
    inputs: { operation: 'enroll', 'join-channels': 'beta', ...inputs },
  })
  world.capgo.seedChannel({ appId: APP_ID, name: 'production', public: true })
  world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
  world.capgo.seedDevice({ appId: APP_ID, deviceId: EVE, versionBuild: '1.4.0' })
  return world
}

interface Ask {
  readonly number?: number
  readonly author?: string
  readonly body?: string
}

/** Somebody fills in the form. */
async function ask(
  world: World,
  answers: Record<string, string> = {},
  { number = 45, author = 'eve', body }: Ask = {},
) {
  const { hosted } = world
  hosted.addIssue({ number, author, body: body ?? form(answers), title: 'A tester' })
  return happen(world, 'opened', number)
}

/** What happened to an issue, as it is now. */
function happen(
  world: World,
  action: Parameters<typeof issuesEvent>[0],
  number = 45,
  more: { sender?: string; body?: string; run?: WorldRun } = {},
) {
  const { author, body } = world.hosted.issues.get(number)!
  const options = { number, author, body: more.body ?? body ?? '', sha: world.repo.shaOf('main') }
  return world.run(issuesEvent(action, { ...options, actor: more.sender ?? author }), more.run ?? {})
}

function edit(world: World, answers: Record<string, string>, more: { sender?: string } = {}) {
  world.hosted.issues.get(45)!.body = form(answers)
  return happen(world, 'edited', 45, more)
}

const commentsOn = ({ hosted }: World, number = 45) =>
  hosted.commentsOf(number).map(({ body }) => timeless(body))
const fileOn = ({ repo }: World, branch: string) => repo.git(['show', `${branch}:testers.json`])
const branches = ({ repo }: World) =>
  repo.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads']).split('\n').sort()
const pulls = ({ hosted }: World) => [...hosted.issues.values()].filter(({ pull }) => pull !== null)
const followUp = (world: World) => world.run(scheduleEvent({ sha: world.repo.shaOf('main') }))

/** A lead merges the pull request. */
function merge(world: World, number = 46) {
  const { repo, hosted } = world
  repo.git(['reset', '--quiet', '--hard', 'main'])
  repo.merge(hosted.pull(number).pull.head.ref)
  hosted.closePull(number, { merged: true })
}

function channelOf({ capgo }: World, device: string): string | undefined {
  const row = capgo.store.find('channel_devices', { app_id: APP_ID, device_id: device })
  return row && capgo.store.find('channels', { id: row.channel_id })?.name
}

describe('a tester joins', () => {
  it('by a pull request that a lead merges', async () => {
    const world = await createTeam()
    const asked = await ask(world, { Channel: 'beta' })
    expect(asked.outputs, asked.visibleLog).toMatchObject({
      outcome: 'proposed',
      'comment-url': /#issuecomment-/,
    })
    expect(branches(world)).toEqual(['capgo/tester-45', 'main'])
    expect(fileOn(world, 'capgo/tester-45')).toBe(
      FILE.replace(
        ' }\n]',
        ` },\n  { "device": "${EVE}", "name": "Eve's phone", "github": "eve", "channel": "beta" }\n]`,
      ).trim(),
    )
    const { issue } = world.hosted.pull(46)
    expect(issue.title).toBe('Add a tester (#45)')
    expect(timeless(issue.body!)).toMatchSnapshot()
    expect(commentsOn(world)).toMatchSnapshot()
  })
})
