export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Moves the clock and runs the asynchronous effects that became due. */
  advance(ms: number): void
}

/** With `start` the clock stands there and moves by `advance` only; without it, it is real time plus the advances. */
export function createClock(start: number | undefined, onAdvance: () => void): Clock {
  let advanced = 0
  return {
    now: () => (start ?? Date.now()) + advanced,
    advance: ms => {
      advanced += ms
      onAdvance()
    },
  }
}

/** The way PostgREST writes a timestamptz; sorts as text. */
export const pgTime = (ms: number) => new Date(ms).toISOString().replace('Z', '+00:00')
