// POST /stats: a sink that keeps what devices report (contract 12.9).
import { Hono } from 'hono'
import { type Body, type C, type Env, jsonBody } from './context.ts'
import { ApiError } from './errors.ts'
import { parseDevice, report, servedApp } from './plugin.ts'

export const stats = new Hono<Env>()

stats.get('/', c => c.json({ status: 'ok' }))

stats.post('/', async c => {
  const body = (await jsonBody(c)) as Body | Body[]
  if (!Array.isArray(body)) return c.json(take(c, body))
  const apps = new Set(body.map(event => event.app_id))
  if (apps.size > 1) return c.json({ error: 'mixed_app_ids', message: 'All events must be of one app' })
  const results = body.map((event, index) => {
    try {
      return { ...take(c, event), index }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 429) throw error
      return { status: 'error', index, error: error.code, message: error.message }
    }
  })
  return c.json({ status: 'ok', results })
})

function take(c: C, event: Body): { status: string; error?: string; message?: string } {
  const device = parseDevice(event)
  servedApp(c, device.app_id)
  if (!device.action) return { status: 'error', error: 'missing_action', message: 'Cannot find action' }
  report(c, device, device.action)
  return { status: 'ok' }
}
