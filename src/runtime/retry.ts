/** The line of the log for what is tried again. */

/** The number of the next attempt and of all; null where time alone limits them. */
export type Attempts = readonly [next: number, of: number] | null

/** `Capgo answered 503 (read channel beta). Next try in 4 s (2 of 5).`; `pause` in milliseconds. */
export function describeRetry(failure: string, pause: number, attempts: Attempts): string {
  const seconds = pause < 950 ? (Math.max(pause, 100) / 1000).toFixed(1) : Math.ceil(pause / 1000)
  const count = attempts === null ? '' : ` (${attempts[0]} of ${attempts[1]})`
  return `${failure} Next try in ${seconds} s${count}.`
}
