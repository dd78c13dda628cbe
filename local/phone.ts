/** A phone with Capgo's plugin, as far as an app's page asks for it: the device id, the channel calls, and the way back. */
import semver from 'semver'
import { keepsOwnChannel } from './capgo/plugin.ts'
import { Device } from './device.ts'

export interface PhoneOptions {
  readonly capgoUrl: string
  readonly appId: string
  readonly deviceId?: string
  /** By default Android. */
  readonly platform?: 'android' | 'ios'
  readonly pluginVersion?: string
  readonly native?: string
  /** Of the bundle that runs; by default the one that the app was installed with. */
  readonly bundle?: string
  /** Of the app's Capacitor config. */
  readonly defaultChannel?: string
  readonly allowSetDefaultChannel?: boolean
}

type Json = Record<string, unknown>

/** An error as the native side hands it over: Android's has what Capgo answered as its data. */
interface Rejection {
  readonly message: string
  readonly code?: string
  readonly data?: { readonly error: string; readonly message: string }
}

/** The first version of each major that does so. */
type Since = Readonly<Record<number, string>>
/** List channels, and reject with data: before, with Capgo's error code as the message and nothing else. */
const LISTS_CHANNELS: Since = { 5: '5.43.0', 6: '6.14.28', 7: '7.5.0', 8: '8.0.0' }
const GET_CHANNEL_STORES: Since = { 5: '5.50.0', 6: '6.50.0', 7: '7.50.0', 8: '8.47.9' }
/** What iOS makes of Capgo's refusals: a kind, with the code as its message. */
const IOS_PRIVATE = /cannot_update_via_private_channel|channel_self_set_not_allowed/

export class Phone {
  readonly id: string
  bundle: string
  /** The channel that the phone names when it asks for updates; empty: none. */
  channel: string
  /** Names of the calls, in order. */
  readonly calls: string[] = []
  /** How many calls made the app ask for an update at once. */
  updates = 0
  readonly #options: PhoneOptions
  readonly #version: string

  constructor(options: PhoneOptions) {
    this.#options = options
    this.#version = options.pluginVersion ?? '8.51.23'
    this.id = options.deviceId ?? crypto.randomUUID()
    this.bundle = options.bundle ?? 'builtin'
    this.channel = options.defaultChannel ?? ''
  }

  /** The calls that the native side announces to the page; what is missing is "not implemented" there. */
  get methods(): string[] {
    const all = [
      'getDeviceId',
      'getPluginVersion',
      'current',
      'getChannel',
      'setChannel',
      'unsetChannel',
      'reset',
    ]
    return this.#is(LISTS_CHANNELS) ? [...all, 'listChannels'] : all
  }

  /** One call of the page. Throws a `Rejection`. */
  async call(method: string, options: Json): Promise<Json> {
    this.calls.push(method)
    try {
      const answer = await this.#answer(method, options)
      if (options.triggerAutoUpdate === true) this.updates++
      // iOS answers with every field, the error too.
      return this.#isIos && /^(?:get|set)Channel$/.test(method)
        ? { error: '', message: '', ...answer }
        : answer
    } catch (rejection) {
      throw this.#reject(rejection as Rejection)
    }
  }

  #reject({ message, code, data }: Rejection): Rejection {
    if (data === undefined) return { message, ...(code === undefined ? {} : { code }) }
    const said = data.error === 'network_error' ? 'Request failed: offline' : data.error
    if (!this.#is(LISTS_CHANNELS)) return { message: said }
    if (!this.#isIos) return { message, ...(code === undefined ? {} : { code }), data }
    const error = IOS_PRIVATE.test(said) ? 'channel_private' : 'request_failed'
    return { message: said, ...(code === undefined ? {} : { code }), data: { error, message: said } }
  }

  async #answer(method: string, options: Json): Promise<Json> {
    switch (method) {
      case 'getDeviceId':
        return { deviceId: this.id }
      case 'getPluginVersion':
        return { version: this.#version }
      case 'current':
        return { bundle: { id: 'x', version: this.bundle, status: 'success' }, native: this.#native }
      case 'listChannels':
        return { channels: await this.#ask('GET', 'LISTCHANNELS_FAILED') }
      case 'getChannel':
        return this.#getChannel()
      case 'setChannel':
        return this.#setChannel(String(options.channel))
      case 'unsetChannel':
        return this.#unsetChannel()
      case 'reset':
        this.bundle = 'builtin'
        return {}
      default:
        throw { message: `${method} is not implemented`, code: 'UNIMPLEMENTED' } satisfies Rejection
    }
  }

  /** The bundle that Capgo hands out to this phone, or the reason why none. */
  async askForUpdate(): Promise<string> {
    const { capgoUrl, appId } = this.#options
    const device = new Device({
      capgoUrl,
      appId,
      deviceId: this.id,
      versionBuild: this.#native,
      pluginVersion: this.#version,
      ...(this.channel === '' ? {} : { defaultChannel: this.channel }),
    })
    const answer = await device.checkForUpdate()
    return answer.kind === 'update' ? answer.version : answer.error
  }

  get #isIos(): boolean {
    return this.#options.platform === 'ios'
  }

  get #native(): string {
    return this.#options.native ?? '1.0.0'
  }

  async #getChannel(): Promise<Json> {
    const answer = (await this.#ask('PUT', 'GETCHANNEL_FAILED')) as Json
    if (this.#is(GET_CHANNEL_STORES)) this.channel = String(answer.channel)
    return answer
  }

  async #setChannel(channel: string): Promise<Json> {
    if (this.#options.allowSetDefaultChannel === false)
      throw rejection('SETCHANNEL_FAILED', 'disabled_by_config', 'setChannel is disabled by configuration')
    const answer = (await this.#ask('POST', 'SETCHANNEL_FAILED', { channel })) as Json
    if (this.#keepsChoice) this.channel = channel
    return answer
  }

  async #unsetChannel(): Promise<Json> {
    if (!this.#keepsChoice) return (await this.#ask('DELETE', 'UNSETCHANNEL_FAILED')) as Json
    this.channel = this.#options.defaultChannel ?? ''
    return { status: 'ok', message: 'Channel override removed' }
  }

  get #keepsChoice(): boolean {
    return keepsOwnChannel(this.#version)
  }

  #is(since: Since): boolean {
    const first = since[semver.major(this.#version)]
    return first !== undefined && semver.gte(this.#version, first)
  }

  /** The body that the plugin sends with each call to `/channel_self`. */
  async #ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', code: string, more: Json = {}): Promise<unknown> {
    const { capgoUrl, appId } = this.#options
    const info: Json = {
      platform: this.#options.platform ?? 'android',
      device_id: this.id,
      app_id: appId,
      custom_id: '',
      version_build: this.#native,
      version_code: '1',
      version_os: '16',
      version_name: this.bundle,
      plugin_version: this.#version,
      is_emulator: false,
      is_prod: true,
      defaultChannel: this.channel,
      ...more,
    }
    const isQuery = method === 'GET' || method === 'DELETE'
    const query = isQuery ? `?${new URLSearchParams(info as Record<string, string>)}` : ''
    const response = await fetch(`${capgoUrl}/channel_self${query}`, {
      method,
      ...(isQuery ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(info) }),
    }).catch(error => {
      throw rejection(code, 'network_error', `Request failed: ${error}`)
    })
    const answer = (await response.json()) as Json
    if (typeof answer.error === 'string')
      throw rejection(code, answer.error, String(answer.message ?? answer.error))
    return answer
  }
}

const rejection = (code: string, error: string, message: string): Rejection => ({
  message,
  code,
  data: { error, message },
})
