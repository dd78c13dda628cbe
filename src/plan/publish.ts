import semver from 'semver'
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { noteCommit, readServedCommit, tookOver } from './bundle-comment.ts'
import { newChannelSettings } from './channel.ts'
import type { VersionRules } from './delivery.ts'
import { compareNatives, type NativeChange } from './native-changes.ts'
import { nativeDecisions, nativesOf } from './native-versions.ts'
import type { BuiltFacts, PublishAction, PublishFacts, PublishPlan } from './publish-facts.ts'
import { minimumNative, misfit } from './reuse.ts'
import { ALL, activeRollout, decideStage, EVERYBODY, formatShare, shareOf } from './rollout.ts'
import { isStale, type Standing } from './staleness.ts'
import type { Commit, Decision, NativeVersion } from './types.ts'
import { requireFormOf } from './update-package.ts'
import {
  chooseName,
  DEFAULT_RULES,
  firstRefusal,
  hasOtherName,
  mayShow,
  type NameRequest,
  PREVIEW_RULES,
  possibleNames,
} from './version.ts'

/**
 * Everything that can be refused before anything is built: a forced version that no device would take, a
 * channel whose rules leave no name, or that does not take the form of the bundle. Returns the names that the plan may want, to ask Capgo which are taken.
 */
export function checkBeforeBuild(facts: PublishFacts): string[] {
  requireFormOf(facts.delta, facts.updatePackage, facts.channelName)
  const request = nameRequest(facts, new Set())
  chooseName(request)
  return possibleNames(request)
}

/** What has to happen so that the channel serves the content that was built. Pure. */
export function planPublish(facts: BuiltFacts): PublishPlan {
  const { channel, commit, checksum } = facts
  const served = channel?.version ?? null
  const decisions: Decision[] = [
    { what: 'channel', value: facts.channelName, why: facts.channelWhy },
    ...(facts.commitWhy === null
      ? []
      : [{ what: 'commit', value: commit.sha.slice(0, 7), why: facts.commitWhy }]),
    ...nativeDecisions(facts.natives, facts.unread),
  ]
  const warnings: string[] = []
  const create = channel === null ? newChannelSettings(facts.purpose, facts.publicChannels) : null
  if (create !== null) decisions.push({ what: 'new channel', value: facts.channelName, why: create.why })

  const before = facts.base?.version ?? null
  const natives = compareNatives(facts.nativePackages, before?.native_packages ?? null)
  const action = decideAction()
  const {
    stage,
    why: stageWhy,
    warning: stageWarning,
  } = action.do === 'keep'
    ? { stage: EVERYBODY, why: null, warning: null }
    : decideStage(channel, facts.running?.bundle.name ?? null, facts.rollout)
  if (stageWarning !== null) warnings.push(stageWarning)
  if (stageWhy !== null)
    decisions.push({
      what: 'rollout',
      value: stage.bps === null ? 'everybody' : formatShare(stage.bps),
      why: stageWhy,
    })
  if (action.do !== 'keep' || facts.purpose.kind === 'preview') {
    tellWhatIsNotCompared()
    checkNatives()
  }
  tellOfMinimum()
  if (channel !== null) warnings.push(...channelWarnings(channel))
  const shown = action.do === 'upload' ? action.names[0] : action.bundle.name
  const refused = shown === undefined ? null : refusalOf(shown, action)
  if (refused !== null)
    warnings.push(
      `Devices on native ${refused.native.version} (${refused.native.source}) do not take ${shown}: ${refused.refusal.rule}.`,
    )
  return {
    appId: facts.appId,
    purpose: facts.purpose,
    channelName: facts.channelName,
    channelId: channel?.id ?? null,
    create: create?.settings ?? null,
    action,
    stage,
    link: commit.url,
    comment: noteCommit(
      action.do === 'upload' ? null : action.bundle.comment,
      facts.channelName,
      // What is served already, is so since the note says.
      action.do === 'keep' ? withoutTime(commit) : commit,
      {
        after: shown === served?.name ? null : (served?.name ?? null),
        took: facts.purpose.kind === 'preview' && channel !== null ? tookOver(channel) : null,
      },
    ),
    decisions,
    natives: action.do === 'keep' && action.outcome === 'stale' ? [] : natives,
    warnings,
  }

  /** Throws `native_incompatible`. Where the channel's own rule keeps older apps away, nothing is wrong. */
  function checkNatives(): void {
    const broken = natives.filter(({ compatible }) => !compatible)
    const minimum = action.do === 'upload' ? action.minUpdateVersion : null
    const isShielded =
      channel?.disable_auto_update === 'version_number' &&
      minimum !== null &&
      semver.gt(minimum, served?.min_update_version ?? '0.0.0')
    const mode = facts.onIncompatible ?? (facts.purpose.kind === 'preview' ? 'warn' : 'fail')
    if (broken.length === 0 || isShielded || mode === 'ignore') return
    const lack = `Apps that take ${before?.name} from channel ${facts.base?.name} lack native code of this bundle`
    // The table of native packages says the rest.
    if (mode === 'warn') warnings.push(`${lack}: ${broken.map(({ name }) => name).join(', ')}.`)
    else
      throw new ActionError('native_incompatible', `${lack}: ${listNatives(broken)}.`, {
        hint: 'Release the app to the stores first, then publish with on-incompatible: warn. On a channel with the policy "version_number" a raised native version (or min-update-version) keeps the bundle from older apps.',
      })
  }

  /** Nothing is promised of native code that was compared with nothing. */
  function tellWhatIsNotCompared(): void {
    const why =
      before === null
        ? facts.base === null
          ? 'no channel is known whose apps would take this bundle'
          : `channel ${facts.base.name} serves nothing yet`
        : before.native_packages == null
          ? `${before.name} does not say what its native packages are`
          : null
    if (why === null || facts.nativePackages.length === 0 || facts.onIncompatible === 'ignore') return
    if (facts.onIncompatible === null) decisions.push({ what: 'native packages', value: 'not compared', why })
    else
      warnings.push(
        `Input "on-incompatible" is ${facts.onIncompatible}, but the native packages were not compared: ${why}.`,
      )
  }

  /** Capgo compares it under one policy alone. */
  function tellOfMinimum(): void {
    const policy = rulesOf(facts).disable_auto_update
    const { minUpdateVersion: value } = facts
    if (value === null || policy === 'version_number') return
    const why = `the policy of channel ${facts.channelName} is "${policy}", and only "version_number" compares it`
    // A preview's channel gets its policy from this action.
    if (facts.purpose.kind === 'preview') decisions.push({ what: 'minimum native', value, why })
    else warnings.push(`Input "min-update-version" has no effect here: ${why}.`)
  }

  function decideAction(): PublishAction {
    if (served !== null) {
      const stale = staleBy(facts.standing) ?? (facts.running && staleBy(facts.running.standing))
      if (stale !== null) {
        decisions.push({ what: 'bundle', value: served.name, why: stale })
        return { do: 'keep', outcome: 'stale', bundle: served }
      }
      const active = channel === null ? null : activeRollout(channel)
      if (active === null && isWanted(served) && isReady(served)) {
        decisions.push({ what: 'bundle', value: served.name, why: 'the channel already serves this content' })
        return { do: 'keep', outcome: 'unchanged', bundle: served }
      }
      const running = facts.running?.bundle
      const goesOn = shareOf(facts.rollout) !== null || facts.rollout.onActive === 'advance'
      if (active !== null && active.bps < ALL && running !== undefined && isWanted(running) && goesOn) {
        decisions.push({
          what: 'bundle',
          value: running.name,
          why: `the channel already gives this content to ${formatShare(active.bps)} of its devices${active.paused ? ', paused' : ''}; "operation: rollout" changes that`,
        })
        return { do: 'keep', outcome: 'unchanged', bundle: running }
      }
      const withdrawn = withdrawnCommit()
      if (withdrawn !== null) {
        decisions.push({ what: 'bundle', value: served.name, why: withdrawn })
        return { do: 'keep', outcome: 'stale', bundle: served }
      }
    }
    const same = facts.bundles.filter(bundle => isWanted(bundle) && !bundle.deleted && showable(bundle))
    const ready = same.find(isReady)
    if (ready !== undefined) {
      decisions.push({
        what: 'bundle',
        value: ready.name,
        why: `bundle ${ready.id} has the same content (SHA-256), so nothing is uploaded`,
      })
      return { do: 'promote', bundle: ready }
    }
    const started = same[0]
    if (started !== undefined) {
      decisions.push({
        what: 'bundle',
        value: started.name,
        why: 'an earlier run began to upload this content under that name; it is finished now',
      })
      return { do: 'resume', bundle: started }
    }
    const taken = new Set(facts.bundles.map(bundle => bundle.name))
    const request = nameRequest(facts, taken)
    const choice = chooseName(request)
    const why = [choice.why, ...facts.bundles.flatMap(whyNotReused).slice(0, 1)].join('; ')
    decisions.push({ what: 'bundle', value: choice.names[0], why })
    return { do: 'upload', names: choice.names, minUpdateVersion: request.minUpdateVersion }
  }

  function staleBy(standing: Standing): string | null {
    const { channelName, force, isChosen } = facts
    return isStale({ ours: commit, channelName, standing, isChosen, force })
  }

  /**
   * Content that the channel was rolled back from. The same commit stays off until something else was published; a
   * later one is a decision to bring it back, and is warned about.
   */
  function withdrawnCommit(): string | null {
    const own = served === null ? null : readServedCommit(served, facts.channelName)
    for (const bundle of facts.bundles) {
      const note = readServedCommit(bundle, facts.channelName)
      if (bundle.checksum !== checksum || note?.withdrawn == null || facts.force) continue
      const { run, runId } = note.withdrawn
      if (note.sha === commit.sha && (own === null || own.runId <= runId))
        return `this commit is that of ${bundle.name}, from which run ${run} rolled the channel back; to bring it back, set "force: true"`
      warnings.push(
        `This content is that of ${bundle.name}, from which run ${run} rolled the channel back. It is published again, because ${commit.sha.slice(0, 7)} is another commit. Devices on which it failed never try it again.`,
      )
      return null
    }
    return null
  }

  /** It has the content, in the form and under the name that are asked for. */
  function isWanted(bundle: BundleRow): boolean {
    return (
      bundle.checksum === checksum && !hasOtherName(bundle, facts.wanted) && misfit(bundle, facts) === null
    )
  }

  function whyNotReused(bundle: BundleRow): string[] {
    if (bundle.checksum !== checksum || bundle.deleted) return []
    const reason = misfit(bundle, facts)
    return reason === null ? [] : [`${bundle.name} has this content, but ${reason}`]
  }

  function showable(bundle: BundleRow): boolean {
    return (
      mayShow(bundle.name, facts.wanted.version, facts.channelName, facts.purpose) &&
      isWanted(bundle) &&
      firstRefusal(
        bundle.name,
        nativesOf(facts.natives, channel),
        rulesOf(facts),
        bundle.min_update_version,
      ) === null
    )
  }

  function refusalOf(name: string, chosen: PublishAction) {
    const minimum = chosen.do === 'upload' ? chosen.minUpdateVersion : chosen.bundle.min_update_version
    return firstRefusal(
      name,
      facts.natives.length + facts.unread.length > 0 ? nativesOf(facts.natives, channel) : [NEW_PROJECT],
      rulesOf(facts),
      minimum,
    )
  }
}

/** What Capacitor gives a new native project, and many keep. Names are not chosen by it. */
const NEW_PROJECT: NativeVersion = {
  platform: 'any',
  version: '1.0',
  source: 'that of a new native project; the repository tells none, so set the input "native-version"',
}

function withoutTime({ at: _, ...commit }: Commit): Commit {
  return commit
}

/** Its content is stored and frozen, so devices can be given it. */
export function isReady(bundle: BundleRow): boolean {
  return !bundle.deleted && bundle.storage_provider !== 'r2-direct'
}

/** The channel's rules, or those that it will be made with. */
function rulesOf({ channel, purpose }: PublishFacts): VersionRules {
  return channel ?? (purpose.kind === 'preview' ? PREVIEW_RULES : DEFAULT_RULES)
}

function nameRequest(facts: PublishFacts, taken: ReadonlySet<string>): NameRequest {
  return {
    wanted: facts.wanted,
    natives: nativesOf(facts.natives, facts.channel),
    rules: rulesOf(facts),
    minUpdateVersion: minimumNative(facts),
    channelName: facts.channelName,
    purpose: facts.purpose,
    commit: facts.commit,
    taken,
  }
}

/** `@capacitor/camera 7.0.1 -> 8.0.0 (why)`. */
export function listNatives(changes: readonly NativeChange[]): string {
  return changes
    .map(({ name, before, now, why }) => `${name} ${before === null ? now : `${before} -> ${now}`} (${why})`)
    .join(', ')
}

/** What keeps devices from what a channel serves, whatever the bundle is. */
export function channelWarnings(channel: ChannelRow): string[] {
  const { name: channelName } = channel
  const warnings: string[] = []
  if (!channel.ios && !channel.android)
    warnings.push(`Channel ${channelName} is switched off for iOS and Android: no device takes its bundle.`)
  if (!channel.public && !channel.allow_device_self_set)
    warnings.push(
      `Channel ${channelName} is private and devices cannot choose it: only devices with an override take its bundle.`,
    )
  return warnings
}
