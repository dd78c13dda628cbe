/** The plan of a publish: the steps after which a channel serves the build. */
import { ActionError } from '../errors.ts'
import { noteCommit, tookOver } from './bundle-comment.ts'
import { channelWarnings, newChannelSettings } from './channel.ts'
import { compareNativePackages, isShielded, listNativeChanges, type NativeChange } from './native-changes.ts'
import { nativeVersionDecisions, nativeVersionsOn } from './native-versions.ts'
import { chooseAction, nameOf, nameRequest, rulesOf } from './publish-action.ts'
import type { BuiltFacts, PublishAction, PublishFacts, PublishPlan } from './publish-facts.ts'
import { NO_RELEASE_NOTES } from './release-notes.ts'
import { decideRolloutTarget, EVERYBODY, formatShare, type RolloutTarget } from './rollout.ts'
import type { Commit, Decision, NativeVersion } from './types.ts'
import { requireFormOf } from './update-package.ts'
import { chooseName, firstRefusal, possibleNames } from './version.ts'

/**
 * Everything that can be refused before anything is built: a forced version that no device would take, a channel whose
 * rules leave no name, or one that does not take the form of the bundle. Returns the names that the plan may want, to
 * ask Capgo which are taken.
 */
export function checkBeforeBuild(facts: PublishFacts): string[] {
  requireFormOf(facts.delta, facts.updatePackage, facts.channelName)
  const request = nameRequest(facts, new Set())
  chooseName(request)
  return possibleNames(request)
}

/** Parts of the plan, printed in this order. */
interface Findings {
  readonly decisions: readonly Decision[]
  readonly warnings: readonly string[]
}

const NOTHING: Findings = { decisions: [], warnings: [] }

/** The plan by which the channel serves the content that was built. Pure. */
export function planPublish(facts: BuiltFacts): PublishPlan {
  const { channel } = facts
  const create = channel === null ? newChannelSettings(facts.purpose, facts.publicChannels) : null
  const natives = compareNativePackages(facts.nativePackages, facts.base?.version?.native_packages ?? null)
  const { action, why, warnings } = chooseAction(facts)
  const isStale = action.do === 'keep' && action.outcome === 'stale'
  const rollout = planRollout(facts, action)
  const findings: Findings[] = [
    {
      decisions: [
        { what: 'channel', value: facts.channelName, why: facts.channelWhy },
        ...ofCommit(facts),
        ...nativeVersionDecisions(facts.nativeVersions, facts.unreadVersions),
        ...ofNewChannel(facts, create),
        { what: 'bundle', value: nameOf(action), why },
      ],
      warnings,
    },
    rollout,
    // A preview's own channel may serve the content already; the apps that take it next are those of its base.
    ...(action.do === 'keep' && facts.purpose.kind !== 'preview'
      ? []
      : [findUncompared(facts), judgeNativeCode(facts, action, natives)]),
    judgeMinimum(facts),
    {
      decisions: [],
      warnings: [...(channel === null ? [] : channelWarnings(channel)), ...warnOfRefusal(facts, action)],
    },
  ]
  return {
    appId: facts.appId,
    purpose: facts.purpose,
    channelName: facts.channelName,
    channelId: channel?.id ?? null,
    create: create?.settings ?? null,
    action,
    rolloutTarget: rollout.target,
    link: facts.commit.url,
    comment: commentOf(facts, action),
    decisions: findings.flatMap(({ decisions }) => decisions),
    nativeChanges: isStale ? [] : natives,
    releaseNotes: isStale ? NO_RELEASE_NOTES : facts.releaseNotes,
    warnings: findings.flatMap(({ warnings }) => warnings),
  }
}

/** Shown where it is not the run's own commit. */
function ofCommit({ commit, commitWhy }: BuiltFacts): Decision[] {
  return commitWhy === null ? [] : [{ what: 'commit', value: commit.sha.slice(0, 7), why: commitWhy }]
}

function ofNewChannel({ channelName }: BuiltFacts, create: { readonly why: string } | null): Decision[] {
  return create === null ? [] : [{ what: 'new channel', value: channelName, why: create.why }]
}

/** The devices that get the bundle. Throws `rollout_active`. */
function planRollout(
  facts: BuiltFacts,
  action: PublishAction,
): Findings & { readonly target: RolloutTarget } {
  if (action.do === 'keep') return { ...NOTHING, target: EVERYBODY }
  const { target, why, warning } = decideRolloutTarget(
    facts.channel,
    facts.rolloutBundle?.bundle.name ?? null,
    facts.rollout,
  )
  const value = target.bps === null ? 'everybody' : formatShare(target.bps)
  return {
    target,
    decisions: why === null ? [] : [{ what: 'rollout', value, why }],
    warnings: warning === null ? [] : [warning],
  }
}

/** The bundle's comment: what is served already, is so since its note says. */
function commentOf(facts: BuiltFacts, action: PublishAction): string {
  const { channel, channelName, purpose, commit, releaseNotes } = facts
  const served = channel?.version ?? null
  return noteCommit(
    action.do === 'upload' ? null : action.bundle.comment,
    channelName,
    action.do === 'keep' ? withoutTime(commit) : commit,
    {
      previous: served === null || served.name === nameOf(action) ? null : served.name,
      took: purpose.kind === 'preview' && channel !== null ? tookOver(channel) : null,
      releaseNotes,
    },
  )
}

function withoutTime({ at: _, ...commit }: Commit): Commit {
  return commit
}

/** Nothing is promised of native code that was compared with nothing. */
function findUncompared({ base, nativePackages, onIncompatible }: BuiltFacts): Findings {
  const why = whyUncompared(base)
  if (why === null || nativePackages.length === 0 || onIncompatible === 'ignore') return NOTHING
  return onIncompatible === null
    ? { ...NOTHING, decisions: [{ what: 'native packages', value: 'not compared', why }] }
    : {
        ...NOTHING,
        warnings: [
          `Input "on-incompatible" is ${onIncompatible}, but the native packages were not compared: ${why}.`,
        ],
      }
}

function whyUncompared(base: BuiltFacts['base']): string | null {
  if (base === null) return 'no channel is known whose apps would get this bundle'
  if (base.version === null) return `channel ${base.name} serves nothing yet`
  return base.version.native_packages == null
    ? `the native packages of ${base.version.name} are not known`
    : null
}

/** Throws `native_incompatible`. Where the channel's own rule keeps older apps away, nothing is wrong. */
function judgeNativeCode(
  { channel, base, purpose, onIncompatible }: BuiltFacts,
  action: PublishAction,
  natives: readonly NativeChange[],
): Findings {
  const broken = natives.filter(({ compatible }) => !compatible)
  const minimum = action.do === 'upload' ? action.minUpdateVersion : null
  const mode = onIncompatible ?? (purpose.kind === 'preview' ? 'warn' : 'fail')
  if (broken.length === 0 || mode === 'ignore' || (channel !== null && isShielded(channel, minimum)))
    return NOTHING
  const lack = `Installed apps on channel ${base?.name} (with ${base?.version?.name}) lack native code of this bundle`
  // The table of native packages says the rest.
  if (mode === 'warn')
    return { ...NOTHING, warnings: [`${lack}: ${broken.map(({ name }) => name).join(', ')}.`] }
  throw new ActionError('native_incompatible', `${lack}: ${listNativeChanges(broken)}.`, {
    hint: 'Release the app to the stores first, then publish with on-incompatible: warn. On a channel with the policy "version_number", a higher native version (or min-update-version) keeps the bundle from older apps.',
  })
}

/** Capgo compares a minimum native version under one policy alone. */
function judgeMinimum(facts: BuiltFacts): Findings {
  const policy = rulesOf(facts).disable_auto_update
  const { minUpdateVersion: value } = facts
  if (value === null || policy === 'version_number') return NOTHING
  const why = `the policy of channel ${facts.channelName} is "${policy}", and only "version_number" compares it`
  // A preview's channel gets its policy from this action.
  return facts.purpose.kind === 'preview'
    ? { ...NOTHING, decisions: [{ what: 'minimum native', value, why }] }
    : { ...NOTHING, warnings: [`Input "min-update-version" has no effect here: ${why}.`] }
}

/** What Capacitor gives a new native project, and many keep. Names are not chosen by it. */
const NEW_PROJECT: NativeVersion = {
  platform: 'any',
  version: '1.0',
  source: 'assumed, as in a new native project: set the input "native-version"',
}

/** Devices that do not take what the channel is going to serve. */
function warnOfRefusal(facts: BuiltFacts, action: PublishAction): string[] {
  const { nativeVersions: natives, unreadVersions: unread, channel } = facts
  const name = nameOf(action)
  const isKnown = natives.length + unread.length > 0
  const refused = firstRefusal(
    name,
    isKnown ? nativeVersionsOn(natives, channel) : [NEW_PROJECT],
    rulesOf(facts),
    action.do === 'upload' ? action.minUpdateVersion : action.bundle.min_update_version,
  )
  return refused === null
    ? []
    : [
        `Devices on native ${refused.native.version} (${refused.native.source}) do not accept ${name}: ${refused.refusal.rule}.`,
      ]
}
