import { Hono } from 'hono'
import type { Bindings } from './http.ts'

/** Where GitHub keeps artifacts: another origin, which refuses who sends a token along with the signature. */
export function createFileStore(signatures: ReadonlyMap<string, Uint8Array>): Hono<Bindings> {
  const app = new Hono<Bindings>()
  app.get('/artifacts/:file', context => {
    if (context.req.header('authorization') !== undefined)
      return context.text('InvalidAuthenticationInfo', 400)
    const bytes = signatures.get(context.req.query('sig') ?? '')
    if (bytes === undefined) return context.text('AuthenticationFailed', 403)
    return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': 'application/zip' } })
  })
  return app
}
