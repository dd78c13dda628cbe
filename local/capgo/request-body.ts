// The body of a request on its way in, where a fault can strike.
import type { IncomingMessage } from 'node:http'
import type { Fault } from './faults.ts'
import { KEEP_BYTES, keepJson, type RecordedRequest } from './recorder.ts'

/**
 * Watches the body on its way in. A fault `middle` lets `afterBytes` through and then strikes: the connection is cut,
 * or the body pauses, or it ends early (and the caller answers with the fault's status).
 */
export function watchBody(
  record: RecordedRequest,
  req: IncomingMessage,
  fault: Fault | undefined,
  cut: () => void,
): void {
  const declared = Number(req.headers['content-length'] ?? 0)
  let left = fault ? (fault.afterBytes ?? Math.floor(declared / 2)) : Number.POSITIVE_INFINITY
  const isBinary = /octet-stream|zip/.test(req.headers['content-type'] ?? '')
  let kept: Buffer[] | undefined = isBinary ? undefined : []
  const push = req.push.bind(req)
  const through = (chunk: Buffer | null) => {
    if (chunk === null) {
      if (kept?.length) keepJson(record, Buffer.concat(kept))
      return push(null)
    }
    record.requestBytes += chunk.length
    if (record.requestBytes > KEEP_BYTES) kept = undefined
    kept?.push(chunk)
    return push(chunk)
  }

  let waiting: (Buffer | null)[] | undefined
  let over = false
  req.push = (chunk: Buffer | null) => {
    if (over) return true
    if (waiting) return waiting.push(chunk) > 0
    if (chunk === null || chunk.length < left) {
      left -= chunk?.length ?? 0
      return through(chunk)
    }
    const rest = chunk.subarray(left)
    const result = left > 0 ? through(chunk.subarray(0, left)) : true
    left = Number.POSITIVE_INFINITY
    if (typeof fault!.do === 'object' && 'stallMs' in fault!.do) {
      waiting = [rest]
      setTimeout(() => {
        const chunks = waiting!
        waiting = undefined
        for (const held of chunks) through(held)
      }, fault!.do.stallMs)
      return result
    }
    if (fault!.do === 'drop') {
      over = true
      whenRead(req, cut)
      return result
    }
    if (typeof fault!.do === 'function') {
      waiting = [rest]
      const act = async () => (fault!.do as (request: RecordedRequest) => void)(record)
      void act().then(
        () => {
          const chunks = waiting!
          waiting = undefined
          for (const held of chunks) through(held)
        },
        () => whenRead(req, cut),
      )
      return result
    }
    over = true
    through(null)
    return result
  }
}

/** The part that arrived is handed on before the cut is felt, unless nobody reads it. */
function whenRead(req: IncomingMessage, cut: () => void, tries = 100): void {
  if (req.readableLength === 0 || tries === 0) setImmediate(cut)
  else setTimeout(whenRead, 2, req, cut, tries - 1)
}
