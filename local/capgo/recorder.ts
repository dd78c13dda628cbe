import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request as the server saw it. Keys are shortened in `headers`; `body` is set for JSON only. */
export interface RecordedRequest {
  n: number
  method: string
  /** When its headers arrived, ISO 8601 on the server's clock. */
  at: string
  /** With the query string. */
  path: string
  host?: string
  /** Answered status; 0 while in progress and for requests whose connection was cut. */
  status: number
  requestBytes: number
  responseBytes: number
  headers: Record<string, string>
  body?: unknown
}

/** JSON bodies above this are not kept. */
export const KEEP_BYTES = 8 * 1024 * 1024
const secret = new Set(['authorization', 'capgkey', 'x-api-key', 'apikey'])

/** Says which key it was without telling it. */
const redact = (value: string) => (value.length > 12 ? `${value.slice(0, 4)}…${value.slice(-4)}` : '…')

/** The record of a request whose headers have arrived; body bytes and answer are filled in as they come. */
export function recordRequest(
  { n, at }: Pick<RecordedRequest, 'n' | 'at'>,
  req: IncomingMessage,
  res: ServerResponse,
): RecordedRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.headers)) {
    const shown = Array.isArray(value) ? value.join(', ') : (value ?? '')
    headers[name] = secret.has(name) ? redact(shown) : shown
  }
  const record: RecordedRequest = {
    n,
    at,
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    ...(req.headers.host ? { host: req.headers.host } : {}),
    status: 0,
    requestBytes: 0,
    responseBytes: 0,
    headers,
  }
  countAnswer(record, res)
  return record
}

export function keepJson(record: RecordedRequest, bytes: Buffer): void {
  const text = bytes.toString('utf8')
  if (!/^\s*[[{]/.test(text)) return
  try {
    record.body = JSON.parse(text, (name, value) =>
      /^(capgkey|apikey)$/i.test(name) && typeof value === 'string' ? redact(value) : value,
    )
  } catch {
    // Not JSON after all: nothing is kept.
  }
}

function countAnswer(record: RecordedRequest, res: ServerResponse): void {
  const count = (chunk: unknown) => {
    if (typeof chunk === 'string') record.responseBytes += Buffer.byteLength(chunk)
    else if (chunk instanceof Uint8Array) record.responseBytes += chunk.byteLength
  }
  const write = res.write.bind(res) as (...args: unknown[]) => boolean
  const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse
  res.write = (...args: unknown[]) => {
    count(args[0])
    return write(...args)
  }
  res.end = (...args: unknown[]) => {
    count(args[0])
    return end(...args)
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether it changes something, or tries to. The calls of database functions only ask. */
export const isWrite = ({ method, path }: Pick<RecordedRequest, 'method' | 'path'>) =>
  !['GET', 'HEAD', 'OPTIONS'].includes(method) && !path.includes('/rpc/')
