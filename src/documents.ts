/** Addresses of this action's documents, of the release in use. */
import { ERROR_CODES } from './error-codes.ts'

/** The release's script puts the owner here. */
const REPOSITORY = 'OWNER/capgo-publish-action'
const REF = 'v1'

/** The full address of a page of `docs/`, such as `troubleshooting`, or of one of its headings. */
export type Documents = (page: string, heading?: string) => string

/**
 * The runner names the repository and the ref in `uses:` (https://docs.github.com/actions/reference/workflows-and-actions/variables);
 * neither is set where the action is a folder of the user's own checkout.
 */
export function documentsOf(env: Readonly<Record<string, string | undefined>>): Documents {
  const repository = valid(env.GITHUB_ACTION_REPOSITORY, /^[\w.-]+\/[\w.-]+$/)
  const ref = valid(env.GITHUB_ACTION_REF, /^[\w.-]+(?:\/[\w.-]+)*$/)
  const base =
    repository === null
      ? `https://github.com/${REPOSITORY}/blob/${REF}`
      : `https://github.com/${repository}/blob/${ref ?? REF}`
  return (page, heading) => `${base}/docs/${page}.md${heading === undefined ? '' : `#${heading}`}`
}

/** The address of an error's own heading. */
export function troubleshooting(documents: Documents, code: string): string {
  return documents('troubleshooting', headingOf(code))
}

const OWN: ReadonlySet<string> = new Set(ERROR_CODES)

/** The heading of an error code in docs/troubleshooting.md. Statuses of one server share one, as do Capgo's own codes. */
export function headingOf(code: string): string {
  if (OWN.has(code)) return code
  const server = /^(http|github)_\d{3}$/.exec(code)?.[1]
  return server === undefined ? 'capgo_code' : `${server}_status`
}

function valid(text: string | undefined, pattern: RegExp): string | null {
  return text !== undefined && pattern.test(text) ? text : null
}
