/** The endpoint on Node. */
import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import { readSettings, type Settings } from './settings.ts'

let settings: Settings | undefined
try {
  settings = readSettings(process.env)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

if (settings !== undefined) {
  const { PORT = '8788', HOST = '127.0.0.1' } = process.env
  const server = serve(
    { fetch: createApp(settings).fetch, hostname: HOST, port: Number(PORT) },
    ({ port }) => {
      console.log(`Testers join at http://${HOST}:${port}/device`)
    },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.close())
}
