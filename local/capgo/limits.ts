// Rate limits of contract 9.6, 12.4 and 14.2. Counters live in memory, like the edge caches that hold Capgo's.
import type { Clock } from './clock.ts'
import { ApiError } from './errors.ts'

const MINUTE = 60_000
const KEY_LIMIT = 2_000
const UPLOAD_LIMIT = 20_000
const FAILED_AUTH_LIMIT = 20
const BLOCK_MS = 15 * MINUTE
const UNKNOWN_APP_LIMIT = 5
const DEVICE_IP_LIMIT = 1_000
const OPERATIONS_PER_SECOND = 5

export type DeviceOperation = 'set' | 'get' | 'delete' | 'list'

interface Counter {
  count: number
  resetAt: number
}

export class Limits {
  readonly #clock: Clock
  readonly #on: boolean
  readonly #counters = new Map<string, Counter>()

  constructor(clock: Clock, on: boolean) {
    this.#clock = clock
    this.#on = on
  }

  /** Forgets every counter. */
  clear(): void {
    this.#counters.clear()
  }

  /** Throws while the address is blocked for wrong keys; good keys are refused too. */
  checkFailedAuth(ip: string): void {
    const counter = this.#read(`auth ${ip}`)
    if (counter && counter.count >= FAILED_AUTH_LIMIT)
      throw this.#tooMany(counter.resetAt, 'too_many_failed_auth_attempts')
  }

  recordFailedAuth(ip: string): void {
    this.#count(`auth ${ip}`, BLOCK_MS, true)
  }

  /** The window slides: each request renews it, and only a minute of silence clears it. */
  checkKey(keyId: number, upload: boolean): void {
    const name = `${upload ? 'upload' : 'key'} ${keyId}`
    const counter = this.#read(name)
    if (counter && counter.count >= (upload ? UPLOAD_LIMIT : KEY_LIMIT))
      throw this.#tooMany(counter.resetAt, `api_key_${upload ? 'upload_' : ''}rate_limit_exceeded`)
    this.#count(name, MINUTE, true)
  }

  /** Device and channel calls; throws 429, or returns what must be called once the request was handled, well or not. */
  checkDevice(call: {
    appId: string
    ip: string
    deviceId?: string | undefined
    operation?: DeviceOperation
    channel?: string | undefined
  }) {
    const { appId, ip, deviceId, operation, channel } = call
    const byIp = `device-ip ${appId} ${ip}`
    const full = this.#read(byIp)
    if (full && full.count >= DEVICE_IP_LIMIT)
      throw this.#tooMany(full.resetAt, 'ip_rate_limit_exceeded', { app_id: appId })
    const byOperation = `device-op ${appId} ${deviceId} ${operation}`
    const bySet = `device-set ${appId} ${deviceId} ${channel}`
    const limited = deviceId !== undefined && operation !== undefined
    if (limited) {
      const busy = this.#read(byOperation)
      const info = { app_id: appId, device_id: deviceId }
      if (busy && busy.count >= OPERATIONS_PER_SECOND) throw this.#tooMany(busy.resetAt, undefined, info)
      const same = operation === 'set' && channel ? this.#read(bySet) : undefined
      if (same) throw this.#tooMany(same.resetAt, undefined, info)
    }
    return () => {
      this.#count(byIp, MINUTE)
      if (!limited) return
      this.#count(byOperation, 1_000)
      if (operation === 'set' && channel) this.#count(bySet, MINUTE, true)
    }
  }

  /** True when this address asked for unknown apps too often: it then gets `on_premise_app` for all apps. */
  isAppGuesser(ip: string): boolean {
    return (this.#read(`unknown-app ${ip}`)?.count ?? 0) >= UNKNOWN_APP_LIMIT
  }

  recordUnknownApp(ip: string): void {
    this.#count(`unknown-app ${ip}`, BLOCK_MS)
  }

  #read(name: string): Counter | undefined {
    if (!this.#on) return undefined
    const counter = this.#counters.get(name)
    if (counter && counter.resetAt > this.#clock.now()) return counter
    this.#counters.delete(name)
    return undefined
  }

  #count(name: string, windowMs: number, renew = false): void {
    if (!this.#on) return
    const counter = this.#read(name)
    const resetAt = this.#clock.now() + windowMs
    if (!counter) this.#counters.set(name, { count: 1, resetAt })
    else this.#counters.set(name, { count: counter.count + 1, resetAt: renew ? resetAt : counter.resetAt })
  }

  #tooMany(resetAt: number, reason: string | undefined, info: Record<string, unknown> = {}): ApiError {
    const retryAfterSeconds = Math.max(1, Math.ceil((resetAt - this.#clock.now()) / 1000))
    const moreInfo = { ...(reason ? { reason } : {}), ...info, rateLimitResetAt: resetAt, retryAfterSeconds }
    return new ApiError(429, 'too_many_requests', 'Too many requests', moreInfo, {
      'Retry-After': String(retryAfterSeconds),
      'X-RateLimit-Reset': String(Math.ceil(resetAt / 1000)),
    })
  }
}
