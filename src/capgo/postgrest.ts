import type * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import type { Answer, Call } from './http.ts'

/** Rows that a default PostgREST of Capgo's gives at most of one list, embedded ones too. */
export const PAGE = 1000

/** A value inside a PostgREST filter: quoted, so that commas, dots and parentheses are text. */
export function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, character => `\\${character}`)}"`
}

/** A list for the filter `in`; device ids and other plain words need no quotes, which make an address long. */
export function list(values: readonly (string | number)[]): string {
  return `in.(${values.map(value => (/^[\w-]+$/.test(String(value)) ? value : quote(String(value)))).join(',')})`
}

/** Query of a PostgREST URL, percent-encoded; half a surrogate pair, which has no encoding, as U+FFFD. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&')
}

/** The parsed body; throws `unexpected_answer` naming the field that is not as it should be. */
export function parseAnswer<T>(schema: z.ZodMiniType<T>, answer: Answer, call: Pick<Call, 'what'>): T {
  const parsed = schema.safeParse(answer.json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(
    call,
    answer.json === undefined ? 'it is no JSON' : `${issue?.path.join('.') || 'body'}: ${issue?.message}`,
  )
}

/** An answer that no Capgo server gives. */
export function unexpected(call: Pick<Call, 'what'>, why: string): ActionError {
  return new ActionError(
    'unexpected_answer',
    `Could not ${call.what}: Capgo's answer is not what this action knows (${why}).`,
    {
      hint: 'Is api-url (database-url) a Capgo server? A newer server may need a newer version of this action.',
    },
  )
}
