/** Accounts on GitHub: people's, and others. */
import * as z from 'zod/mini'

export const User = z.object({ login: z.string(), type: z.nullish(z.string()) })

/** GitHub shows this account in place of everybody's that was deleted. */
const DELETED = 'ghost'

/** Login of a person; null for bots, whose login may look like one of a person, and where the account is gone. */
export function personOf(user: z.infer<typeof User> | null | undefined): string | null {
  const isPerson = user && (user.type ?? 'User') === 'User' && user.login !== DELETED
  return isPerson ? user.login : null
}
