/** One recording: what was there before, then requests with what a real Capgo answered. */
export interface Recorded {
  readonly state: State
  /** False where a stand-in for PostgREST answered, whose `content-range` is not the real one's. */
  readonly ranges?: false
  readonly exchanges: readonly Exchange[]
}

export interface State {
  readonly channels: readonly {
    readonly name: string
    readonly id: number | null
    readonly version: number | null
    readonly public: boolean
  }[]
  readonly bundles: readonly { readonly id: number; readonly name: string }[]
  /** Keys of stored files. */
  readonly objects: readonly string[]
  /** Id of the first bundle that the recording makes. */
  readonly nextBundle: number | null
}

export interface Exchange {
  /** Which service: `api`, `supabase` (the database), `files`, `plugin` (devices), `s3`. */
  readonly host: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Bytes are `{ $binary: count, text? }`. */
  readonly body?: unknown
  /** So long after the request before. */
  readonly seconds?: number
  /** The server's queues had run once more before it. */
  readonly isRoundLater?: true
  readonly answer: Answer
}

export interface Answer {
  readonly status: number
  /** The error's code. */
  readonly error?: string
  readonly shape?: Shape
  /** Those of `ANSWER_HEADERS` that are there. */
  readonly headers: readonly string[]
  /** PostgREST's `content-range`. */
  readonly range?: string
  /** The names of rows that were asked for without an order. */
  readonly names?: readonly string[]
}

/** Names of rows that nothing but the database's own order sorts. */
export function namesOf(path: string, body: unknown): string[] | undefined {
  const url = new URL(path, 'http://capgo')
  if (!Array.isArray(body) || [...url.searchParams.keys()].some(name => name.endsWith('order')))
    return undefined
  const rows =
    url.pathname === '/rest/v1/channels'
      ? body
      : url.pathname === '/rest/v1/apps'
        ? body.flatMap(({ channels }) => channels ?? [])
        : []
  return rows.flatMap(row => (typeof row?.name === 'string' ? [row.name] : []))
}

/** Headers of answers that carry meaning. */
export const ANSWER_HEADERS = [
  'content-range',
  'location',
  'retry-after',
  'tus-extension',
  'tus-resumable',
  'upload-expires',
  'upload-length',
  'upload-offset',
  'x-ratelimit-reset',
]

/** `string`, `number`, `boolean`, `null`, `bytes`; a list as that of its first item; an object by its keys. */
export type Shape = string | readonly Shape[] | { readonly [key: string]: Shape }

export function shapeOf(value: unknown): Shape {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object') return typeof value
  if ('$binary' in value) return 'bytes'
  const entries = Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)] as const)
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** Where a shape differs from another; `null` and an empty list may stand for anything. */
export function compareShapes(expected: Shape, found: Shape, at = 'body'): string[] {
  if (expected === 'null' || found === 'null' || expected === 'bytes') return []
  if (typeof expected === 'string' || typeof found === 'string')
    return expected === found ? [] : [`${at}: ${describe(found)} instead of ${describe(expected)}`]
  if (Array.isArray(expected) || Array.isArray(found)) {
    if (!Array.isArray(expected) || !Array.isArray(found))
      return [`${at}: ${describe(found)} instead of ${describe(expected)}`]
    return expected.length === 0 || found.length === 0
      ? []
      : compareShapes(expected[0] as Shape, found[0] as Shape, `${at}[0]`)
  }
  const one = expected as { readonly [key: string]: Shape }
  const other = found as { readonly [key: string]: Shape }
  return [
    ...Object.keys(one)
      .filter(key => !(key in other))
      .map(key => `${at}.${key} is missing`),
    ...Object.keys(other)
      .filter(key => !(key in one))
      .map(key => `${at}.${key} is too much`),
    ...Object.keys(one)
      .filter(key => key in other)
      .flatMap(key => compareShapes(one[key]!, other[key]!, `${at}.${key}`)),
  ]
}

function describe(shape: Shape): string {
  return typeof shape === 'string' ? shape : Array.isArray(shape) ? 'a list' : 'an object'
}
