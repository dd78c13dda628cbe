export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Moves the clock and runs the asynchronous effects that became due. */
  advance(ms: number): void
}

/**
 * With `start` the clock stands there and moves by `advance` only; without it, it is real time plus the advances.
 * `onAdvance` gets the sum of them; `advanced` is what an earlier clock had.
 */
export function createClock(
  start: number | undefined,
  onAdvance: (advanced: number) => void,
  advanced = 0,
): Clock {
  return {
    now: () => (start ?? Date.now()) + advanced,
    advance: ms => {
      advanced += ms
      onAdvance(advanced)
    },
  }
}

/** The way PostgREST writes a timestamptz; sorts as text. */
export const pgTime = (ms: number) => new Date(ms).toISOString().replace('Z', '+00:00')

export const isOlderThan = (time: string | null, now: number, ms: number) =>
  time !== null && time < pgTime(now - ms)
