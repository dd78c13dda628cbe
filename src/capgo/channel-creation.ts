/** Makes channels. */
import * as z from 'zod/mini'
import { bundleVanished, channels, NO_SUCH_BUNDLE } from './channels.ts'
import type { Connection } from './connection.ts'
import { permissionMissing, refusal } from './errors.ts'
import { ConnectionError } from './exchange.ts'
import { type HttpResponse, parseResponse } from './response.ts'
import type { Rest } from './rest.ts'

/** Fields of `POST /channel`, spelt as that route takes them; others it ignores in silence. */
interface ChannelFields {
  readonly public?: boolean
  readonly allow_device_self_set?: boolean
  readonly disableAutoUpdate?: 'major' | 'minor' | 'patch' | 'version_number' | 'none'
  readonly disableAutoUpdateUnderNative?: boolean
  readonly allow_dev?: boolean
  readonly allow_emulator?: boolean
}

export interface NewChannel {
  readonly appId: string
  readonly name: string
  /** The bundle that it serves. */
  readonly bundleName: string
  readonly fields: ChannelFields
}

/** Attempts to create a channel when it is unknown whether the last one worked. */
const MAX_ATTEMPTS = 3

const Created = z.object({ id: z.optional(z.number()) })

export function channelCreation({ http, api, key }: Connection, rest: Rest) {
  const { readChannel } = channels(rest)

  return {
    /**
     * Makes a channel that serves a bundle, in one transaction, and returns its id. Null when somebody else made it at
     * the same moment, or the response was lost: the caller reads the channel and decides.
     */
    async createChannel({ appId, name, bundleName, fields }: NewChannel): Promise<number | null> {
      const request = {
        purpose: `make channel ${name}`,
        method: 'POST',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: name, version: bundleName, ...fields },
        retry: 'once',
      } as const
      for (let attempts = 1; ; attempts++) {
        const response = await http.send(request).catch((error: unknown) => {
          if (error instanceof ConnectionError) return null
          throw error
        })
        if (response?.status === 200) return parseResponse(Created, response, request.purpose).id ?? null
        if (response !== null && !isUnclear(response)) throw refused(response, name, fields)
        if (attempts === MAX_ATTEMPTS) return null
        await http.pause(request, response, attempts)
        if ((await readChannel(appId, name)) !== null) return null
      }
    },
  }
}

/** Two that make the same channel at once: a unique violation, reported as either of these. */
function isUnclear({ status, code }: HttpResponse): boolean {
  if (code === NO_SUCH_BUNDLE || code === 'cannot_access_app') return false
  return code === 'cannot_set_bundle_to_channel' || status >= 500
}

function refused(response: HttpResponse, name: string, fields: ChannelFields): Error {
  if (response.code === NO_SUCH_BUNDLE) return bundleVanished(name)
  if (response.code !== 'cannot_access_app') return refusal(`make channel ${name}`, response)
  // The key may make channels, that was asked before. Newer servers want more for a public one.
  return fields.public
    ? permissionMissing(`create the public channel ${name}`, 'app.update_settings', response)
    : permissionMissing(`read channel ${name}, which exists`, 'app.read_channels', response)
}
