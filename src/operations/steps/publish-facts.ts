/** Capgo's facts for a publish: before anything is built, and once the content is known. */
import { encryptedSize } from '../../bundle/encrypt.ts'
import type { Capgo } from '../../capgo/client.ts'
import type { App, BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { isReady } from '../../plan/delivery.ts'
import { hasOpenFiles } from '../../plan/delta.ts'
import type { BuiltFacts, PublishFacts } from '../../plan/publish-facts.ts'
import { NO_RELEASE_NOTES } from '../../plan/release-notes.ts'
import { misfit } from '../../plan/reuse.ts'
import { activeRollout } from '../../plan/rollout.ts'
import { isStale } from '../../plan/staleness.ts'
import { hasOtherName, withoutBuildMetadata } from '../../plan/version.ts'
import type { Content } from './content.ts'
import type { Project } from './project.ts'
import type { PublishTarget } from './publish-target.ts'
import type { NotesSince } from './release-notes.ts'
import { type Inspection, inspect, inspectServed } from './served-contents.ts'
import type { ReadStanding } from './standing.ts'

/** Capgo's facts before anything is built. */
export async function readFactsBeforeBuild(
  project: Project,
  target: PublishTarget,
  { minUpdateVersion, onIncompatible, dryRun, force, delta }: Inputs,
  capgo: Capgo,
): Promise<{ app: App; facts: PublishFacts }> {
  // Prefetch: errors surface at the later call.
  if (!dryRun) capgo.readFilesConfig().catch(() => {})
  const { app, channel, publicChannels, newest, deletedAt } = await capgo.readAppAndChannel(
    project.appId,
    target.channelName,
  )
  // Only these two leave a form out on purpose.
  const isAsked = channel !== null && (delta === 'false' || delta === 'only')
  return {
    app,
    facts: {
      updatePackage: isAsked ? await capgo.readUpdatePackage(project.appId, channel) : null,
      delta,
      appId: project.appId,
      channelName: target.channelName,
      channelWhy: target.why,
      channel,
      publicChannels,
      newest,
      deletedAt,
      purpose: target.purpose,
      // A preview has a name of its own, so that the version stays free for the release.
      wanted: { ...project.wanted, forced: project.wanted.forced && target.purpose.kind === 'branch' },
      nativeVersions: project.natives,
      unreadVersions: project.unread,
      commit: target.commit,
      commitWhy: target.commitWhy,
      isChosen: target.isChosen,
      force,
      rollout: target.rollout,
      minUpdateVersion: minUpdateVersion === null ? null : withoutBuildMetadata(minUpdateVersion, '').version,
      onIncompatible,
    },
  }
}

/** The facts of a publish when it asks Capgo about the content. */
interface ContentQuestion {
  readonly facts: PublishFacts
  readonly content: Content
  /** That the bundle may get. */
  readonly names: readonly string[]
  /** The channel was read a moment ago; else a build has taken its time, and it is read again. */
  readonly isFresh: boolean
  /**
   * Channels whose devices will take the bundle, when those are not the channel's own: the first that serves something
   * counts.
   */
  readonly baseChannels: readonly string[]
}

/** Capgo's facts once the content is known. */
export async function readFactsOfContent(
  question: ContentQuestion,
  capgo: Capgo,
  standingTo: ReadStanding,
  notesSince: NotesSince,
): Promise<BuiltFacts> {
  const { facts, content } = question
  const { checksum, nativePackages, delta } = content
  const looks = createLooks(facts, content, capgo)
  const served = facts.channel?.version ?? null
  const mayBeDelta = delta !== 'false' && content.encryption === null && served?.checksum !== checksum
  const filesOf = mayBeDelta && hasOpenFiles(served) ? served : null
  const found = await readChannelsAndBundles(question, { filesOf, mayServe: looks.mayServe }, capgo)
  const channelOf = (name: string) => found.channels.find(channel => channel.name === name) ?? null
  const channel = channelOf(facts.channelName)
  const isPreview = facts.purpose.kind === 'preview'
  const bases = isPreview ? question.baseChannels.map(channelOf) : [channel]
  const base = bases.find(each => each?.version != null) ?? bases.find(each => each !== null) ?? null
  const serves = await looks.mayServe(channel?.version ?? null, channel)
  // A channel that serves the content already changes nothing for its devices.
  const notes = serves && !isPreview ? NO_RELEASE_NOTES : notesSince(base)
  const standing = await standingTo(channel?.version ?? null)
  const { commit: ours, channelName, isChosen, force } = facts
  const isKept = serves || isStale({ ours, channelName, standing, isChosen, force }) !== null
  const version = channel?.version ? await looks.withoutFaults(channel.version) : null
  const bundles = isKept ? [] : await Promise.all(found.bundles.map(looks.withoutFaults))
  return {
    ...facts,
    channel: channel === null ? null : { ...channel, version },
    base,
    standing,
    rolloutBundle: await readRunning(facts.appId, channel, capgo, standingTo),
    checksum,
    sha256: content.zip.sha256,
    size: content.encryption === null ? content.zip.size : encryptedSize(content.zip.size),
    delta,
    sizes: await looks.sizes(),
    nativePackages,
    releaseNotes: await notes,
    bundles,
    storedFiles: { newest: facts.newest, of: filesOf?.id ?? null, files: found.files },
  }
}

/** The channels, and bundles that may have the content. Nothing is asked where the channel is known to serve it. */
async function readChannelsAndBundles(
  { facts, content, names, isFresh, baseChannels }: ContentQuestion,
  { filesOf, mayServe }: Pick<Looks, 'mayServe'> & { readonly filesOf: BundleRow | null },
  capgo: Capgo,
) {
  const { appId, channel, channelName } = facts
  if (isFresh && baseChannels.length === 0 && (await mayServe(channel?.version ?? null, channel)))
    return { channels: channel === null ? [] : [channel], bundles: [], files: [] }
  return capgo.readChannelsAndBundles(appId, {
    channels: [...new Set([channelName, ...baseChannels])],
    names,
    checksum: content.checksum,
    filesOf: filesOf === null ? null : { id: filesOf.id, count: filesOf.manifest_count },
  })
}

/** Looks at what is stored of bundles that have this content already, each once, before any device is given one. */
interface Looks {
  /** Whether the channel may keep serving this bundle. */
  mayServe(bundle: BundleRow | null, channel: ChannelRow | null): Promise<boolean>
  /** Content that is lost or differs cannot be served nor repaired; the name stays taken. */
  withoutFaults<Bundle extends BundleRow>(bundle: Bundle): Promise<Bundle>
  /** Of all bundles that were looked at, by id: bytes in the store. */
  sizes(): Promise<Map<number, number | null>>
}

function createLooks(facts: PublishFacts, content: Content, capgo: Capgo): Looks {
  const { checksum, nativePackages, delta } = content
  const looked = new Map<number, Promise<Inspection>>()
  const look = (bundle: BundleRow): Promise<Inspection> => {
    const expected = { zip: content.zip, opener: content.encryption }
    const inspection =
      looked.get(bundle.id) ??
      (bundle.id === facts.channel?.version?.id
        ? inspectServed(bundle, expected, facts.deletedAt, capgo)
        : inspect(bundle, expected, capgo))
    looked.set(bundle.id, inspection)
    return inspection
  }
  return {
    mayServe: async (bundle, channel) =>
      bundle?.checksum === checksum &&
      !hasOtherName(bundle, facts.wanted) &&
      misfit(bundle, { ...facts, channel, nativePackages, delta }) === null &&
      (await look(bundle)).fault === null,
    withoutFaults: async bundle =>
      bundle.checksum === checksum && isReady(bundle) && (await look(bundle)).fault !== null
        ? { ...bundle, checksum: null }
        : bundle,
    sizes: async () =>
      new Map(await Promise.all([...looked].map(async ([id, it]) => [id, (await it).size] as const))),
  }
}

/** The bundle that the channel rolls out besides the one it serves. */
async function readRunning(
  appId: string,
  channel: ChannelRow | null,
  capgo: Capgo,
  standingTo: ReadStanding,
): Promise<BuiltFacts['rolloutBundle']> {
  const active = channel === null ? null : activeRollout(channel)
  const bundle = active === null ? null : await capgo.readBundleById(appId, active.id)
  return bundle === null ? null : { bundle, standing: await standingTo(bundle) }
}
