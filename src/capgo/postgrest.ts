/** How addresses of PostgREST are written. */

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

/** The values in groups that fit into one address: a URL of 8 kB is the usual limit. */
export function inGroups<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  )
}

/** Query of a PostgREST URL, percent-encoded; half a surrogate pair, which has no encoding, as U+FFFD. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&')
}
