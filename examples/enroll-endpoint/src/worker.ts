/** The endpoint on Cloudflare Workers. */
import { createApp } from './app.ts'
import { type Environment, readSettings } from './settings.ts'

/** Kept while the isolate lives: the address of the database, and that Capgo refused the key. */
let app: ReturnType<typeof createApp> | undefined

export default {
  fetch(request: Request, environment: Environment): Response | Promise<Response> {
    try {
      app ??= createApp(readSettings(environment))
    } catch (error) {
      console.error((error as Error).message)
      const message = 'The endpoint is not configured. Its log has the reason.'
      return Response.json({ error: 'not_configured', message }, { status: 500 })
    }
    return app.fetch(request)
  },
}
