/** The way out, by the proxy that the environment names, and connections that are open before they are needed. */
import type { Socket } from 'node:net'
import { Agent, buildConnector, Dispatcher, EnvHttpProxyAgent } from 'undici'
import { ActionError } from '../errors.ts'
import { parseNoProxy } from './no-proxy.ts'

/** Milliseconds that a connection waits for a request: less than after which servers close idle ones (Node's: 5 s). */
const WAITS = 3000

export interface Network {
  readonly dispatcher: Dispatcher
  /**
   * Opens so many connections to the server of this URL, for requests that will be sent side by side soon: they are
   * spared the way there and back, with TLS two. One that fails is of no consequence. Nothing behind a proxy.
   */
  warm(url: string, count: number): void
}

/** By the proxy, but for what `NO_PROXY` names. */
class ProxyOrNot extends Dispatcher {
  readonly #direct = new Agent()
  // It knows no ranges of addresses: what is asked directly is decided here.
  readonly #proxy = new EnvHttpProxyAgent({ noProxy: '' })
  readonly #isDirect: (url: URL) => boolean

  constructor(noProxy: string) {
    super()
    this.#isDirect = parseNoProxy(noProxy)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const way = this.#isDirect(new URL(String(options.origin))) ? this.#direct : this.#proxy
    return way.dispatch(options, handler)
  }

  override async close(): Promise<void> {
    await Promise.all([this.#direct.close(), this.#proxy.close()])
  }

  override async destroy(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#proxy.destroy()])
  }
}

/** Throws `proxy_invalid`. */
export function createNetwork(env: Readonly<Record<string, string | undefined>>): Network {
  const isProxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some(name => env[name])
  const open = buildConnector({})
  const waiting = new Map<string, Promise<Socket | null>[]>()

  const connect: buildConnector.connector = (options, callback) => {
    const opening = waiting.get(`${options.protocol}//${options.host}`)?.shift()
    if (opening === undefined) return open(options, callback)
    opening.then(socket => {
      if (socket === null || socket.destroyed) return open(options, callback)
      socket.ref()
      callback(null, socket)
    })
  }

  function begin({ protocol, host, hostname, port }: URL): Promise<Socket | null> {
    return new Promise(resolve => {
      open({ protocol, host, hostname, port }, (_, socket) => {
        socket?.on('error', () => {})
        // The process need not live for it.
        socket?.unref()
        resolve(socket ?? null)
      })
    })
  }

  function warm(url: string, count: number): void {
    const target = URL.parse(url)
    if (target === null || isProxied) return
    const sockets = waiting.get(target.origin) ?? []
    waiting.set(target.origin, sockets)
    const opening = Array.from({ length: count }, () => begin(target))
    sockets.push(...opening)
    setTimeout(() => {
      for (const unused of sockets.filter(socket => opening.includes(socket))) {
        sockets.splice(sockets.indexOf(unused), 1)
        unused.then(socket => socket?.destroy())
      }
    }, WAITS).unref()
  }

  try {
    const dispatcher = isProxied ? new ProxyOrNot(env.no_proxy ?? env.NO_PROXY ?? '') : new Agent({ connect })
    return { dispatcher, warm }
  } catch {
    // Not the cause: it holds the address, and with it a password.
    throw new ActionError('proxy_invalid', 'HTTPS_PROXY or HTTP_PROXY is not a valid address.', {
      hint: 'Use an address such as http://proxy.example.com:3128, in the environment of the runner or in "env:" of the step.',
    })
  }
}
