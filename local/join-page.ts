/** The page of examples/join-beta in a browser, on a phone of this machine: the plugin's own code, over a bridge to it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import type { Phone } from './phone.ts'

const EXAMPLE = join(import.meta.dirname, '../examples/join-beta')

export interface JoinPage extends AsyncDisposable {
  /** `http://localhost:<port>`: what the endpoint knows as the app's origin. */
  readonly origin: string
  /** Shows the element with these attributes. `phone` null: an ordinary browser. */
  open(tab: Page, phone: Phone | null, attributes: Readonly<Record<string, string>>): Promise<void>
}

export async function serveJoinPage(): Promise<JoinPage> {
  const { outputFiles } = await build({
    entryPoints: [join(EXAMPLE, 'demo/main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    // An app has these in its own node_modules.
    nodePaths: [join(import.meta.dirname, '../node_modules')],
  })
  const script = outputFiles[0]!.text
  let element = ''
  const server = createServer((request, response) => {
    const isScript = request.url === '/main.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' })
    response.end(isScript ? script : page(element))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    origin,
    async open(tab, phone, attributes) {
      const given = Object.entries(attributes).map(([name, value]) => ` ${name}="${quoted(value)}"`)
      element = `<join-beta${given.join('')}></join-beta>`
      if (phone !== null) await connect(tab, phone)
      await tab.goto(origin)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Capacitor's bridge, as far as its core uses it; the calls end at the phone. */
async function connect(tab: Page, phone: Phone): Promise<void> {
  await tab.exposeFunction('callPhone', async (method: string, options: Record<string, unknown>) => {
    try {
      const value = await phone.call(method, options)
      // The plugin loads the page anew.
      if (method === 'reset') setTimeout(() => void tab.reload().catch(() => {}), 0)
      return { value }
    } catch (error) {
      return { error }
    }
  })
  await tab.addInitScript(`
    window.androidBridge = { postMessage() {} }
    window.Capacitor = {
      PluginHeaders: [{
        name: 'CapacitorUpdater',
        methods: ${JSON.stringify(phone.methods)}.map(name => ({ name, rtype: 'promise' })),
      }],
      nativePromise: async (plugin, method, options) => {
        const { value, error } = await window.callPhone(method, options ?? {})
        if (error) throw Object.assign(new Error(error.message), error)
        return value
      },
    }`)
}

const quoted = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

const page = (element: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Join the beta</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>
body { margin: 0; padding: 16px; min-height: 100vh; box-sizing: border-box; background: #eceff4 }
@media (prefers-color-scheme: dark) { body { background: #0d1015 } }
</style>
<script type="module" src="/main.js"></script></head>
<body><main>${element}</main></body></html>`
