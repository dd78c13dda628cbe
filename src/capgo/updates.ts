import { createHash } from 'node:crypto'
import type { Connection } from './connection.ts'
import type { Answer, Call } from './http.ts'
import { unexpected } from './postgrest.ts'

/** An app on a device, as it asks for updates. */
export interface AskingDevice {
  readonly appId: string
  /** A UUID. */
  readonly deviceId: string
  readonly platform: 'ios' | 'android' | 'electron'
  /** The app's native version, as in the stores. */
  readonly native: string
  /** The channel that the app chooses itself. */
  readonly channel: string
}

/** What `/updates` answered: a bundle, or Capgo's own code why there is none. */
export type Offer =
  | {
      readonly kind: 'offered'
      readonly version: string
      readonly url: string
      readonly checksum: string | null
      readonly encrypted: boolean
      /** Delta files that it would be told of. */
      readonly files: number
    }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly message: string
      readonly version: string | null
    }

/** The plugin that we say to be: one that chooses its channel itself and takes what today's devices take. */
const PLUGIN_VERSION = '8.51.14'
/** Milliseconds. Capgo's replicas and caches take up to two minutes. */
const FIRST_PAUSE = 2_000
const LONGEST_PAUSE = 15_000
const LONGEST_WAIT = 180_000
const DOWNLOAD_TIMEOUT = 600_000
/** Bytes that no bundle has: servers take 1 GiB, unless they are set otherwise. */
const LONGEST_DOWNLOAD = 4 * 1024 * 1024 * 1024

export function updates({ http, plugin }: Connection) {
  async function ask(device: AskingDevice): Promise<Offer> {
    const answer = await http.send({
      what: 'ask for an update as a device would',
      method: 'POST',
      url: `${plugin}/updates`,
      // No key: devices have none.
      json: {
        app_id: device.appId,
        device_id: device.deviceId,
        platform: device.platform,
        version_build: device.native,
        version_name: 'builtin',
        version_code: '1',
        version_os: '1',
        plugin_version: PLUGIN_VERSION,
        is_emulator: false,
        is_prod: true,
        defaultChannel: device.channel,
      },
      retry: 'repeat',
    })
    return toOffer(answer)
  }

  return {
    /**
     * Asks until the bundle is offered, for three minutes at most, and returns the last answer and how long it was
     * waited, in milliseconds. An answer that `isFinal` ends it at once. `onWait` is told before each pause.
     */
    async waitForOffer(
      device: AskingDevice,
      bundleName: string,
      isFinal: (offer: Offer) => boolean,
      onWait: (offer: Offer, pause: number) => void,
    ): Promise<{ readonly offer: Offer; readonly waited: number }> {
      let waited = 0
      for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 1.5)) {
        const offer = await ask(device)
        const isThere = offer.kind === 'offered' && offer.version === bundleName
        if (isThere || isFinal(offer) || waited + pause > LONGEST_WAIT) return { offer, waited }
        onWait(offer, pause)
        await http.sleep(pause)
        waited += pause
      }
    },

    /** SHA-256 of what a device downloads, lower-case hex, and its size; null with another status than 200. */
    async hashDownload(url: string): Promise<{ readonly sha256: string; readonly size: number } | null> {
      let hash = createHash('sha256')
      let size = 0
      const call: Call = {
        what: 'download the bundle as a device would',
        method: 'GET',
        url,
        retry: 'repeat',
        timeout: DOWNLOAD_TIMEOUT,
        onBody: () => {
          hash = createHash('sha256')
          size = 0
          return piece => {
            size += piece.length
            if (size > LONGEST_DOWNLOAD) throw unexpected(call, 'the download does not end')
            hash.update(piece)
          }
        },
      }
      const { status } = await http.send(call)
      return status === 200 ? { sha256: hash.digest('hex'), size } : null
    },
  }
}

/** Success has no `error`; everything else is told by it, whatever the status is. */
function toOffer({ status, json, code }: Answer): Offer {
  const body = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : null)
  const version = text('version')
  const url = URL.canParse(text('url') ?? '') ? text('url') : null
  if (status === 200 && code === '' && version !== null && url !== null)
    return {
      kind: 'offered',
      version,
      url,
      checksum: text('checksum'),
      encrypted: (text('session_key') ?? '') !== '',
      files: Array.isArray(body.manifest) ? body.manifest.length : 0,
    }
  return { kind: 'refused', code: code || `http_${status}`, message: text('message') ?? '', version }
}
