/** The endpoint: POST, DELETE and GET /device. */
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { type Allow, chooseDoor } from './allow.ts'
import { Capgo } from './capgo.ts'
import { Refusal } from './refusal.ts'
import type { Settings } from './settings.ts'

const LARGEST_BODY = 1024
const DEVICE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function createApp(settings: Settings, allow: Allow = chooseDoor(settings)): Hono {
  const { channels, origins } = settings
  const capgo = new Capgo(settings)
  const app = new Hono()

  app.onError((error, c) => {
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(500, 'internal', 'The endpoint failed. Its log has the reason.')
    if (refusal !== error) console.error(error)
    for (const [name, value] of Object.entries(refusal.headers)) c.header(name, value)
    return c.json({ error: refusal.code, message: refusal.message }, refusal.status as 400)
  })
  app.notFound(c => c.json({ error: 'not_found', message: 'Use POST, DELETE or GET /device.' }, 404))

  app.use(async (c, next) => {
    const origin = c.req.header('origin')
    if (origin !== undefined && !origins.includes(origin))
      throw new Refusal(403, 'origin_not_allowed', 'This origin is not in ORIGINS.')
    await next()
  })
  app.use(
    cors({
      origin: [...origins],
      allowMethods: ['GET', 'POST', 'DELETE'],
      allowHeaders: ['Authorization', 'Content-Type'],
      exposeHeaders: ['Retry-After'],
      maxAge: 600,
    }),
  )
  app.use(async (c, next) => {
    await allow(c.req.raw)
    await next()
    c.header('Cache-Control', 'no-store')
  })
  app.post('/device', async c => {
    const { device, channel } = await readRequest(c, channels)
    if (channel === null) await capgo.remove(device)
    else await capgo.put(device, channel)
    return c.json({ device_id: device, channel })
  })

  app.delete('/device', async c => {
    const device = readDevice(c.req.query('device_id'))
    await capgo.remove(device)
    return c.json({ device_id: device, channel: null })
  })

  app.get('/device', async c => {
    const device = readDevice(c.req.query('device_id'))
    const seen = await capgo.readSeen(device)
    const override = await capgo.readOverride(device)
    return c.json({ device_id: device, channel: override?.channel ?? null, channels, seen })
  })

  return app
}

/** `channel: null` leaves, as Capgo's guide has it; Capgo itself answers "ok" to that and does nothing. */
async function readRequest(c: Context, channels: readonly string[]) {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    throw new Refusal(415, 'not_json', 'Send the body as application/json.')
  const body = parse(await readText(c.req.raw))
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(
      400,
      'invalid_json',
      'The body must be an object: { "device_id": "…", "channel": "…" }.',
    )
  if ('version_id' in body)
    throw new Refusal(
      400,
      'version_id_gone',
      'Capgo does not put a device on a single version any more. Put the bundle on a private channel, and the device on that channel: { "device_id": "…", "channel": "…" }.',
    )
  const unknown = Object.keys(body).find(key => key !== 'device_id' && key !== 'channel')
  if (unknown !== undefined)
    throw new Refusal(400, 'unknown_key', 'The body has a key besides device_id and channel.')
  const { device_id, channel } = body as { device_id?: unknown; channel?: unknown }
  const device = readDevice(device_id)
  if (channel === null) return { device, channel }
  if (typeof channel !== 'string' || channel === '')
    throw new Refusal(
      400,
      'missing_channel',
      `Name the channel: ${channels.join(', ')}. To leave, send DELETE, or null as the channel.`,
    )
  if (!channels.includes(channel))
    throw new Refusal(
      403,
      'channel_not_allowed',
      `Testers can join ${channels.join(', ')} here, nothing else.`,
    )
  return { device, channel }
}

/** A body says how large it is, or does not: what counts is what arrives. */
async function readText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for (const reader = body?.getReader(); reader !== undefined; ) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size > LARGEST_BODY) {
      await reader.cancel()
      throw new Refusal(413, 'too_large', `The body is larger than ${LARGEST_BODY} bytes.`)
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'invalid_json', 'The body is not valid JSON.')
  }
}

/** iOS reports ids in upper case in some versions; Capgo keeps them in lower case. */
function readDevice(value: unknown): string {
  const device = typeof value === 'string' ? value.toLowerCase() : ''
  if (!DEVICE_ID.test(device))
    throw new Refusal(
      400,
      'invalid_device_id',
      'device_id must be what CapacitorUpdater.getDeviceId() returns, such as 0a1b2c3d-1111-4222-8333-444455556666.',
    )
  return device
}
