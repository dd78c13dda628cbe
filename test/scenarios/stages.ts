import { Device } from '../../local/device.ts'
import { dispatchEvent } from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import { APP_ID, createWorld, type World, type WorldOptions, type WorldRun } from './scenario.ts'

/** A manual run on main. */
export const dispatch = (
  world: World,
  inputs: Record<string, string>,
  more: WorldRun = {},
): Promise<ActionRun> =>
  world.run(dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.shaOf('main') }), {
    ...more,
    inputs,
  })

/** All bundles of the app, deleted ones too. */
export const bundlesOf = ({ capgo }: World) => capgo.store.list('app_versions', { app_id: APP_ID })

export const channelOf = ({ capgo }: World, name: string) => {
  const channel = capgo.store.find('channels', { app_id: APP_ID, name })
  if (channel === undefined) throw new Error(`There is no channel ${name}.`)
  return channel
}

/** The bundle that a channel serves to everybody. */
export const servedBy = (world: World, channel: string) => {
  const { version } = channelOf(world, channel)
  return version === null ? undefined : world.capgo.store.find('app_versions', { id: version })
}

/** A newly installed app that asks for a channel. */
export const deviceOn = ({ capgo }: World, defaultChannel: string, deviceId?: string) =>
  new Device({
    capgoUrl: capgo.url,
    appId: APP_ID,
    versionBuild: '1.0.0',
    defaultChannel,
    ...(deviceId === undefined ? {} : { deviceId }),
  })

/** Commits a greeting on main and publishes it. */
export async function publish(world: World, greeting: string, options: WorldRun = {}) {
  world.repo.checkout('main')
  world.repo.commit({ 'greeting.txt': `<h1>${greeting}</h1>\n` })
  return world.push('main', options)
}

/** Production serves main, development what was built on it since. */
export async function createStages(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld({ role: 'app_admin', ...options })
  await world.push('main')
  world.repo.branch('develop')
  world.repo.commit({ 'greeting.txt': '<h1>Tested</h1>\n' })
  world.story(await world.push('develop'))
  return world
}
