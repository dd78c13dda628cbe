/** The team's endpoint, such as examples/enroll-endpoint: the override of this phone. */
import { Problem } from './problem'

export interface Enrolment {
  /** The channel that the team's key put the phone on. */
  readonly channel: string | null
  /** Channels to join. */
  readonly channels: readonly string[]
}

/** The address of the endpoint, and the token of the person, read anew for each request. */
export interface Endpoint {
  readonly url: string
  readonly token: () => string | Promise<string>
}

const TIMEOUT_MS = 15_000

export async function readEnrolment(endpoint: Endpoint, device: string): Promise<Enrolment> {
  const { channel, channels } = await call(endpoint, 'GET', device)
  return {
    channel: typeof channel === 'string' ? channel : null,
    channels: Array.isArray(channels) ? channels.filter(name => typeof name === 'string') : [],
  }
}

export async function enroll(endpoint: Endpoint, device: string, channel: string): Promise<void> {
  await call(endpoint, 'POST', device, channel)
}

export async function withdraw(endpoint: Endpoint, device: string): Promise<void> {
  await call(endpoint, 'DELETE', device)
}

async function call(
  { url, token }: Endpoint,
  method: string,
  device: string,
  channel?: string,
): Promise<Record<string, unknown>> {
  const address = new URL(url, document.baseURI)
  if (address.protocol === 'http:' && !/^(?:localhost|127\.0\.0\.1)$/.test(address.hostname))
    throw new Problem('unsafe', 'The address of the endpoint must begin with https://.')
  if (channel === undefined) address.searchParams.set('device_id', device)
  const authorization = `Bearer ${await token()}`
  let response: Response
  try {
    response = await fetch(address, {
      method,
      redirect: 'error',
      headers: { authorization, ...(channel === undefined ? {} : { 'content-type': 'application/json' }) },
      // Web views of 2022 on have it.
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
      ...(channel === undefined ? {} : { body: JSON.stringify({ device_id: device, channel }) }),
    })
  } catch {
    throw new Problem('network_error', 'No connection')
  }
  const body = ((await response.json().catch(() => null)) ?? {}) as Record<string, unknown>
  const { device_id, error, message } = body
  if (response.ok && device_id === device) return body
  // A hotel's page to sign in answers everything.
  if (response.ok) throw new Problem('network_error', 'Not the answer of the endpoint')
  throw new Problem(
    typeof error === 'string' ? error : 'unknown',
    typeof message === 'string' ? message : `HTTP ${response.status}`,
    Number(response.headers.get('retry-after') ?? 0),
  )
}
