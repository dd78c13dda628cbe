/** The world of `operation: enroll`: a team, people who ask, and what a lead does. */
import type { Permissions } from '../../local/github/index.ts'
import { issuesEvent, scheduleEvent } from '../../local/runner/event.ts'
import {
  APP_ID,
  createBuiltWorld,
  type World,
  type WorldOptions,
  type WorldRun,
  withoutChance,
} from './scenario.ts'

export const ADA = 'ada00000-0000-4000-8000-000000000001'
export const BOB = 'b0b00000-0000-4000-8000-000000000002'
export const EVE = 'e5e00000-0000-4000-8000-000000000003'
export const PERMISSIONS: Permissions = { contents: 'write', issues: 'write', 'pull-requests': 'write' }
export const FILE = `[\n  // The team\n  { "device": "${BOB}", "name": "Bob", "github": "bob", "channel": "beta" }\n]\n`

export const timeless = (text: string) =>
  withoutChance(text)
    .replace(/\w{3}\s\d+,\s\d{4},\s[\d:]+\sUTC/g, 'TIME')
    .replace(/<!-- state [\w-]* [0-9a-f.]+ -->/g, '<!-- state -->')

/** The issue as GitHub's form writes it. */
export const form = (answers: Record<string, string>) =>
  Object.entries({ 'Join or leave': 'Join', 'Device id': EVE, Name: "Eve's phone", ...answers })
    .map(([label, text]) => `### ${label}\n\n${text}`)
    .join('\n\n')

export async function createTeam({ inputs, ...options }: WorldOptions = {}): Promise<World> {
  const world = await createBuiltWorld({
    role: 'app_admin',
    permissions: PERMISSIONS,
    ...options,
    files: { 'testers.json': FILE, ...options.files },
    inputs: { operation: 'enroll', 'join-channels': 'beta', ...inputs },
  })
  world.hosted.collaborators.add('lead')
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
export async function ask(
  world: World,
  answers: Record<string, string> = {},
  { number = 45, author = 'eve', body }: Ask = {},
) {
  const { hosted } = world
  hosted.addIssue({ number, author, body: body ?? form(answers), title: 'A tester' })
  return happen(world, 'opened', number)
}

/** The state of an issue. */
export function happen(
  world: World,
  action: Parameters<typeof issuesEvent>[0],
  number = 45,
  more: { sender?: string; body?: string; run?: WorldRun } = {},
) {
  const { author, body } = world.hosted.issues.get(number)!
  const options = { number, author, body: more.body ?? body ?? '', sha: world.repo.shaOf('main') }
  return world.run(issuesEvent(action, { ...options, actor: more.sender ?? author }), more.run ?? {})
}

export function edit(world: World, answers: Record<string, string>, more: { sender?: string } = {}) {
  world.hosted.issues.get(45)!.body = form(answers)
  return happen(world, 'edited', 45, more)
}

export const commentsOn = ({ hosted }: World, number = 45) =>
  hosted.commentsOf(number).map(({ body }) => timeless(body))
export const fileOn = ({ repo }: World, branch: string) => repo.git(['show', `${branch}:testers.json`])
export const branches = ({ repo }: World) =>
  repo.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads']).split('\n').sort()
export const pulls = ({ hosted }: World) => [...hosted.issues.values()].filter(({ pull }) => pull !== null)
export const followUp = (world: World) => world.run(scheduleEvent({ sha: world.repo.shaOf('main') }))

/** Somebody closes the issue. */
export function close(world: World, number = 45, by = world.hosted.issues.get(number)!.author) {
  world.hosted.closeIssue(number, by)
  return happen(world, 'closed', number, { sender: by })
}

/** A lead merges the pull request. */
export function merge(world: World, number = 46) {
  const { repo, hosted } = world
  repo.git(['reset', '--quiet', '--hard', 'main'])
  repo.merge(hosted.pull(number).pull.head.ref)
  hosted.closePull(number, { merged: true })
}

export function channelOf({ capgo }: World, device: string): string | undefined {
  const row = capgo.store.find('channel_devices', { app_id: APP_ID, device_id: device })
  return row && capgo.store.find('channels', { id: row.channel_id })?.name
}
