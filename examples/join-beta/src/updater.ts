/** The plugin's calls that the component makes, by the plugin's rules. */
import { codeIn, Problem } from './problem'

/** The part of `CapacitorUpdater` that is used; the plugin itself fits. */
export interface Updater {
  getDeviceId(): Promise<{ deviceId: string }>
  getPluginVersion(): Promise<{ version: string }>
  current(): Promise<{ bundle: { version: string }; native: string }>
  /** Since 4.8.0. */
  getChannel(): Promise<{ channel?: string; status?: string; error?: string; message?: string }>
  /** Since 7.5.0, 6.14.28 and 5.43: missing in the types of older ones. */
  listChannels?(): Promise<{ channels: readonly ListedChannel[] }>
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
  /** Why nothing is known of its channels. */
  readonly trouble: unknown
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Minor version and patch of each major from which on `getChannel` stores its answer as the phone's own choice. */
const GET_CHANNEL_STORES: Readonly<Record<number, readonly [number, number]>> = {
  5: [50, 0],
  6: [50, 0],
  7: [50, 0],
  8: [47, 9],
}

/** Null in a browser: the plugin has no device id there. */
export async function readPhone(updater: Updater): Promise<Phone | null> {
  const { deviceId } = await orProblem(updater.getDeviceId())
  if (!UUID.test(deviceId)) return null
  const [{ version }, current] = await Promise.all([
    orProblem(updater.getPluginVersion()),
    orProblem(updater.current()),
  ])
  return {
    device: deviceId.toLowerCase(),
    bundle:
      current.bundle.version === 'builtin' || current.bundle.version === '' ? null : current.bundle.version,
    native: current.native,
    ...(await readChannels(updater, version)),
  }
}

/** The id is worth showing without them: offline, or where Capgo does not know the app. */
async function readChannels(
  updater: Updater,
  version: string,
): Promise<Pick<Phone, 'chosen' | 'usual' | 'choices' | 'trouble'>> {
  try {
    const listed = await listChannels(updater)
    const { chosen, answered } = await readChoice(updater, version, listed)
    return {
      chosen,
      usual: listed?.find(channel => channel.public)?.name ?? answered,
      choices: listed?.filter(isChoice).map(channel => channel.name) ?? null,
      trouble: null,
    }
  } catch (trouble) {
    return { chosen: null, usual: null, choices: null, trouble }
  }
}

/** `triggerAutoUpdate`: where the app updates by itself, it asks for the channel's bundle at once. */
export async function choose(updater: Updater, channel: string): Promise<void> {
  await orProblem(updater.setChannel({ channel, triggerAutoUpdate: true }))
}

/** `isUpdated`: the app asks at once for the bundle that everybody has. */
export async function forget(updater: Updater, isUpdated: boolean): Promise<void> {
  await orProblem(updater.unsetChannel(isUpdated ? { triggerAutoUpdate: true } : {}))
}

/** The page is gone after it, so the promise does not always end. */
export async function goBack(updater: Updater): Promise<void> {
  await orProblem(updater.reset())
}

const isChoice = (channel: ListedChannel) => channel.allow_self_set && !channel.public

/** Null: the plugin has no such call. */
async function listChannels(updater: Updater): Promise<readonly ListedChannel[] | null> {
  if (updater.listChannels === undefined) return null
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
  const answer = await orProblem(updater.getChannel()).catch(error => {
    if (error instanceof Problem && error.code === 'channel_not_found') return null
    throw error
  })
  const answered = answer?.channel || null
  if (listed === null) return { chosen: answer?.status === 'override' ? answered : null, answered }
  const isChosen = listed.some(channel => channel.name === answered && isChoice(channel))
  if (!isChosen && getChannelStores(version)) await forget(updater, false)
  return { chosen: isChosen ? answered : null, answered }
}

function getChannelStores(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number)
  const [sinceMinor, sincePatch] = GET_CHANNEL_STORES[major] ?? [major > 8 ? 0 : Number.POSITIVE_INFINITY, 0]
  return minor > sinceMinor || (minor === sinceMinor && patch >= sincePatch)
}

/** The web side answers with an error instead of failing. iOS has an empty one in every good answer. */
async function orProblem<T>(call: Promise<T>): Promise<T> {
  const answer = await call.catch(error => {
    throw toProblem(error)
  })
  if ((answer as Failure | undefined)?.error) throw toProblem(answer)
  return answer
}

interface Failure {
  readonly code?: string
  readonly error?: string
  readonly message?: string
  readonly data?: { readonly error?: string; readonly message?: string }
}

/**
 * Capgo's code is `data.error` on Android, `data.message` on iOS, whose `data.error` is a kind, and the message of plugins
 * before 7.5. A call that the plugin does not have is UNIMPLEMENTED.
 */
function toProblem(failure: unknown): Problem {
  const { code, error, message, data } = (failure ?? {}) as Failure
  const text = data?.message || message || data?.error || error || String(failure)
  return new Problem(codeIn(data?.error, error, text) ?? code ?? 'unknown', text)
}
