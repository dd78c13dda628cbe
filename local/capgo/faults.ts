import type { RecordedRequest } from './recorder.ts'

export interface FaultInput {
  match: {
    method?: string
    /** A text is compared with the path (with or without query string and `/functions/v1`); an expression with path and query. */
    path?: string | RegExp
    /** Only the nth request that matches, counted from 1 since the fault was added. */
    nth?: number
  }
  /** before: nothing happens on the server. middle: while the request's body arrives. after: the effect took place. Default before. */
  at?: 'before' | 'middle' | 'after'
  /** middle: how many bytes of the body arrive; default half of Content-Length. */
  afterBytes?: number
  do:
    | { status: number; headers?: Record<string, string>; body?: unknown }
    | 'drop'
    | { stallMs: number }
    | ((request: RecordedRequest) => void | Promise<void>)
  /** How often it strikes; default 1, Infinity for always. */
  times?: number
}

export type Fault = FaultInput & { at: 'before' | 'middle' | 'after'; seen: number; struck: number }

export interface Faults {
  /** Called for each request before it is handled, and again after handling, before the answer is sent. */
  add(fault: FaultInput): void
  clear(): void
}

export class FaultList implements Faults {
  #faults: Fault[] = []

  add(fault: FaultInput): void {
    this.#faults.push({ ...fault, at: fault.at ?? 'before', seen: 0, struck: 0 })
  }

  clear(): void {
    this.#faults = []
  }

  /** The faults that strike this request; asked once per request, so that `nth` and `times` count requests. */
  strike(request: RecordedRequest): Fault[] {
    return this.#faults.filter(fault => {
      if (!matches(fault, request)) return false
      fault.seen++
      if (fault.match.nth !== undefined && fault.seen !== fault.match.nth) return false
      if (fault.struck >= (fault.times ?? 1)) return false
      fault.struck++
      return true
    })
  }
}

function matches({ match }: FaultInput, request: RecordedRequest): boolean {
  if (match.method && match.method.toUpperCase() !== request.method) return false
  if (match.path === undefined) return true
  if (match.path instanceof RegExp)
    return new RegExp(match.path.source, match.path.flags.replace('g', '')).test(request.path)
  const bare = (path: string) => path.replace(/^\/functions\/v1/, '')
  return [request.path, bare(request.path)].some(
    path => match.path === path || match.path === path.split('?')[0],
  )
}
