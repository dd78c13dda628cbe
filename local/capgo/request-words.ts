/** Requests in words: who sends one, and what it asks for. */
import { isRecord, type RecordedRequest } from './recorder.ts'

/** The sender: a run of the action by its number, a phone, or another client. */
export function senderOf({ headers, path }: RecordedRequest): string {
  const run = /^capgo-publish-action \(run (\d+)\.(\d+)\)$/.exec(headers['user-agent'] ?? '')
  if (run !== null) return `Run ${run[1]}${run[2] === '1' ? '' : `, attempt ${run[2]}`}`
  if (headers['user-agent']?.startsWith('capgo-publish-action')) return 'A run'
  return /^\/(?:functions\/v1\/)?(?:updates|stats|channel_self)\b|[?&]device_id=/.test(path)
    ? 'Phones'
    : 'Other clients'
}

interface Asked {
  /** A filter of PostgREST without its operator, or a field of the query or of the JSON body. */
  readonly value: (name: string) => string
  readonly last: string
}

/** The first that fits is taken. The path is without `/functions/v1`. */
const WORDS: readonly (readonly [request: RegExp, words: string | ((asked: Asked) => string)])[] = [
  [/^GET \/private\/config$/, 'reads the addresses of the server'],
  [/^GET \/files\/config$/, 'reads what uploads are allowed'],
  [/^GET \/files\/read\//, ({ last }) => `downloads ${last}`],
  [/^POST \/files\/upload\//, 'begins an upload'],
  [/^PATCH \/files\/upload\//, 'uploads a part of a file'],
  [/^HEAD \/files\/upload\//, 'asks how much is uploaded'],
  [/^POST \/private\/upload_link$/, ({ value }) => `asks where to upload ${value('name')}`],
  [/^PUT \/s3\//, 'uploads a file'],
  [/^POST \/private\/set_manifest$/, 'lists the delta files of a bundle'],
  [
    /^POST \/rest\/v1\/rpc\/cli_check_permission$/,
    ({ value }) => `asks for permission ${value('permission_key')}`,
  ],
  [/^POST \/rest\/v1\/rpc\//, ({ last }) => `calls the function ${last}`],
  [/^GET \/(?:app|rest\/v1\/apps)\b/, 'reads the app'],
  [
    /^GET \/(?:rest\/v1\/channels|channel)$/,
    ({ value }) => named('channel', value('name') || value('channel')),
  ],
  [
    /^DELETE \/(?:rest\/v1\/channels|channel)$/,
    ({ value }) => `deletes channel ${value('name') || value('channel') || value('id')}`,
  ],
  [
    /^POST \/channel$/,
    ({ value }) =>
      value('version') === ''
        ? `changes channel ${value('channel')}`
        : `points channel ${value('channel')} at ${value('version')}`,
  ],
  [/^POST \/rest\/v1\/app_versions$/, ({ value }) => `creates bundle ${value('name')}`],
  [/^GET \/(?:rest\/v1\/app_versions|bundle)$/, ({ value }) => named('bundle', value('name') || value('id'))],
  [/^PATCH \/rest\/v1\/app_versions$/, ({ value }) => `changes bundle ${value('name') || value('id')}`],
  [
    /^DELETE \/bundle$/,
    ({ value }) => (value('version') === '' ? 'deletes EVERY bundle' : `deletes bundle ${value('version')}`),
  ],
  [/^POST \/bundle\/metadata$/, ({ value }) => `writes the note on bundle ${value('version_id')}`],
  [/^GET \/rest\/v1\/manifest$/, 'lists the delta files of bundles'],
  [/^GET \/rest\/v1\/channel_devices$/, 'lists overrides'],
  [
    /^POST \/device$/,
    ({ value }) => `puts device ${short(value('device_id'))} on channel ${value('channel')}`,
  ],
  [/^DELETE \/device$/, ({ value }) => `removes the override of device ${short(value('device_id'))}`],
  [/^GET \/device$/, ({ value }) => named('device', short(value('device_id')))],
  [
    /^POST \/updates$/,
    ({ value }) =>
      `asks for an update: device ${short(value('device_id'))}, ${value('platform')} ${value('version_build')}, runs ${value('version_name')}`,
  ],
  [/^POST \/stats$/, ({ value }) => `reports ${value('action') || 'what it did'}`],
  [/^GET \/channel_self$/, 'lists the channels that it can choose'],
  [/^DELETE \/channel_self$/, 'leaves the channel that it chose'],
  [/^\w+ \/channel_self$/, ({ value }) => `chooses channel ${value('channel') || 'none'}`],
]

/** Empty for a request that has no words here. */
export function wordsOf({ method, path, body }: RecordedRequest): string {
  const url = new URL(path, 'http://localhost')
  const bare = url.pathname.replace(/^\/functions\/v1(?=\/)/, '').replace(/\/$/, '') || '/'
  const sent = isRecord(body) ? body : {}
  const asked: Asked = {
    value: name => (url.searchParams.get(name) ?? String(sent[name] ?? '')).replace(/^eq\./, ''),
    last: decodeURIComponent(bare.slice(bare.lastIndexOf('/') + 1)),
  }
  const words =
    WORDS.find(([request]) => request.test(`${method} ${bare}`) || request.test(`${method} ${bare}/`))?.[1] ??
    ''
  return typeof words === 'string' ? words : words(asked)
}

function named(kind: string, name: string): string {
  return name === '' || /^in\./.test(name) ? `lists ${kind}s` : `reads ${kind} ${name}`
}

const short = (id: string) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)
