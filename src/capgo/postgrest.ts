import type * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import type { Answer, Call } from './http.ts'

/** A value inside a PostgREST filter: quoted, so that commas, dots and parentheses are text. */
export function quote(value: string): string {
  return `"${value.replace(/[\\"]/g, character => `\\${character}`)}"`
}

/** Query of a PostgREST URL, percent-encoded. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}

/** The parsed body; throws `unexpected_answer` naming the field that is not as it should be. */
export function parseAnswer<T>(schema: z.ZodMiniType<T>, answer: Answer, call: Pick<Call, 'what'>): T {
  const parsed = schema.safeParse(answer.json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ActionError(
    'unexpected_answer',
    `Could not ${call.what}: Capgo's answer is not what this action knows (${issue?.path.join('.') || 'body'}: ${issue?.message}).`,
    {
      hint: 'Is api-url (database-url) a Capgo server? A newer server may need a newer version of this action.',
    },
  )
}
