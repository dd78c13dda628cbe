import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Limit } from './limit.ts'

/** Each is a first publish and the one after it. */
export const SERIES = {
  zip: ['zip', 'unchanged'],
  delta: ['delta, first', 'delta, one file changed'],
} as const
export type Series = keyof typeof SERIES
export type Scenario = (typeof SERIES)[Series][number]

/** One publish. The numbers are missing when the one before it failed. */
export interface Sample {
  readonly app: string
  /** Milliseconds each way. */
  readonly latency: number
  readonly scenario: Scenario
  readonly contestant: 'ours' | 'cli'
  readonly repetition: number
  readonly end: 'published' | 'unchanged' | 'failed' | 'too long'
  readonly seconds?: number
  /** Seconds. */
  readonly cpu?: number
  /** Bytes. */
  readonly memory?: number
  readonly requests?: number
  /** Bytes to Capgo, with headers. */
  readonly up?: number
  /** Requests of which each began when the one before had ended. */
  readonly roundTrips?: number
  readonly connections?: number
}

export type Limits = Limit & { readonly app: string }

/** A publish from an empty machine. */
export interface Cold {
  readonly app: string
  readonly contestant: 'ours' | 'cli'
  readonly seconds: number
  readonly cpu: number
  /** Bytes of itself that have to come first. */
  readonly downloaded: number
  readonly failed: boolean
}

export interface Measured {
  readonly samples: readonly Sample[]
  readonly limits: readonly Limits[]
  readonly colds: readonly Cold[]
}

/** What was measured, in memory and in a file where one is wanted. */
export class Results {
  readonly samples: Sample[] = []
  readonly limits: Limits[] = []
  readonly colds: Cold[] = []
  readonly #file: string | undefined

  constructor(file: string | undefined) {
    this.#file = file
    if (file !== undefined && existsSync(file))
      for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) this.#take(JSON.parse(line))
  }

  add(line: Line): void {
    this.#take(line)
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(line)}\n`)
  }

  #take(line: Line): void {
    if ('sample' in line) this.samples.push(line.sample)
    else if ('limits' in line) this.limits.push(line.limits)
    else this.colds.push(line.cold)
  }
}

export type Line = { readonly sample: Sample } | { readonly limits: Limits } | { readonly cold: Cold }
