/** Addresses of this action's documents, of the release in use. */

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

/** The heading of an error code in docs/troubleshooting.md: statuses of one server share one. */
export function headingOf(code: string): string {
  return /^(http|github)_\d{3}$/.test(code) ? `${code.slice(0, code.indexOf('_'))}_status` : code
}

function valid(text: string | undefined, pattern: RegExp): string | null {
  return text !== undefined && pattern.test(text) ? text : null
}
