/** A request to one of Capgo's servers. */
export interface HttpRequest {
  /** The purpose, for messages: "promote the bundle". */
  readonly purpose: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** A body of bytes, opened anew for each attempt. */
  readonly body?: { readonly open: () => AsyncGenerator<Uint8Array>; readonly length: number }
  /**
   * `repeat`: doing it twice does no harm, so faults are tried again. `once`: the caller finds out what a lost response
   * did; only refusals that say "not now" are tried again.
   */
  readonly retry: 'repeat' | 'once'
  /** Statuses of 500 and above that the caller understands: they are not faults here. */
  readonly expectedStatuses?: readonly number[]
  /** Milliseconds for the whole exchange. */
  readonly timeout?: number
  /** Milliseconds within which another attempt may begin, where that is less than `MAX_RETRY_TIME`. */
  readonly maxRetryTime?: number
  /**
   * Reads the body of a 2xx response piece by piece instead of `text`; called anew for each attempt. What
   * it throws ends the exchange: an `ActionError` as it is, anything else as a lost response.
   */
  readonly onBody?: () => (piece: Buffer) => void
}
