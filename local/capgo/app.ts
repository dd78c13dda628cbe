import { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import { apps } from './apps.ts'
import { bundles } from './bundles.ts'
import { channelSelf } from './channel-self.ts'
import { channels } from './channels.ts'
import type { Capgo, Env } from './context.ts'
import { devices } from './devices.ts'
import { ApiError } from './errors.ts'
import { files, s3 } from './files.ts'
import { local } from './page.ts'
import { postgrest } from './postgrest.ts'
import { isPreviewHost, servePreview } from './previews.ts'
import { privateRoutes } from './private.ts'
import { stats } from './stats.ts'
import { tries } from './tries.ts'
import { tus } from './tus.ts'
import { updates } from './updates.ts'

/** Everything hangs under this as well, as on the edge runtime. */
const MIRROR = '/functions/v1'

const isMirrored = (path: string) => path === MIRROR || path.startsWith(`${MIRROR}/`)
export const prefixOf = (path: string) => (isMirrored(path) ? MIRROR : '')

export function createApp(capgo: Capgo): Hono<Env> {
  const app = new Hono<Env>({
    getPath: request => {
      const path = getPath(request)
      const bare = path.slice(prefixOf(path).length)
      // With and without a slash at the end is the same route.
      return bare.length > 1 && bare.endsWith('/') ? bare.slice(0, -1) : bare || '/'
    },
  })

  app.use('*', async (c, next) => {
    c.set('capgo', capgo)
    c.set('requestId', crypto.randomUUID())
    capgo.store.settle()
    if (isPreviewHost(c.req.header('host'))) return servePreview(c)
    await next()
    c.header('Date', new Date(capgo.store.clock.now()).toUTCString())
    c.header('X-Worker-Source', `local-capgo-${capgo.runtime}`)
  })

  app.onError((error, c) => {
    if (error instanceof ApiError) return c.json(error.body(), error.status as 400, error.headers)
    // The service answers unforeseen errors like this. Printed, because a bug of this server looks the same.
    if (!isForeseen(error)) console.error(error)
    return c.json({ error: 'unknown_error', message: 'Unknown error', moreInfo: {} }, 500)
  })
  app.notFound(c => c.json({ error: 'not_found', message: 'Not found' }, 404))

  app.get('/ok', c => {
    const version = c.req.header('capgo_api')
    if (version !== undefined && Number.isNaN(Date.parse(version)))
      throw new ApiError(400, 'invalid_capgo_api_version', 'Invalid capgo_api version', { capgoApi: version })
    if (version !== undefined && version !== '2025-10-01')
      throw new ApiError(400, 'unsupported_capgo_api_version', 'Unsupported capgo_api version', {
        capgoApi: version,
      })
    return c.json({ status: 'ok' })
  })
  app.route('/app', apps)
  app.route('/bundle', bundles)
  app.route('/channel', channels)
  app.route('/device', devices)
  app.route('/private', privateRoutes)
  app.route('/files', tus)
  app.route('/files', files)
  app.route('/s3', s3)
  app.route('/rest/v1', postgrest)
  app.route('/updates', updates)
  app.route('/channel_self', channelSelf)
  app.route('/stats', stats)
  app.route('/', local)
  app.route('/', tries)
  return app
}

// Errors that the service lets escape on purpose-built paths (traps of contract 16.11).
const isForeseen = (error: Error) =>
  ['PgError', 'UnparseableName'].includes(error.constructor.name) ||
  error.message === 'a channel needs a name'
