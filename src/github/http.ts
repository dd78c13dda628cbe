/** How GitHub is fetched from: bounds of time and size, and where the token may go. */
import { ActionError } from '../errors.ts'

export type Fetch = typeof globalThis.fetch

/** Milliseconds for one exchange with the API. */
const TIMEOUT = 30_000
/** Bytes of a response, unpacked. A page of 100 pull requests has some 3 MB; a file of the repository may be long. */
const MAX_RESPONSE = 32 * 1024 * 1024
const MAX_REDIRECTS = 3

/**
 * Fetches from GitHub's API with bounds of time and size. The token goes to the API's own origin and nowhere else:
 * a repository that was renamed redirects there, any other redirect is refused. Throws `redirect_refused`,
 * `response_too_long`; anything else that is thrown means that there was no response, or that `stop` was aborted.
 */
export function boundedFetch(fetch: Fetch, apiUrl: string, stop: AbortSignal): Fetch {
  const { origin } = new URL(apiUrl)

  return async (address, init = {}) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT)])
    let url = new URL(String(address))
    for (let redirects = 0; ; redirects++) {
      if (url.origin !== origin) throw elsewhere(url.origin)
      const response = await fetch(url.href, { ...init, redirect: 'manual', signal })
      const { status, headers } = response
      const location = status >= 300 && status < 400 ? headers.get('location') : null
      if (location === null || init.redirect === 'manual')
        return new Response(await readBounded(response), { status, headers })
      await response.body?.cancel()
      const next = URL.parse(location, url.href)
      const keepsItsMethod = status === 307 || status === 308 || (init.method ?? 'GET') === 'GET'
      if (next === null || !keepsItsMethod || redirects === MAX_REDIRECTS)
        throw elsewhere(next?.origin ?? 'an invalid address')
      url = next
    }
  }
}

/** Null for the statuses that have no body. */
async function readBounded({ status, body }: Response): Promise<Blob | null> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const piece of body ?? []) {
    size += piece.length
    // Leaving the loop ends the stream and with it the connection.
    if (size > MAX_RESPONSE)
      throw new ActionError(
        'response_too_long',
        `A response of GitHub has more than ${MAX_RESPONSE / 1024 / 1024} MiB.`,
        {
          hint: 'GitHub never sends that much. Check for a proxy, and that GITHUB_API_URL is a GitHub API.',
        },
      )
    pieces.push(piece as Uint8Array<ArrayBuffer>)
  }
  return [204, 205, 304].includes(status) ? null : new Blob(pieces)
}

function elsewhere(origin: string): ActionError {
  return new ActionError('redirect_refused', `GitHub's API redirects to another address (${origin}).`, {
    hint: 'The token is sent only to GITHUB_API_URL. Check for a proxy, and that GITHUB_API_URL is a GitHub API.',
  })
}
