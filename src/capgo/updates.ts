/** Updates as a device requests and downloads them. */
import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { type Decode, hashObject, isGone, type StoredHash } from './download.ts'
import { refusal } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, unexpected } from './response.ts'

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

/** A delta file as a device is offered it. */
const OfferedFile = z.object({ file_name: z.string(), file_hash: z.string(), download_url: z.url() })
export type OfferedFile = z.infer<typeof OfferedFile>

/** What `/updates` offers: a bundle, or Capgo's own code why there is none. */
export type Offer =
  | {
      readonly kind: 'offered'
      readonly version: string
      readonly url: string
      readonly checksum: string | null
      /** Null when the bundle is not encrypted. */
      readonly sessionKey: string | null
      /** The delta files, which a device then takes instead of the zip. */
      readonly files: readonly OfferedFile[]
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
const MAX_PAUSE = 15_000
const MAX_WAIT = 180_000
const DOWNLOAD_TIMEOUT = 600_000
/** Bytes that no bundle has: servers take 1 GiB, unless they are set otherwise. */
const MAX_DOWNLOAD = 4 * 1024 * 1024 * 1024
/** Bytes of one delta file that is looked at closely. */
const MAX_FILE = 256 * 1024 * 1024

export function updates({ http, plugin }: Connection) {
  async function ask(device: AskingDevice): Promise<Offer> {
    const response = await http.send({
      purpose: 'request an update like a device',
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
    return toOffer(response)
  }

  return {
    /**
     * Asks until the bundle is offered, for three minutes at most, and returns the last offer and how long it was
     * waited, in milliseconds. A response that `isFinal` ends it at once. `onWait` is called before each pause.
     */
    async waitForOffer(
      device: AskingDevice,
      bundleName: string,
      isFinal: (offer: Offer) => boolean,
      onWait: (offer: Offer, pause: number) => void,
    ): Promise<{ readonly offer: Offer; readonly waited: number }> {
      const start = performance.now()
      let waited = 0
      for (let pause = FIRST_PAUSE; ; pause = Math.min(MAX_PAUSE, pause * 1.5)) {
        const offer = await ask(device)
        const isThere = offer.kind === 'offered' && offer.version === bundleName
        if (isThere || isFinal(offer) || waited + pause > MAX_WAIT) return { offer, waited }
        onWait(offer, pause)
        await http.sleep(pause)
        // The questions take their time too.
        waited = Math.max(waited + pause, performance.now() - start)
      }
    },

    /** The bytes that a device downloads from this address, after `decode`; null when it gets nothing. */
    hashDownload: (url: string, decode?: Decode): Promise<StoredHash | null> =>
      hashObject(
        {
          http,
          purpose: 'download the bundle like a device',
          url,
          maxBytes: MAX_DOWNLOAD,
          timeout: DOWNLOAD_TIMEOUT,
        },
        decode,
      ),

    /** A delta file as a device downloads it; null when it gets nothing. */
    async downloadFile(url: string): Promise<Buffer | null> {
      let pieces: Buffer[] = []
      const request: HttpRequest = {
        purpose: 'download a delta file like a device',
        method: 'GET',
        url,
        retry: 'repeat',
        timeout: DOWNLOAD_TIMEOUT,
        onBody: () => {
          let size = 0
          pieces = []
          return piece => {
            size += piece.length
            if (size > MAX_FILE) throw unexpected(request.purpose, 'the download does not end')
            pieces.push(piece)
          }
        },
      }
      const response = await http.send(request)
      if (isGone(response)) return null
      if (response.status !== 200) throw refusal(request.purpose, response)
      return Buffer.concat(pieces)
    },

    /** Whether a device that downloads from this address gets something. */
    async isThere(url: string): Promise<boolean> {
      const request = {
        purpose: 'check a delta file like a device',
        method: 'GET',
        url,
        headers: { range: 'bytes=0-0' },
        retry: 'repeat',
      } as const
      const response = await http.send(request)
      if (isGone(response)) return false
      if (response.status !== 206 && response.status !== 200) throw refusal(request.purpose, response)
      return true
    },
  }
}

/** Success has no `error`; anything else is refused by it, whatever the status is. */
function toOffer({ status, json, code }: HttpResponse): Offer {
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
      sessionKey: text('session_key') || null,
      files: z.array(OfferedFile).safeParse(body.manifest).data ?? [],
    }
  return { kind: 'refused', code: code || `http_${status}`, message: text('message') ?? '', version }
}
