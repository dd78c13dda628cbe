/** Capgo's device API: puts a device on a channel, takes it off, and looks afterwards whether that happened. */
import { Refusal } from './refusal.ts'
import { isSafe, type Settings } from './settings.ts'

/** A device as Capgo saw it last. */
export interface Seen {
  readonly platform: string
  readonly app_version: string
  readonly plugin_version: string
  readonly bundle: string
  readonly last_seen: string
}

/** The override of a device. Null as a name: the key cannot see that channel. */
interface Override {
  readonly channelId: number
  readonly channel: string | null
}

type Json = Record<string, unknown>

const TIMEOUT_MS = 10_000
/** Twenty refused keys block the address for a quarter of an hour, other people's good keys too. */
const PAUSE_AFTER_REFUSAL_MS = 60_000
/** A write is not always visible at once. */
const LOOKS = 3
const BETWEEN_LOOKS_MS = 400
const MAX_WAIT_SECONDS = 86_400

const KEY_REFUSED = () =>
  new Refusal(502, 'key_refused', 'Capgo does not accept the key of this endpoint. Set CAPGO_KEY anew.')
const missing = (permission: string) =>
  new Refusal(
    502,
    'key_permission',
    `The key of this endpoint lacks the permission ${permission}. The role app_developer has it.`,
  )

export class Capgo {
  readonly #settings: Settings
  #database: Promise<{ url: string; apikey: string }> | null = null
  #pausedUntil = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** What Capgo knows of the device, or null when the app on it never asked for an update. */
  async readSeen(device: string): Promise<Seen | null> {
    const row = await this.#callDevice('GET', device)
    if (row === null) return null
    const text = (name: string) => (typeof row[name] === 'string' ? row[name] : '')
    return {
      platform: text('platform'),
      app_version: text('version_build'),
      plugin_version: text('plugin_version'),
      bundle: text('version_name'),
      last_seen: text('updated_at'),
    }
  }

  /** The device's override. An empty answer proves nothing about the key: Capgo gives it to a wrong one too. */
  async readOverride(device: string): Promise<Override | null> {
    const [row] = await this.#queryOverrides('GET', `${this.#rowOf(device)}&select=channel_id,channels(name)`)
    if (row === undefined) return null
    const channel = (row.channels as { name?: unknown } | null)?.name
    return { channelId: Number(row.channel_id), channel: typeof channel === 'string' ? channel : null }
  }

  /** Moves the device, or renews the override that it has: an override ends by itself after a month or more. */
  async put(device: string, channel: string): Promise<void> {
    const before = await this.#readChangeable(device)
    if (before?.channel === channel) {
      await this.#renew(device, before)
      return
    }
    await this.#callDevice('POST', device, channel)
    const isThere = await this.#look(device, override => override?.channel === channel)
    if (!isThere)
      throw new Refusal(502, 'not_applied', 'Capgo answered "ok", but the device is not on the channel.')
  }

  /** Only while the device is still on that channel: the team can have moved it meanwhile. */
  async #renew(device: string, { channelId }: Override): Promise<void> {
    const row = `${this.#rowOf(device)}&channel_id=eq.${channelId}`
    const renewed = await this.#queryOverrides('PATCH', row, { channel_id: channelId })
    if (renewed.length > 0) return
    const now = await this.#readChangeable(device)
    if (now?.channelId === channelId) throw missing('channel.manage_forced_devices')
    throw new Refusal(502, 'not_applied', 'The device was moved meanwhile. Try again.')
  }

  /** Capgo answers "ok" to a key that cannot remove the override, so it is read again. */
  async remove(device: string): Promise<void> {
    await this.#readChangeable(device)
    await this.#callDevice('DELETE', device)
    if (!(await this.#look(device, override => override === null)))
      throw missing('channel.manage_forced_devices')
  }

  /** A device that the team put on another channel, such as a preview, stays there. */
  async #readChangeable(device: string): Promise<Override | null> {
    const override = await this.readOverride(device)
    if (override !== null && !this.#settings.channels.includes(override.channel ?? ''))
      throw new Refusal(
        409,
        'on_another_channel',
        `The team put this device on ${override.channel === null ? 'another channel' : `channel ${override.channel}`}. Ask them to remove it first.`,
      )
    return override
  }

  async #look(device: string, isDone: (override: Override | null) => boolean): Promise<boolean> {
    for (let look = 1; ; look++) {
      if (isDone(await this.readOverride(device))) return true
      if (look === LOOKS) return false
      await new Promise(resolve => setTimeout(resolve, BETWEEN_LOOKS_MS))
    }
  }

  /** Null: Capgo never saw the device. */
  async #callDevice(
    method: 'GET' | 'POST' | 'DELETE',
    device: string,
    channel?: string,
  ): Promise<Json | null> {
    if (Date.now() < this.#pausedUntil) throw KEY_REFUSED()
    const { appId, capgoKey, capgoUrl } = this.#settings
    const fields = { app_id: appId, device_id: device, ...(channel === undefined ? {} : { channel }) }
    const query = method === 'GET' ? `?${new URLSearchParams(fields)}` : ''
    const { status, body } = await send(`${capgoUrl}/device${query}`, {
      method,
      headers: { capgkey: capgoKey, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: JSON.stringify(fields) }),
    })
    const code = codeOf(body)
    if (status === 200 && isObject(body) && code === '') return body
    if (status === 401) this.#pausedUntil = Date.now() + PAUSE_AFTER_REFUSAL_MS
    if (code === 'device_not_found') return null
    throw refusalOf(status, code, { method, channel })
  }

  #rowOf(device: string): string {
    return `app_id=eq.${encodeURIComponent(this.#settings.appId)}&device_id=eq.${device}`
  }

  /** Only the database lists overrides; Capgo's own address says where it is. */
  async #queryOverrides(method: 'GET' | 'PATCH', query: string, change?: Json): Promise<Json[]> {
    this.#database ??= this.#findDatabase()
    const { url, apikey } = await this.#database.catch(error => {
      this.#database = null
      throw error
    })
    const { status, body } = await send(`${url}/rest/v1/channel_devices?${query}`, {
      method,
      headers: {
        apikey,
        capgkey: this.#settings.capgoKey,
        'content-type': 'application/json',
        prefer: 'return=representation',
      },
      ...(change === undefined ? {} : { body: JSON.stringify(change) }),
    })
    if (status >= 300 || !Array.isArray(body)) throw failed(status)
    return body
  }

  async #findDatabase(): Promise<{ url: string; apikey: string }> {
    const { status, body } = await send(`${this.#settings.capgoUrl}/private/config`, { method: 'GET' })
    const { supaHost, supaKey } = isObject(body) ? body : {}
    // The key goes there.
    if (status !== 200 || typeof supaHost !== 'string' || typeof supaKey !== 'string' || !isSafe(supaHost))
      throw failed(status)
    return { url: supaHost, apikey: supaKey }
  }
}

interface Answer {
  readonly status: number
  /** Null where it is not JSON. */
  readonly body: unknown
}

async function send(url: string, init: RequestInit): Promise<Answer> {
  let response: Response
  let body: unknown
  try {
    // The key never follows a redirect.
    response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    body = parse(await response.text())
  } catch {
    throw new Refusal(502, 'capgo_unreachable', 'Capgo does not answer. Try again later.')
  }
  if (response.status === 429) throw wait(response.headers.get('retry-after'))
  return { status: response.status, body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const codeOf = (body: unknown): string => (isObject(body) && body.error ? String(body.error) : '')

const failed = (status: number) =>
  new Refusal(502, 'capgo_failed', `Capgo gave an unexpected answer: HTTP ${status}. Try again later.`)

/** `Retry-After` is a number of seconds or a date. */
function wait(retryAfter: string | null): Refusal {
  const text = retryAfter ?? ''
  const given = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - Date.now()) / 1000)
  const seconds = String(given >= 0 && given < MAX_WAIT_SECONDS ? given : 60)
  return new Refusal(429, 'too_many_requests', `Capgo asks to wait ${seconds} seconds.`, {
    'Retry-After': seconds,
  })
}

function refusalOf(
  status: number,
  code: string,
  call: { method: string; channel: string | undefined },
): Refusal {
  if (status === 401) return KEY_REFUSED()
  switch (code) {
    case 'channel_not_found':
      return new Refusal(
        404,
        'unknown_channel',
        `Channel ${call.channel} does not exist in Capgo, or the key of this endpoint cannot see it.`,
      )
    case 'public_channel_override':
      return new Refusal(
        409,
        'public_channel',
        `Channel ${call.channel} is public: every device gets it. Testers join private channels only.`,
      )
    case 'cannot_access_channel':
      return missing('channel.manage_forced_devices')
    case 'cannot_access_app':
      return missing(call.method === 'GET' ? 'app.read_devices' : 'app.manage_devices')
    default:
      return failed(status)
  }
}
