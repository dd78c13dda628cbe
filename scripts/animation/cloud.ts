/** The addresses of Capgo's cloud on this machine: a proxy that answers for `*.capgo.app` with the local Capgo. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface LocalCloud extends AsyncDisposable {
  /** Variables that lead a step here. */
  readonly env: Readonly<Record<string, string>>
}

/** A comment for Capgo's cloud differs from one for a server of one's own, so the run has to see the cloud's addresses. */
export async function startCloud(capgoUrl: string): Promise<LocalCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'local-cloud-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const names = 'subjectAltName=DNS:*.capgo.app'
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const about = ['-nodes', '-days', '2', '-subj', '/CN=local cloud', '-addext', names]
  execFileSync('openssl', ['req', '-x509', ...curve, ...about, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })

  const identity = { key: readFileSync(key), cert: readFileSync(cert) }
  // Authorities that this machine needs for other hosts stay in force.
  const known = process.env.NODE_EXTRA_CA_CERTS
  if (known !== undefined) appendFileSync(cert, readFileSync(known))

  const secure = createSecureServer(identity, (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', capgoUrl)
    const passed = send(url, { method: incoming.method, headers: { ...incoming.headers, host: url.host } })
    passed.on('response', answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  const proxy = createServer()
  proxy.on('connect', ({ url = '' }, socket) => {
    const [host = '', port] = url.split(':')
    // Other hosts, such as that of packages, are reached directly.
    const target = host.endsWith('.capgo.app')
      ? connect(portOf(secure), '127.0.0.1')
      : connect(Number(port), host)
    target.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    target.on('error', () => socket.destroy())
    socket.on('error', () => target.destroy())
  })
  for (const server of [secure, proxy]) await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
      NO_PROXY: '127.0.0.1,localhost',
      NODE_EXTRA_CA_CERTS: cert,
    },
    async [Symbol.asyncDispose]() {
      proxy.close()
      secure.close()
      secure.closeAllConnections()
      rmSync(folder, { recursive: true })
    },
  }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port
