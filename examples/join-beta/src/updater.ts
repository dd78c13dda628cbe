/** The plugin's calls that the component makes, by the plugin's rules. */
import { Problem } from './problem.ts'

/** The part of `CapacitorUpdater` that is used; the plugin itself fits. */
export interface Updater {
  getDeviceId(): Promise<{ deviceId: string }>
  getPluginVersion(): Promise<{ version: string }>
  current(): Promise<{ bundle: { version: string }; native: string }>
  /** Since 4.8.0. */
  getChannel(): Promise<{ channel?: string; status?: string; error?: string; message?: string }>
  /** Since 7.5.0. */
  listChannels(): Promise<{ channels: readonly ListedChannel[] }>
  /** Since 4.7.0. */
  setChannel(options: {
    channel: string
    triggerAutoUpdate?: boolean
  }): Promise<{ error?: string; message?: string }>
  /** Since 4.7.0. */
  unsetChannel(options: { triggerAutoUpdate?: boolean }): Promise<unknown>
  reset(): Promise<void>
}

interface ListedChannel {
  readonly name: string
  readonly public: boolean
  readonly allow_self_set: boolean
}

export interface Phone {
  readonly device: string
  /** Of the bundle that runs; null: the one that the app was installed with. */
  readonly bundle: string | null
  readonly native: string
  /** A channel that was chosen on this phone. */
  readonly chosen: string | null
  /** The channel without a choice; null where nothing says so. */
  readonly usual: string | null
  /** Channels that the phone can choose; null where the plugin cannot list them. */
  readonly choices: readonly string[] | null
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** From this version on, `getChannel` stores its answer as the phone's own choice. */
const GET_CHANNEL_STORES = [8, 47, 9] as const

/** Null in a browser: the plugin has no device id there. */
export async function readPhone(updater: Updater): Promise<Phone | null> {
  const { deviceId } = await updater.getDeviceId()
  if (!UUID.test(deviceId)) return null
  const [{ version }, current] = await Promise.all([updater.getPluginVersion(), updater.current()])
  const listed = await listChannels(updater)
  const { chosen, answered } = await readChoice(updater, version, listed)
  return {
    device: deviceId.toLowerCase(),
    bundle:
      current.bundle.version === 'builtin' || current.bundle.version === '' ? null : current.bundle.version,
    native: current.native,
    chosen,
    usual: listed?.find(channel => channel.public)?.name ?? answered,
    choices: listed?.filter(isChoice).map(channel => channel.name) ?? null,
  }
}

/** `triggerAutoUpdate`: where the app updates by itself, it asks for the channel's bundle at once. */
export async function choose(updater: Updater, channel: string): Promise<void> {
  const answer = await orProblem(updater.setChannel({ channel, triggerAutoUpdate: true }))
  // Plugins before 7.34 answer with an error instead of failing.
  if (answer?.error !== undefined) throw new Problem(answer.error, answer.message ?? answer.error)
}

export async function forget(updater: Updater): Promise<void> {
  await orProblem(updater.unsetChannel({ triggerAutoUpdate: true }))
}

/** The page is gone after it, so the promise does not always end. */
export async function goBack(updater: Updater): Promise<void> {
  await orProblem(updater.reset())
}

const isChoice = (channel: ListedChannel) => channel.allow_self_set && !channel.public

/** Null: the plugin has no such call. */
async function listChannels(updater: Updater): Promise<readonly ListedChannel[] | null> {
  try {
    return (await orProblem(updater.listChannels())).channels
  } catch (error) {
    if (error instanceof Problem && error.code === 'UNIMPLEMENTED') return null
    throw error
  }
}

/**
 * Capgo answers `getChannel` with the channel that the phone names, or else with the word "production", and current
 * plugins store that answer. On an app without a channel of that name the phone would never get an update again. So what
 * is not a choice is taken back at once; a channel that the team set in the app's config comes back by itself.
 */
async function readChoice(updater: Updater, version: string, listed: readonly ListedChannel[] | null) {
  const answer = await orProblem(updater.getChannel())
  const isUnknown = answer.error === 'channel_not_found'
  if (answer.error !== undefined && !isUnknown)
    throw new Problem(answer.error, answer.message ?? answer.error)
  const answered = answer.channel ?? null
  if (listed === null) return { chosen: answer.status === 'override' ? answered : null, answered }
  const isChosen = listed.some(channel => channel.name === answered && isChoice(channel))
  if (!isChosen && isAtLeast(version, GET_CHANNEL_STORES)) await forgetQuietly(updater)
  return { chosen: isChosen ? answered : null, answered }
}

/** Without an update check. */
const forgetQuietly = (updater: Updater) => orProblem(updater.unsetChannel({}))

function isAtLeast(version: string, since: readonly number[]): boolean {
  const parts = version.split(/[.+-]/).map(Number)
  const index = since.findIndex((part, place) => (parts[place] ?? 0) !== part)
  return index === -1 || (parts[index] ?? 0) > (since[index] ?? 0)
}

/** The plugin's error: what Capgo answered is in `data`, a call that is not there is UNIMPLEMENTED. */
async function orProblem<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    const { code, data, message } = error as {
      code?: string
      data?: { error?: string; message?: string }
      message?: string
    }
    const said = data?.message ?? message ?? String(error)
    throw new Problem(data?.error ?? code ?? 'unknown', said)
  }
}
