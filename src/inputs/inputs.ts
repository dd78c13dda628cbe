/** The `with:` block, checked. */
import semver from 'semver'
import { CLOUD } from '../capgo/hosts.ts'
import { APP_ID } from '../checkout/capacitor-config.ts'
import { InputError } from '../errors.ts'
import { type ChannelMapping, defaultMappings } from '../plan/channel.ts'
import { normaliseNative } from '../plan/delivery.ts'
import type { DeltaMode } from '../plan/delta.ts'
import { checkPreviewTemplate } from '../plan/preview.ts'
import type { AssignRule, Prune } from '../plan/testers.ts'
import type { CommentLayout, OnIncompatible } from '../plan/types.ts'
import { readBuildVariables, type Variables } from './build-variables.ts'
import { readChannelLines } from './channel-lines.ts'
import { type OperationValues, readOperationInputs } from './operation.ts'
import {
  checkChannelName,
  checkDays,
  checkMinutes,
  checkPath,
  checkToken,
  checkUrl,
  checkWorkingDirectory,
  createReading,
  type InputReader,
  type Reading,
} from './values.ts'

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

export interface Inputs extends OperationValues {
  /** Empty when the workflow has no such secret (forks, Dependabot, a typo). */
  readonly capgoToken: string
  /** Minutes for the whole run. */
  readonly timeout: number
  /** The input, or a default by the repository's default branch. */
  readonly channels: readonly ChannelMapping[]
  readonly channel: string | null
  /** As written; build metadata is left out where it is used. */
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
  /** Name of a pull request's channel; `{number}` and `{branch}` are replaced. */
  readonly previewChannel: string
  /** Only pull requests with this label get a preview. */
  readonly previewLabel: string | null
  /** Whether draft pull requests get a preview. */
  readonly previewDrafts: boolean
  /** How the comment on a pull request is laid out; null = none. */
  readonly comment: CommentLayout | null
  readonly deployments: boolean
  /** Name of the artifact that holds the web build of the followed run; `{number}` is that of the pull request. */
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

/** The layouts by the words of the input. */
const COMMENTS = { true: 'shared', separate: 'separate', false: null } as const

/** GitHub ends a job after five days at the latest (self-hosted runners). */
const MAX_TIMEOUT = 5 * 24 * 60

/**
 * All inputs, checked; an empty one is not given and has its default. Throws `invalid_input` with everything that is
 * wrong. `defaultBranch` is the repository's, null when the event does not have it.
 */
export function readInputs(read: InputReader, defaultBranch: string | null = null): Inputs {
  const reading = createReading(read)
  const { text, checked, boolean, choice, refuse } = reading
  const channels = readChannels(reading, defaultBranch)
  const token = (name: string) => checked(name, value => checkToken(name, value), '')
  const inputs: Inputs = {
    capgoToken: token('capgo-token'),
    timeout: Number(checked('timeout', value => checkMinutes('timeout', value, MAX_TIMEOUT), '60')),
    channels,
    channel: checked('channel', value => checkChannelName('channel', value), null),
    version: checked('version', value => checkVersion('version', value), null),
    nativeVersion: checked('native-version', checkNativeVersion, null),
    workingDirectory: checked('working-directory', checkWorkingDirectory, '.'),
    appId: checked('app-id', checkAppId, null),
    webDir: text('web-dir'),
    build: boolean('build', true),
    buildScript: text('build-script') ?? 'build',
    buildVariables: readBuildVariables(
      read,
      ['capgo-token', 'devices-token', 'private-key'].map(name => text(name) ?? ''),
      refuse,
    ),
    checkNotifyAppReady: boolean('check-notify-app-ready', true),
    dryRun: boolean('dry-run', false),
    delta: choice('delta', ['auto', 'true', 'false', 'only'], 'auto'),
    privateKey: text('private-key') ?? '',
    onIncompatible: choice('on-incompatible', ['fail', 'warn', 'ignore'], null),
    minUpdateVersion: checked('min-update-version', value => checkVersion('min-update-version', value), null),
    sourceMaps: choice('source-maps', ['drop', 'keep', 'artifact'], 'drop'),
    sourceMapsArtifact: checked('source-maps-artifact', checkArtifactName, null),
    sourceMapsRetentionDays: readRetention(reading),
    previewChannel: readPreviewChannel(reading, channels),
    previewLabel: text('preview-label'),
    previewDrafts: boolean('preview-drafts', true),
    comment: COMMENTS[choice('comment', ['true', 'false', 'separate'], 'true')],
    deployments: boolean('deployments', true),
    artifact: checked('artifact', checkArtifact, 'web'),
    testersFile: checked(
      'testers-file',
      value => checkPath('testers-file', value, 'apps/mobile/testers.json'),
      null,
    ),
    assignTesters: readAssignTesters(reading),
    prune: choice('prune', ['removed', 'exclusive', 'never'], 'removed'),
    devicesToken: token('devices-token'),
    hosts: readHosts(reading),
    githubToken: token('github-token'),
    ...readOperationInputs(reading),
  }
  reading.finish(inputs.capgoToken === '' ? [missingToken()] : [])
  return inputs
}

function readChannels({ text, refuse }: Reading, defaultBranch: string | null): ChannelMapping[] {
  const value = text('channels')
  if (value === null) return defaultMappings(defaultBranch)
  return readChannelLines(value, (message, hint) => refuse(new InputError('channels', message, hint)))
}

/** A template that gives a channel's name, and never one that a branch publishes to. */
function readPreviewChannel({ checked }: Reading, channels: readonly ChannelMapping[]): string {
  return checked(
    'preview-channel',
    template => {
      const refusal = checkPreviewTemplate(template)
      if (refusal !== null) throw new InputError('preview-channel', refusal.why, refusal.hint)
      checkChannelName('preview-channel', template.replaceAll('{number}', '1').replaceAll('{branch}', 'b'))
      if (channels.some(({ channel }) => channel === template))
        throw new InputError(
          'preview-channel',
          `"${template}" is a channel that a branch publishes to (input "channels").`,
          'Previews would reach its users, and closing a pull request would delete it. Use another name, such as "pr-{number}".',
        )
    },
    'pr-{number}',
  )
}

function readAssignTesters({ text, refuse }: Reading): AssignRule[] | null {
  const words = (text('assign-testers') ?? '').split(/[\s,]+/).filter(word => word !== '')
  if (words.length === 0) return null
  if (words.join() === 'none') return []
  return words.flatMap((word): AssignRule[] => {
    if (word === 'author' || word === 'reviewers' || word === 'all') return [{ kind: word }]
    const group = /^group:(.+)$/.exec(word)?.[1]
    if (group !== undefined) return [{ kind: 'group', name: group }]
    refuse(
      new InputError(
        'assign-testers',
        word === 'none' ? 'cannot combine "none" with others.' : `cannot be "${word}".`,
        'Use author, reviewers, all or group:<name> (several can be combined), or none.',
      ),
    )
    return []
  })
}

/** The error of a run that has something to do and no key. */
export function missingToken(): InputError {
  return new InputError(
    'capgo-token',
    'is empty.',
    'Store a Capgo API key as a repository secret and pass it: capgo-token: ${{ secrets.CAPGO_TOKEN }}. Workflows of forks and Dependabot get no secrets.',
    'capgo_token_missing',
  )
}

function checkAppId(value: string): void {
  if (!APP_ID.test(value))
    throw new InputError('app-id', `"${value}" is not an app id.`, 'App ids look like com.example.app.')
}

/** GitHub refuses what some file system cannot have as a name; the runner obeys what looks like a command. */
function checkArtifactName(name: string): void {
  if (!/^[\p{L}\p{N} ._@+=,()-]{1,200}$/u.test(name))
    throw new InputError(
      'source-maps-artifact',
      `"${name}" is not a valid artifact name.`,
      'Use at most 200 characters: letters, digits, spaces and ._@+=,()-',
    )
}

/** GitHub's longest, of private repositories. */
const MAX_RETENTION = 400

function readRetention({ checked }: Reading): number | null {
  const input = 'source-maps-retention-days'
  const days = checked(input, value => checkDays(input, value, MAX_RETENTION), null)
  return days === null ? null : Number(days)
}

function checkNativeVersion(value: string): void {
  if (normaliseNative(value) === null || /^[a-z]/.test(value))
    throw new InputError(
      'native-version',
      `"${value}" is not a version that Capgo can compare.`,
      'Use the version of the app in the stores: 1, 1.2 or 1.2.3.',
    )
}

/** With build metadata too (`1.4.0+7`). `semver.valid` leaves that out, and repairs what it should not. */
function checkVersion(input: string, value: string): void {
  if (semver.valid(value) !== value.replace(/\+[0-9A-Za-z.-]+$/, ''))
    throw new InputError(
      input,
      `"${value}" is not a semantic version.`,
      'Use MAJOR.MINOR.PATCH without a leading v, such as 1.4.0 or 1.4.1-beta.2.',
    )
}

/** GitHub's own rule for names of artifacts. */
function checkArtifact(value: string): void {
  const character = /["<>:|*?\r\n\\/]/.exec(value)?.[0]
  if (character !== undefined)
    throw new InputError(
      'artifact',
      `"${value}" contains "${character}", which an artifact name cannot contain.`,
      'Use the "name" of the actions/upload-artifact step.',
    )
  const unknown = /\{(?!number\})[^}]*\}?/.exec(value)?.[0]
  if (unknown !== undefined)
    throw new InputError('artifact', `has the unknown placeholder ${unknown}.`, 'Available: {number}.')
}

function readHosts({ checked, refuse }: Reading): Hosts {
  const url = (name: string): string | null =>
    checked(name, value => checkUrl(name, value), null)?.replace(/\/+$/, '') ?? null
  const api = url('api-url') ?? CLOUD.api
  const cloud = api === CLOUD.api
  const databaseUrl = url('database-url')
  const databaseKey = checked('database-key', value => checkToken('database-key', value), null)
  if ((databaseUrl === null) !== (databaseKey === null))
    refuse(
      new InputError(
        databaseUrl === null ? 'database-url' : 'database-key',
        `is required with "${databaseUrl === null ? 'database-key' : 'database-url'}".`,
        'Set both or neither.',
      ),
    )
  return {
    api,
    files: url('files-url') ?? (cloud ? CLOUD.files : api),
    database: databaseUrl !== null && databaseKey !== null ? { url: databaseUrl, key: databaseKey } : null,
    console: url('console-url') ?? (cloud ? CLOUD.console : null),
    plugin: url('plugin-url') ?? (cloud ? CLOUD.plugin : api),
  }
}
