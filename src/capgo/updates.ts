import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { type Decode, type Hashed, hashObject, isGone } from './download.ts'
import { refusal } from './errors.ts'
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

/** A delta file as a device is told of it. */
const OfferedFile = z.object({ file_name: z.string(), file_hash: z.string(), download_url: z.url() })
export type OfferedFile = z.infer<typeof OfferedFile>

/** What `/updates` answered: a bundle, or Capgo's own code why there is none. */
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
const LONGEST_PAUSE = 15_000
const LONGEST_WAIT = 180_000
const DOWNLOAD_TIMEOUT = 600_000
/** Bytes that no bundle has: servers take 1 GiB, unless they are set otherwise. */
const LONGEST_DOWNLOAD = 4 * 1024 * 1024 * 1024
/** Bytes of one delta file that is looked at closely. */
const LONGEST_FILE = 256 * 1024 * 1024

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
      const began = performance.now()
      let waited = 0
      for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 1.5)) {
        const offer = await ask(device)
        const isThere = offer.kind === 'offered' && offer.version === bundleName
        if (isThere || isFinal(offer) || waited + pause > LONGEST_WAIT) return { offer, waited }
        onWait(offer, pause)
        await http.sleep(pause)
        // The questions take their time too.
        waited = Math.max(waited + pause, performance.now() - began)
      }
    },

    /** What a device downloads from this address, after `decode`; null when it gets nothing. */
    hashDownload: (url: string, decode?: Decode): Promise<Hashed | null> =>
      hashObject(
        {
          http,
          what: 'download the bundle as a device would',
          url,
          longest: LONGEST_DOWNLOAD,
          timeout: DOWNLOAD_TIMEOUT,
        },
        decode,
      ),

    /** A delta file as a device downloads it; null when it gets nothing. */
    async downloadFile(url: string): Promise<Buffer | null> {
      let pieces: Buffer[] = []
      const call: Call = {
        what: 'download a delta file as a device would',
        method: 'GET',
        url,
        retry: 'repeat',
        timeout: DOWNLOAD_TIMEOUT,
        onBody: () => {
          let size = 0
          pieces = []
          return piece => {
            size += piece.length
            if (size > LONGEST_FILE) throw unexpected(call, 'the download does not end')
            pieces.push(piece)
          }
        },
      }
      const answer = await http.send(call)
      if (isGone(answer)) return null
      if (answer.status !== 200) throw refusal(call, answer)
      return Buffer.concat(pieces)
    },

    /** Whether a device that downloads from this address gets something. */
    async isThere(url: string): Promise<boolean> {
      const call = {
        what: 'look at a delta file as a device would',
        method: 'GET',
        url,
        headers: { range: 'bytes=0-0' },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (isGone(answer)) return false
      if (answer.status !== 206 && answer.status !== 200) throw refusal(call, answer)
      return true
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
      sessionKey: text('session_key') || null,
      files: z.array(OfferedFile).safeParse(body.manifest).data ?? [],
    }
  return { kind: 'refused', code: code || `http_${status}`, message: text('message') ?? '', version }
}
