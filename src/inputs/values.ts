/** One parser per kind of value in the `with:` block. */
import { normalize } from 'node:path'
import { isLocal } from '../capgo/hosts.ts'
import { InputError, inputErrors } from '../errors.ts'
import { refuseChannelName } from './channel-lines.ts'

/** Reads one input of the `with:` block; an empty string when it is not given. */
export type InputReader = (name: string) => string

/** How values are read. Errors are collected, so that a run reports all of them at once. */
export interface Reading {
  /** Without the space around it; null when it is empty. */
  text(name: string): string | null
  /** As `text`, checked: `check` throws `InputError`, which is collected. */
  checked<T extends string | null>(name: string, check: (value: string) => unknown, otherwise: T): string | T
  /** An empty value is not given: workflows pass on inputs that an event does not have. */
  boolean(name: string, otherwise: boolean): boolean
  choice<T extends string>(name: string, words: readonly T[], otherwise: T): T
  choice<T extends string>(name: string, words: readonly T[], otherwise: null): T | null
  /** The result, or `otherwise` where `work` throws an `InputError`, which is collected. */
  attempt<T>(work: () => T, otherwise: T): T
  refuse(error: InputError): void
  /** Throws `invalid_input` with everything that was refused, and with what the run would fail for next. */
  finish(others: readonly InputError[]): void
}

export function createReading(read: InputReader): Reading {
  const refused: InputError[] = []
  const text = (name: string): string | null => read(name).trim() || null
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refused.push(error)
      return otherwise
    }
  }
  return {
    text,
    attempt,
    checked(name, check, otherwise) {
      const value = text(name)
      if (value === null) return otherwise
      attempt(() => check(value), undefined)
      return value
    },
    boolean(name, otherwise) {
      const value = text(name)
      if (value === null) return otherwise
      const word = value.toLowerCase()
      if (word !== 'true' && word !== 'false')
        refused.push(
          new InputError(
            name,
            `must be true or false, not "${value}".`,
            'Correct the value in the workflow.',
          ),
        )
      return word === 'true'
    },
    choice<T extends string>(name: string, words: readonly T[], otherwise: T | null): T {
      const value = text(name)
      const word = words.find(known => known === value)
      if (value !== null && word === undefined)
        refused.push(new InputError(name, `cannot be "${value}".`, `Use ${listWords(words)}.`))
      // Null only where the caller passes null.
      return word ?? (otherwise as T)
    },
    refuse: error => refused.push(error),
    finish(others) {
      if (refused.length > 0) throw inputErrors([...refused, ...others])
    },
  }
}

/** `a, b or c`. */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

export function checkChannelName(input: string, name: string): void {
  const refusal = refuseChannelName(name)
  if (refusal !== null) throw new InputError(input, refusal.why, refusal.hint)
}

/** Tokens travel as a header. The error does not show a character of them. */
export function checkToken(input: string, token: string): void {
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new InputError(
      input,
      'contains a character that a key cannot contain: a space, a line break, or one beyond ASCII.',
      'Store only the key as the secret, without quotes, name or line break.',
    )
}

/** A path below the root of the repository. */
export function checkPath(input: string, path: string, example: string): void {
  if (path.startsWith('/') || path.split(/[\\/]/).includes('..'))
    throw new InputError(
      input,
      `"${path}" is outside of the repository.`,
      `Use the path from the root of the repository, for example "${example}".`,
    )
}

/** A path that leads out of the checkout wherever that is; links and absolute paths are checked where it is known. */
export function checkWorkingDirectory(value: string): void {
  if (normalize(value).split(/[\\/]/)[0] === '..') throw outsideCheckout(value)
}

export function outsideCheckout(directory: string): InputError {
  return new InputError(
    'working-directory',
    `"${directory}" is outside of the checkout.`,
    'Use the path of the app\'s folder from the root of the repository, for example "apps/mobile".',
    'outside_checkout',
  )
}

/** Minutes, with decimals. `most` is the largest number. */
export function checkMinutes(input: string, value: string, most: number): void {
  const minutes = /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0
  if (minutes > 0 && minutes <= most) return
  throw new InputError(
    input,
    `must be a number of minutes, not "${value}".`,
    `Use at most ${most}, for example 60. The run is stopped after that time.`,
  )
}

/** Whether this is a whole number within these bounds. */
export function isWhole(value: string, least: number, most: number): boolean {
  return /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most
}

/** A number of days, `most` at most. */
export function checkDays(input: string, value: string, most: number): void {
  if (isWhole(value, 1, most)) return
  throw new InputError(
    input,
    `must be a number of days, not "${value}".`,
    `Use a whole number from 1 to ${most}.`,
  )
}

/** A number of bundles, none included. */
export function checkCount(input: string, value: string, most: number): void {
  if (isWhole(value, 0, most)) return
  throw new InputError(
    input,
    `must be a number of bundles, not "${value}".`,
    `Use a whole number from 0 to ${most.toLocaleString('en-US')}.`,
  )
}

/** The Capgo key is sent to these hosts, so they are https, or this machine. */
export function checkUrl(input: string, value: string): void {
  const example = 'Use an address such as https://capgo.example.com/functions/v1.'
  if (!URL.canParse(value)) throw new InputError(input, `"${value}" is not a URL.`, example)
  const url = new URL(value)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url.hostname)))
    throw new InputError(
      input,
      `must be https, not "${value}".`,
      'The key would be sent unencrypted. http is allowed for localhost only.',
    )
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new InputError(input, 'cannot have a user name, a password, a query or a fragment.', example)
}
