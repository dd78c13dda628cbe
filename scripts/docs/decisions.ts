/**
 * The worked examples of docs/decisions.md: each row is decided by the planner of the action itself, so that the page
 * says what a run would do. Only the circumstances are made up.
 */
import type { BundleRow, ChannelRow, NativePackage, ServedBundle } from '../../src/capgo/schema.ts'
import { ActionError } from '../../src/errors.ts'
import { readTrigger, type Trigger } from '../../src/event.ts'
import { noteCommit, noteRollback, readNotes } from '../../src/plan/bundle-comment.ts'
import { newChannelSettings } from '../../src/plan/channel.ts'
import { EVENTS, type EventRule } from '../../src/plan/events.ts'
import { decideOperation, type OperationInputs } from '../../src/plan/operation.ts'
import { planPromotion } from '../../src/plan/promotion.ts'
import { planPublish } from '../../src/plan/publish.ts'
import type { BuiltFacts } from '../../src/plan/publish-facts.ts'
import { findEarlier, planRollback } from '../../src/plan/rollback.ts'
import { planRolloutChange } from '../../src/plan/rollout-change.ts'
import type { Standing } from '../../src/plan/staleness.ts'
import type { Commit, NativeVersion, Purpose, Relation, WantedVersion } from '../../src/plan/types.ts'
import { chooseName, DEFAULT_RULES, type NameRequest, PREVIEW_RULES } from '../../src/plan/version.ts'
import { table } from './table.ts'

export function decisionTables(): Readonly<Record<string, string>> {
  return {
    events: table(['event', 'what the run does', 'why'], eventRows()),
    channel: table(['event', 'inputs', 'result', 'why'], channelRows()),
    'new-channel': table(['for', 'public channels of the app', 'result', 'why'], newChannelRows()),
    version: table(
      ['wanted', 'native versions', 'channel', 'names that are taken', 'result', 'why'],
      versionRows(),
    ),
    outcome: table(['the channel', 'this run', 'result', 'why'], outcomeRows()),
    moves: table(['operation', 'state', 'result', 'why'], moveRows()),
  }
}

type Row = readonly string[]

/** Result and reason; of a refusal its code and message. */
function told(decide: () => readonly [result: string, why: string]): Row {
  try {
    return decide()
  } catch (error) {
    if (!(error instanceof ActionError)) throw error
    return [`fails: \`${error.code}\``, error.message]
  }
}

// Events

function eventRows(): Row[] {
  const work: Readonly<Record<EventRule['work'], string>> = {
    publish: 'publishes the ref to its channel',
    preview: 'makes, updates or removes the preview',
    follow: 'publishes the preview that was built',
    sweep: 'cleans up and looks after testers',
    nothing: 'nothing, and ends green',
    refuse: 'fails: `event_unsupported`',
  }
  const groups = Map.groupBy(Object.entries<EventRule>(EVENTS), ([, { work, why, types }]) =>
    JSON.stringify([work, why, types]),
  )
  const rows = [...groups.values()].map(group => {
    const [, { work: does, why, types }] = group[0]!
    const names = group.map(([event]) => `\`${event}\``).join(', ')
    return [`${names}${types === undefined ? '' : ` (${types.join(', ')})`}`, work[does], why]
  })
  return [...rows, ['any other', work.refuse, 'this action does not know it']]
}

// Channel

const INPUTS: OperationInputs = {
  operation: null,
  capgoToken: 'key',
  channel: null,
  channels: [
    { pattern: 'main', channel: 'production' },
    { pattern: 'develop', channel: 'development' },
  ],
  previewChannel: 'pr-{number}',
  previewLabel: null,
  previewDrafts: true,
  build: true,
}

function channelRows(): Row[] {
  const row = (
    event: string,
    trigger: Trigger,
    shown: string,
    inputs: Partial<OperationInputs> = {},
  ): Row => [
    event,
    shown,
    ...told(() => {
      const operation = decideOperation(trigger, { ...INPUTS, ...inputs })
      switch (operation.kind) {
        case 'publish':
          return [`publish to \`${operation.channelName}\``, operation.why]
        case 'preview':
          return [`preview on \`${operation.channelName}\``, operation.why]
        case 'close-preview':
          return [
            operation.isEnding
              ? 'remove the preview'
              : '`skipped`; a preview that was left behind is removed',
            operation.why,
          ]
        case 'skip':
          return ['`skipped`', operation.reason]
        case 'sweep-previews':
          return ['remove previews that were left behind', 'a schedule without the input `channel`']
        default:
          return [operation.kind, 'input `operation`']
      }
    }),
  ]
  const tags = [
    { pattern: 'v*-rc.*', channel: 'beta' },
    { pattern: 'refs/tags/v*', channel: 'production' },
  ]
  const shownTags = '`channels`: `v*-rc.*: beta`, `refs/tags/v*: production`'
  return [
    row('push to `main`', trigger('refs/heads/main'), ''),
    row('push to `develop`', trigger('refs/heads/develop'), ''),
    row('push to `feature/login`', trigger('refs/heads/feature/login'), ''),
    row('push to `feature/login`', trigger('refs/heads/feature/login'), '`channel: beta`', {
      channel: 'beta',
    }),
    row('tag `v1.4.0-rc.2`', trigger('refs/tags/v1.4.0-rc.2'), shownTags, { channels: tags }),
    row('tag `v1.4.0`', trigger('refs/tags/v1.4.0'), shownTags, { channels: tags }),
    row('pull request 12 opened', pulled('opened'), ''),
    row('the same', pulled('opened'), '`preview-label: preview`', { previewLabel: 'preview' }),
    row('pull request 12 of a fork', pulled('opened', { fork: true }), 'no secret', { capgoToken: '' }),
    row('pull request 12 merged', pulled('closed', { merged: true }), ''),
    row('pull request 12 edited after it was merged', pulled('edited', { merged: true }), ''),
    row('branch `develop` deleted', trigger('refs/heads/main', 'push', { deleted: true }), ''),
    row('schedule', trigger('refs/heads/main', 'schedule'), ''),
  ]
}

function trigger(ref: string, event = 'push', payload: unknown = {}): Trigger {
  return readTrigger({
    payload,
    env: {
      GITHUB_REF: ref,
      GITHUB_SHA: OURS,
      GITHUB_REPOSITORY: 'octo-org/daybreak',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_EVENT_NAME: event,
      GITHUB_RUN_ID: '57',
      GITHUB_RUN_NUMBER: '57',
      GITHUB_RUN_ATTEMPT: '1',
    },
  })
}

function pulled(action: string, { fork = false, merged = false } = {}): Trigger {
  const repo = { full_name: 'octo-org/daybreak' }
  return trigger('refs/pull/12/merge', 'pull_request', {
    action,
    pull_request: {
      number: 12,
      state: action === 'closed' || merged ? 'closed' : 'open',
      merged_at: merged ? '2026-01-01T00:00:00Z' : null,
      user: { login: 'ada' },
      labels: [],
      head: { sha: OURS, ref: 'feature/login', repo: fork ? { full_name: 'mallory/daybreak' } : repo },
      base: { ref: 'main', repo },
    },
  })
}

// A channel that is not there yet

function newChannelRows(): Row[] {
  const row = (whom: string, purpose: Purpose, publicChannels: readonly string[]): Row => {
    const { settings, why } = newChannelSettings(purpose, publicChannels)
    const result = `${settings.public ? 'public' : 'private'}${settings.allow_device_self_set ? ', devices may choose it' : ''}`
    return [whom, publicChannels.map(name => `\`${name}\``).join(', ') || 'none', result, why]
  }
  return [
    row('the default branch, or a tag', DEFAULT_BRANCH, []),
    row('the default branch, or a tag', DEFAULT_BRANCH, ['live']),
    row('another branch', { kind: 'branch', isDefaultBranch: false }, []),
    row('a pull request', PREVIEW, ['production']),
  ]
}

// The bundle's name

const DEFAULT_BRANCH: Purpose = { kind: 'branch', isDefaultBranch: true }
const PREVIEW: Purpose = { kind: 'preview', pull: 12 }

function versionRows(): Row[] {
  const row = (
    version: WantedVersion,
    natives: readonly string[],
    {
      taken = [],
      policy = 'major',
      purpose = DEFAULT_BRANCH,
    }: {
      taken?: readonly string[]
      policy?: NameRequest['rules']['disable_auto_update']
      purpose?: Purpose
    } = {},
  ): Row => {
    const preview = purpose.kind === 'preview'
    return [
      `\`${version.version}\` (${version.source})`,
      natives.map(native => `\`${native}\``).join(', ') || 'not known',
      preview ? '`pr-12`' : `\`production\`, policy \`${policy}\``,
      taken.map(name => `\`${name}\``).join(', '),
      ...told(() => {
        const { names, why } = chooseName({
          wanted: version,
          nativeVersions: natives.map(native),
          rules: preview ? PREVIEW_RULES : { ...DEFAULT_RULES, disable_auto_update: policy },
          minUpdateVersion: null,
          channelName: preview ? 'pr-12' : 'production',
          purpose,
          commit: commit(OURS, 57),
          taken: new Set(taken),
        })
        return [`\`${names[0]}\``, why]
      }),
    ]
  }
  return [
    row(wanted('1.4.0'), ['1.0']),
    row(wanted('1.4.0'), ['1.0'], { taken: ['1.4.0'] }),
    row(wanted('1.4.0'), ['1.4.0']),
    row(wanted('1.4.0', 'tag v1.4.0'), ['1.3.0']),
    row(wanted('1.2.0'), ['1.4.0']),
    row(wanted('2.0.0'), ['1.4.0']),
    row(wanted('1.4.0'), ['1.4.0', '1.5.0']),
    row(wanted('1.5.0'), ['1.4.2'], { policy: 'patch' }),
    row(wanted('1.4.0'), []),
    row(wanted('1.4.0'), ['1.0'], { purpose: PREVIEW }),
    row(wanted('1.4.0', 'input "version"', true), ['1.4.0']),
    row(wanted('2.0.0'), ['1.0', '2.0.0']),
  ]
}

function wanted(version: string, source = 'package.json', forced = false): WantedVersion {
  return { version, source, forced }
}

function native(version: string): NativeVersion {
  return { platform: 'any', version, source: 'input "native-version"' }
}

// What a publish does

/** Commits, the older first in the alphabet, and what was built from them. */
const OLDER = 'a'.repeat(40)
const OURS = 'b'.repeat(40)
const NEWER = 'c'.repeat(40)
const OUR_CONTENT = 'e1'.repeat(32)
const OTHER_CONTENT = 'f2'.repeat(32)

function commit(sha: string, run: number, attempt = 1): Commit {
  return {
    sha,
    refName: 'main',
    runId: run,
    runNumber: run,
    runAttempt: attempt,
    url: `https://github.com/octo-org/daybreak/commit/${sha}`,
  }
}

function bundle(id: number, name: string, more: Partial<ServedBundle> = {}): ServedBundle {
  return {
    id,
    name,
    deleted: false,
    storage_provider: 'r2',
    r2_path: `bundles/${id}.zip`,
    external_url: null,
    checksum: OTHER_CONTENT,
    session_key: null,
    key_id: null,
    link: null,
    comment: null,
    min_update_version: null,
    manifest_count: 0,
    created_at: `2026-01-${String(id).padStart(2, '0')}T00:00:00Z`,
    native_packages: null,
    ...more,
  }
}

/** A bundle that this action put on production. */
function noted(
  id: number,
  name: string,
  of: Commit,
  more: Partial<ServedBundle> = {},
  after?: string,
): ServedBundle {
  return bundle(id, name, {
    comment: noteCommit(null, 'production', of, { after: after ?? null }),
    ...more,
  })
}

function channel(name: string, version: ServedBundle | null, more: Partial<ChannelRow> = {}): ChannelRow {
  return {
    id: 1,
    name,
    public: name === 'production',
    ios: true,
    android: true,
    electron: true,
    ...DEFAULT_RULES,
    allow_device_self_set: name !== 'production',
    allow_emulator: true,
    allow_device: true,
    allow_dev: true,
    allow_prod: true,
    rollout_version: null,
    rollout_enabled: false,
    rollout_percentage_bps: 0,
    rollout_paused_at: null,
    version,
    ...more,
  }
}

const camera = (version: string): NativePackage => ({ name: '@capacitor/camera', version })

function facts(more: Partial<BuiltFacts>): BuiltFacts {
  const production = more.channel === undefined ? null : more.channel
  return {
    appId: 'com.example.app',
    channelName: 'production',
    channelWhy: 'branch main matches "main"',
    channel: production,
    publicChannels: [],
    newest: [],
    deletedAt: null,
    purpose: DEFAULT_BRANCH,
    wanted: wanted('1.4.0'),
    natives: [native('1.0')],
    unread: [],
    updatePackage: null,
    commit: commit(OURS, 57),
    rollout: { bps: null, onActive: 'fail' },
    minUpdateVersion: null,
    onIncompatible: null,
    checksum: OUR_CONTENT,
    sha256: OUR_CONTENT,
    size: 1000,
    sizes: new Map(),
    delta: 'auto',
    bundles: [],
    commitWhy: null,
    isChosen: false,
    force: false,
    standing: AT_HEAD,
    running: null,
    stored: { newest: [], of: null, files: [] },
    base: production,
    nativePackages: [],
    ...more,
  }
}

/** GitHub says that the run's commit is the newest of its branch. */
const AT_HEAD: Standing = { head: { kind: 'at', sha: OURS }, toHead: 'identical', notes: [] }

/** What GitHub (or, without `toHead`, the checkout alone) says of our commit, the branch and what is served. */
function standing(
  served: ServedBundle,
  relation: Relation,
  { toHead, isInHistory = null }: { toHead?: Relation; isInHistory?: boolean | null } = {},
): Standing {
  return {
    head: toHead === undefined ? { kind: 'unknown' } : { kind: 'at', sha: NEWER },
    toHead: toHead ?? 'unknown',
    notes: readNotes(served).map(note => ({ note, relation, isInHistory })),
  }
}

function outcomeRows(): Row[] {
  const row = (state: string, run: string, more: Partial<BuiltFacts>): Row => [
    state,
    run,
    ...told(() => {
      const { action, decisions, stage } = planPublish(facts(more))
      const shown = action.do === 'upload' ? action.names[0]! : action.bundle.name
      const result = {
        upload: `uploads \`${shown}\``,
        resume: `finishes the upload of \`${shown}\``,
        promote: `promotes \`${shown}\`, uploads nothing`,
        keep: action.do === 'keep' ? `\`${action.outcome}\`, the channel is left alone` : '',
      }[action.do]
      const share = stage.bps === null ? '' : ` for ${stage.bps / 100}% of the devices`
      return [`${result}${share}`, decisions.findLast(({ what }) => what === 'bundle')!.why]
    }),
  ]
  const older = noted(1, '1.3.0', commit(OLDER, 50))
  const newer = noted(3, '1.5.0', commit(NEWER, 60))
  const byHand = bundle(3, '1.5.0', { comment: noteCommit(null, 'beta', commit(NEWER, 60)) })
  const same = noted(2, '1.4.0', commit(OLDER, 50), { checksum: OUR_CONTENT })
  const elsewhere = bundle(4, '1.4.0', { checksum: OUR_CONTENT })
  const preview = bundle(5, '1.4.1-pr.12.55.1', { checksum: OUR_CONTENT })
  const started = bundle(6, '1.4.0', { checksum: OUR_CONTENT, storage_provider: 'r2-direct' })
  const withdrawn = bundle(7, '1.4.0', {
    checksum: OUR_CONTENT,
    comment: noteRollback(noteCommit(null, 'production', commit(OLDER, 50)), 'production', commit(OLDER, 55)),
  })
  const rolledBack = bundle(1, '1.3.0', {
    comment: noteCommit(null, 'production', commit(OLDER, 58), {
      after: null,
      instead: { name: '1.4.0', sha: OURS },
    }),
  })
  const rolling = (bps: number) =>
    channel('production', older, { rollout_version: 3, rollout_enabled: true, rollout_percentage_bps: bps })
  const running = { bundle: noted(3, '1.3.5', commit(OLDER, 52)), standing: AT_HEAD }
  return [
    row('is not there', 'of any commit', {}),
    row('serves an older commit', 'content that Capgo has not', { channel: channel('production', older) }),
    row('serves this very content', 'a newer commit that changes nothing in the web build', {
      channel: channel('production', same),
    }),
    row('serves this commit', 'the same run again, and the same bytes came out', {
      channel: channel('production', noted(2, '1.4.0', commit(OURS, 57), { checksum: OUR_CONTENT })),
    }),
    row('serves a newer commit', 'an old run again; the branch has gone on', {
      channel: channel('production', newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: true }),
    }),
    row('serves a newer commit', 'the branch was reset to this commit', {
      channel: channel('production', newer),
      standing: standing(newer, 'behind', { toHead: 'identical' }),
    }),
    row('serves a newer commit', 'with `force: true`', {
      channel: channel('production', newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: true }),
      force: true,
    }),
    row('serves a commit that the branch dropped', 'the branch has gone on since', {
      channel: channel('production', newer),
      standing: standing(newer, 'behind', { toHead: 'behind', isInHistory: false }),
    }),
    row('serves an older commit', 'the branch was reset, and this commit is not in it any more', {
      channel: channel('production', older),
      standing: standing(older, 'ahead', { toHead: 'diverged' }),
    }),
    row('serves an older commit', 'behind the newest of the branch, which may never get a run', {
      channel: channel('production', older),
      standing: standing(older, 'ahead', { toHead: 'behind' }),
    }),
    row(
      'serves a newer commit, put there by hand',
      'an old run again; the bundle has a note for `beta` alone',
      {
        channel: channel('production', byHand),
        standing: standing(byHand, 'behind', { toHead: 'behind', isInHistory: true }),
      },
    ),
    row('serves a newer commit', 'GitHub cannot be asked, and the history tells', {
      channel: channel('production', newer),
      standing: standing(newer, 'behind'),
    }),
    row('serves an unrelated commit', 'GitHub cannot be asked; started after the run that published that', {
      channel: channel('production', older),
      standing: standing(older, 'diverged'),
    }),
    row('serves an unrelated commit', 'GitHub cannot be asked; started before the run that published that', {
      channel: channel('production', newer),
      standing: standing(newer, 'diverged'),
    }),
    row('serves what somebody put there by hand', 'of any commit', {
      channel: channel('production', bundle(9, '9.9.9')),
    }),
    row('serves an older commit', 'another channel has this content as `1.4.0`', {
      channel: channel('production', older),
      bundles: [elsewhere],
    }),
    row('serves this very content as a zip', 'with `delta: only`', {
      channel: channel('production', same),
      bundles: [same],
      delta: 'only',
    }),
    row('serves this very content, has the policy `version_number`', 'with another `min-update-version`', {
      channel: channel('production', same, { disable_auto_update: 'version_number' }),
      bundles: [same],
      minUpdateVersion: '1.0.0',
    }),
    row('serves an older commit', 'a preview has this content as `1.4.1-pr.12.55.1`', {
      channel: channel('production', older),
      bundles: [preview],
    }),
    row('serves an older commit', 'a run before died while it uploaded this content', {
      channel: channel('production', older),
      bundles: [started],
    }),
    row('serves an older commit', 'other content has the name `1.4.0`', {
      channel: channel('production', older),
      bundles: [bundle(4, '1.4.0')],
    }),
    row('was rolled back from this commit', 'the bad run again', {
      channel: channel('production', rolledBack),
      standing: standing(rolledBack, 'ahead', { toHead: 'identical' }),
    }),
    row('was rolled back from this content', 'a new commit with the same web build', {
      channel: channel('production', noted(1, '1.3.0', commit(OLDER, 40))),
      bundles: [withdrawn],
    }),
    row('serves an older commit', '`rollout: 10`', {
      channel: channel('production', older),
      rollout: { bps: 1000, onActive: 'fail' },
    }),
    row('gives `1.3.5` to 25% of its devices', 'of a newer commit', { channel: rolling(2500), running }),
    row('gives `1.3.5` to 25% of its devices', '`on-active-rollout: advance`', {
      channel: rolling(2500),
      running,
      rollout: { bps: null, onActive: 'advance' },
    }),
    row('serves a bundle that was built with `@capacitor/camera` 7', 'is built with 8', {
      channel: channel('production', { ...older, native_packages: [camera('7.0.1')] }),
      nativePackages: [camera('8.0.0')],
    }),
  ]
}

// What is moved by hand

function moveRows(): Row[] {
  const run = commit(OURS, 70)
  const common = {
    appId: 'com.example.app',
    natives: [native('1.0')],
    run,
    rollout: { bps: null, onActive: 'fail' },
    runningName: null,
    force: false,
    fault: null,
  } as const
  const tested = (of: Commit, more: Partial<ServedBundle> = {}): ServedBundle =>
    bundle(5, '1.4.1-development.56.1', { comment: noteCommit(null, 'development', of), ...more })
  const promote = (
    state: string,
    from: ServedBundle,
    served: ServedBundle | null,
    more: Partial<Parameters<typeof planPromotion>[0]> = {},
  ): Row => [
    '`promote` from `development` to `production`',
    state,
    ...told(() => {
      const plan = planPromotion({
        ...common,
        from: channel('development', from),
        bundle: from,
        to: channel('production', served),
        relation: 'ahead',
        onIncompatible: null,
        ...more,
      })
      return [plan.isDone ? '`unchanged`' : `\`production\` serves \`${plan.bundle.name}\``, plan.why]
    }),
  ]
  const rollBack = (state: string, served: ServedBundle | null, bundles: readonly BundleRow[]): Row => [
    '`rollback` of `production`',
    state,
    ...told(() => {
      const production = channel('production', served)
      const plan = planRollback({
        ...common,
        channel: production,
        target: findEarlier(production, bundles),
        affected: null,
      })
      return [`\`production\` serves \`${plan.bundle.name}\``, plan.why]
    }),
  ]
  const rolloutOf = (input: string, change: Parameters<typeof planRolloutChange>[0]['change']): Row => [
    `\`rollout\`, \`rollout: ${input}\``,
    '`1.4.0` goes to 25% of the devices, the others have `1.3.0`',
    ...told(() => {
      const plan = planRolloutChange({
        appId: 'com.example.app',
        channel: channel('production', good, {
          rollout_version: bad.id,
          rollout_enabled: true,
          rollout_percentage_bps: 2500,
        }),
        running: bad,
        change,
        run,
      })
      const { bps, paused } = plan.stage
      const share = bps === null ? 'everybody' : `${bps / 100}% of the devices`
      return [`\`${plan.bundle.name}\` for ${share}${paused && bps !== null ? ', paused' : ''}`, plan.why]
    }),
  ]
  const good = noted(1, '1.3.0', commit(OLDER, 50))
  const bad = noted(2, '1.4.0', commit(OURS, 57), {}, '1.3.0')
  const away: ServedBundle = { ...good, comment: noteRollback(good.comment, 'production', run) }
  const first = noted(3, '1.2.0', commit(OLDER, 40))
  return [
    promote('`production` serves an older commit', tested(commit(OURS, 56)), good),
    promote('`production` serves that bundle already', tested(commit(OURS, 56)), tested(commit(OURS, 56))),
    promote(
      '`production` serves a newer commit',
      tested(commit(OLDER, 56)),
      noted(4, '1.5.0', commit(NEWER, 60)),
      {
        relation: 'behind',
      },
    ),
    promote('apps in the stores are at 1.5.0', tested(commit(OURS, 56)), good, {
      natives: [native('1.5.0')],
    }),
    promote(
      'its upload was never finished',
      tested(commit(OURS, 56), { storage_provider: 'r2-direct' }),
      good,
    ),
    rollBack('it served `1.3.0` before `1.4.0`', bad, [good, bad]),
    rollBack('it was rolled back from `1.3.0` before', bad, [first, away, bad]),
    rollBack('nothing is noted', bundle(9, '9.9.9'), []),
    rolloutOf('50', { kind: 'share', bps: 5000 }),
    rolloutOf('pause', { kind: 'pause' }),
    rolloutOf('finish', { kind: 'finish' }),
    rolloutOf('cancel', { kind: 'cancel' }),
  ]
}
