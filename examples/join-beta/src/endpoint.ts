/** The team's endpoint, such as examples/enroll-endpoint: the override of this phone. */
import { Problem } from './problem.ts'

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
  if (channel === undefined) address.searchParams.set('device_id', device)
  const authorization = `Bearer ${await token()}`
  let response: Response
  try {
    response = await fetch(address, {
      method,
      headers: { authorization, ...(channel === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(channel === undefined ? {} : { body: JSON.stringify({ device_id: device, channel }) }),
    })
  } catch {
    throw new Problem('network_error', 'No connection')
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  if (response.ok) return body
  const { error, message } = body
  throw new Problem(
    typeof error === 'string' ? error : 'unknown',
    typeof message === 'string' ? message : `HTTP ${response.status}`,
    Number(response.headers.get('retry-after') ?? 0),
  )
}
