import semver from 'semver'
import { readBuildVariables, type Variables } from './build-variables.ts'
import { CLOUD, isLocal } from './capgo/hosts.ts'
import { InputError } from './errors.ts'
import type { ChannelMapping } from './plan/channel.ts'
import type { DeltaMode } from './plan/delta.ts'
import type { AssignRule, Prune } from './plan/testers.ts'
import type { OnIncompatible } from './plan/types.ts'
import { readToolkitInputs, type ToolkitInputs } from './toolkit-inputs.ts'

/** Reads one input of the `with:` block; an empty string when it is not given. */
export type InputReader = (name: string) => string

export interface Hosts {
  /** No trailing slash, all of them. */
  readonly api: string
  readonly files: string
  /** Origin and publishable key of the database's REST service; null = ask the API. */
  readonly database: { readonly url: string; readonly key: string } | null
  /** Null = no links. */
  readonly console: string | null
  /** Where devices ask for updates. */
  readonly plugin: string
}

export interface Inputs extends ToolkitInputs {
  /** Empty when the workflow has no such secret (forks, Dependabot, a typo). */
  readonly capgoToken: string
  /** Minutes for the whole run. */
  readonly timeout: number
  readonly channels: readonly ChannelMapping[]
  readonly channel: string | null
  readonly version: string | null
  readonly nativeVersion: string | null
  readonly workingDirectory: string
  readonly appId: string | null
  readonly webDir: string | null
  readonly build: boolean
  readonly buildScript: string
  /** For install, build and Capacitor config, besides the environment that all children get. */
  readonly buildVariables: Variables
  readonly checkNotifyAppReady: boolean
  readonly dryRun: boolean
  /** Whether files are stored one by one too, so that devices download what changed. */
  readonly delta: DeltaMode
  /** PEM, base64 of it, or a path; empty = the bundle is not encrypted. */
  readonly privateKey: string
  /** Null = `fail`, for previews `warn`. */
  readonly onIncompatible: OnIncompatible | null
  /** The lowest native version that may take the bundle; null = what the channel's policy needs. */
  readonly minUpdateVersion: string | null
  readonly sourceMaps: 'keep' | 'drop' | 'artifact'
  /** Name of the artifact that keeps them; null = one of app and bundle. */
  readonly sourceMapsArtifact: string | null
  /** Null = as the repository is set. */
  readonly sourceMapsRetentionDays: number | null
  /** Name of a pull request's channel; `{number}` and `{branch}` stand for those. */
  readonly previewChannel: string
  /** Only pull requests with this label get a preview. */
  readonly previewLabel: string | null
  readonly comment: boolean
  readonly deployments: boolean
  /** Name of the artifact that holds the web build of the run that this one follows. */
  readonly artifact: string
  /** From the root of the repository; null = `testers.json` where there is one. */
  readonly testersFile: string | null
  /** Null = as the file suggests. */
  readonly assignTesters: readonly AssignRule[] | null
  readonly prune: Prune
  /** Key for overrides; empty = `capgoToken`. */
  readonly devicesToken: string
  readonly hosts: Hosts
  readonly githubToken: string
}

/** Our own rule: Capgo takes any name, but commas, slashes and spaces break its CLI and URLs. */
const CHANNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Capgo's own rule for app ids. */
export const APP_ID = /^[a-z0-9]+(\.[\w-]+)+$/i

/**
 * All inputs, checked. Throws `InputError` naming the input for the first value that cannot be used; nothing
 * is coerced in silence.
 */
export function readInputs(read: InputReader): Inputs {
  const text = (name: string): string | null => read(name).trim() || null
  const channel = text('channel')
  if (channel !== null) checkChannelName('channel', channel)
  const version = text('version')
  if (version !== null) checkVersion(version)
  const appId = text('app-id')
  if (appId !== null && !APP_ID.test(appId))
    throw new InputError('app-id', `"${appId}" is not an app id.`, 'App ids look like com.example.app.')
  const nativeVersion = text('native-version')
  if (nativeVersion !== null && !/^\d+(\.\d+(\.\d+(-[0-9A-Za-z.-]+)?)?)?$/.test(nativeVersion))
    throw new InputError(
      'native-version',
      `"${nativeVersion}" is not a version that Capgo can compare.`,
      'Give the version as in the stores: 1, 1.2 or 1.2.3.',
    )
  const minUpdateVersion = text('min-update-version')
  if (minUpdateVersion !== null && semver.valid(minUpdateVersion) !== minUpdateVersion)
    throw new InputError(
      'min-update-version',
      `"${minUpdateVersion}" is not a semantic version.`,
      'Give the lowest native version that may take the bundle: MAJOR.MINOR.PATCH.',
    )
  const channels = readChannels(read('channels'))
  return {
    capgoToken: readToken(read, 'capgo-token'),
    timeout: readTimeout(text('timeout')),
    channels,
    channel,
    version,
    nativeVersion,
    workingDirectory: text('working-directory') ?? '.',
    appId,
    webDir: text('web-dir'),
    build: readBoolean(read, 'build'),
    buildScript: text('build-script') ?? 'build',
    buildVariables: readBuildVariables(
      read,
      ['capgo-token', 'devices-token', 'private-key'].map(name => read(name).trim()),
    ),
    checkNotifyAppReady: readBoolean(read, 'check-notify-app-ready'),
    dryRun: readBoolean(read, 'dry-run'),
    delta: readChoice(read, 'delta', ['auto', 'true', 'false', 'only']),
    privateKey: read('private-key').trim(),
    onIncompatible:
      text('on-incompatible') === null
        ? null
        : readChoice<OnIncompatible>(read, 'on-incompatible', ['fail', 'warn', 'ignore']),
    minUpdateVersion,
    sourceMaps: readChoice(read, 'source-maps', ['drop', 'keep', 'artifact']),
    sourceMapsArtifact: readArtifactName(text('source-maps-artifact')),
    sourceMapsRetentionDays: readRetention(text('source-maps-retention-days')),
    previewChannel: readPreviewChannel(text('preview-channel') ?? 'pr-{number}', channels),
    previewLabel: text('preview-label'),
    comment: readBoolean(read, 'comment'),
    deployments: readBoolean(read, 'deployments'),
    artifact: text('artifact') ?? 'web',
    testersFile: readTestersFile(text('testers-file')),
    assignTesters: readAssignTesters(read('assign-testers')),
    prune: readChoice(read, 'prune', ['removed', 'exclusive', 'never']),
    devicesToken: readToken(read, 'devices-token'),
    hosts: readHosts(text),
    githubToken: readToken(read, 'github-token'),
    ...readToolkitInputs({
      text,
      boolean: name => readBoolean(read, name),
      checkChannel: checkChannelName,
    }),
  }
}

/** Tokens travel as a header. What is wrong is told without a character of it. */
function readToken(read: InputReader, input: string): string {
  const token = read(input).trim()
  if (/^[\x21-\x7e]*$/.test(token)) return token
  throw new InputError(
    input,
    'has a character that no key has: a space, a line break, or one beyond ASCII.',
    'Store the key alone as the secret, without quotes, name or line break.',
  )
}

function readTestersFile(path: string | null): string | null {
  if (path !== null && (path.startsWith('/') || path.split(/[\\/]/).includes('..')))
    throw new InputError(
      'testers-file',
      `"${path}" is outside of the repository.`,
      'Give the path from the root of the repository, for example "apps/mobile/testers.json".',
    )
  return path
}

function readAssignTesters(value: string): AssignRule[] | null {
  const words = value.split(/[\s,]+/).filter(word => word !== '')
  if (words.length === 0) return null
  if (words.join() === 'none') return []
  return words.map(word => {
    if (word === 'author' || word === 'reviewers' || word === 'all') return { kind: word }
    const group = /^group:(.+)$/.exec(word)?.[1]
    if (group !== undefined) return { kind: 'group', name: group }
    throw new InputError(
      'assign-testers',
      word === 'none' ? '"none" stands alone.' : `"${word}" is not known.`,
      'There are author, reviewers, all, group:<name>, several of them, or none.',
    )
  })
}

/** GitHub ends a job after five days at the latest (self-hosted runners). */
const LONGEST_RUN = 5 * 24 * 60

function readTimeout(value: string | null): number {
  if (value === null) return 60
  const minutes = /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0
  if (minutes > 0 && minutes <= LONGEST_RUN) return minutes
  throw new InputError(
    'timeout',
    `"${value}" is no number of minutes.`,
    `Give the minutes after which the run is stopped, ${LONGEST_RUN} at most; for example 60.`,
  )
}

/** One of a few words; the first one when the input is empty. */
function readChoice<T extends string>(read: InputReader, name: string, words: readonly [T, ...T[]]): T {
  const value = read(name).trim()
  if (value === '') return words[0]
  const word = words.find(word => word === value)
  if (word !== undefined) return word
  throw new InputError(
    name,
    `"${value}" is not known.`,
    `There are ${words.slice(0, -1).join(', ')} and ${words.at(-1)}.`,
  )
}

/** GitHub refuses what some file system cannot have as a name; the runner obeys what looks like a command. */
function readArtifactName(name: string | null): string | null {
  if (name === null || /^[\p{L}\p{N} ._@+=,()-]{1,200}$/u.test(name)) return name
  throw new InputError(
    'source-maps-artifact',
    `"${name}" cannot be the name of an artifact.`,
    'Use letters, digits, spaces and ._@+=,()- and at most 200 of them.',
  )
}

/** GitHub's longest, of private repositories. */
const LONGEST_RETENTION = 400

function readRetention(value: string | null): number | null {
  if (value === null) return null
  const days = /^\d+$/.test(value) ? Number(value) : 0
  if (days >= 1 && days <= LONGEST_RETENTION) return days
  throw new InputError(
    'source-maps-retention-days',
    `"${value}" is not a number of days.`,
    `Use a whole number from 1 to ${LONGEST_RETENTION}, for example 90.`,
  )
}

/** One `pattern: channel` a line; `#` begins a comment. */
function readChannels(value: string): ChannelMapping[] {
  const mappings: ChannelMapping[] = []
  value.split('\n').forEach((line, index) => {
    const content = line.replace(/(^|\s)#.*$/, '').trim()
    if (content === '') return
    const at = content.lastIndexOf(':')
    const pattern = content
      .slice(0, at)
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2')
    const channel = content
      .slice(at + 1)
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2')
    if (at < 1 || pattern === '' || channel === '')
      throw new InputError(
        'channels',
        `line ${index + 1}, "${content}", is not "pattern: channel".`,
        'For example "main: production" or "release/*: beta".',
      )
    if (pattern.startsWith('!'))
      throw new InputError(
        'channels',
        `line ${index + 1}: patterns that exclude ("${pattern}") are not supported.`,
        'The first match wins, so put the more special pattern first.',
      )
    checkChannelName('channels', channel)
    mappings.push({ pattern, channel })
  })
  return mappings
}

/** A template that gives a channel's name, and never one that a branch publishes to. */
function readPreviewChannel(template: string, channels: readonly ChannelMapping[]): string {
  const unknown = /\{(?!number\}|branch\})[^}]*\}?/.exec(template)
  if (unknown !== null)
    throw new InputError(
      'preview-channel',
      `"${unknown[0]}" stands for nothing.`,
      'There are {number} and {branch}; for example "pr-{number}".',
    )
  checkChannelName('preview-channel', template.replaceAll('{number}', '1').replaceAll('{branch}', 'b'))
  if (channels.some(({ channel }) => channel === template))
    throw new InputError(
      'preview-channel',
      `"${template}" is a channel that a branch publishes to (input "channels").`,
      'Previews would reach the users of that channel, and closing a pull request would delete it. Take another name, such as "pr-{number}".',
    )
  return template
}

function checkChannelName(input: string, name: string): void {
  if (!CHANNEL_NAME.test(name))
    throw new InputError(
      input,
      `"${name}" cannot be a channel's name.`,
      'Use letters, digits, ".", "_" and "-", beginning with a letter or digit, 64 at most.',
    )
}

function checkVersion(version: string): void {
  const hint =
    'Use MAJOR.MINOR.PATCH, with a pre-release if you like: 1.4.0 or 1.4.1-beta.2, without a leading v.'
  if (semver.valid(version) !== version)
    throw new InputError('version', `"${version}" is not a semantic version.`, hint)
}

function readBoolean(read: InputReader, name: string): boolean {
  const value = read(name).trim().toLowerCase()
  if (value === 'true') return true
  if (value === 'false') return false
  throw new InputError(
    name,
    `"${read(name)}" is neither true nor false.`,
    'Write true or false, in lower case.',
  )
}

function readHosts(text: (name: string) => string | null): Hosts {
  const url = (name: string): string | null => {
    const value = text(name)
    return value === null ? null : checkUrl(name, value)
  }
  const api = url('api-url') ?? CLOUD.api
  const cloud = api === CLOUD.api
  if (text('database-key') !== null) readToken(name => text(name) ?? '', 'database-key')
  const databaseUrl = url('database-url')
  const databaseKey = text('database-key')
  if ((databaseUrl === null) !== (databaseKey === null))
    throw new InputError(
      databaseUrl === null ? 'database-url' : 'database-key',
      'is missing.',
      'database-url and database-key are used together: give both or neither.',
    )
  return {
    api,
    files: url('files-url') ?? (cloud ? CLOUD.files : api),
    database: databaseUrl !== null && databaseKey !== null ? { url: databaseUrl, key: databaseKey } : null,
    console: url('console-url') ?? (cloud ? CLOUD.console : null),
    plugin: url('plugin-url') ?? (cloud ? CLOUD.plugin : api),
  }
}

/** The Capgo key goes to these hosts, so they are https, or this machine. */
function checkUrl(input: string, value: string): string {
  if (!URL.canParse(value))
    throw new InputError(
      input,
      `"${value}" is not a URL.`,
      'For example https://capgo.example.com/functions/v1',
    )
  const url = new URL(value)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url.hostname)))
    throw new InputError(
      input,
      `${value} is not https.`,
      'The Capgo key would travel readable; only localhost may be http.',
    )
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new InputError(
      input,
      'must not hold a user name, a password, a query or a fragment.',
      'Give the address alone, for example https://capgo.example.com/functions/v1',
    )
  return value.replace(/\/+$/, '')
}
