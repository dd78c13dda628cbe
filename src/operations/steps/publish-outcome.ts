/** Carries out what was planned for a publish, or rehearses it on a dry run, and says what came of it. */
import {
  type Contents,
  describeUpdate,
  type ListedFile,
  listStored,
  NOTHING_COMPARED,
} from '../../bundle/contents.ts'
import type { ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { isStale } from '../../plan/staleness.ts'
import { describeDelta, storesContent } from '../../plan/storage.ts'
import {
  type PublishFindings,
  plannedResult,
  publishedResult,
  withVerification,
} from '../../report/channel-results.ts'
import { plural } from '../../report/format.ts'
import { progressReporter } from '../../report/progress.ts'
import type { PublishResult, SourceMapsLink } from '../../report/result.ts'
import type { BuiltBundle } from './build.ts'
import { withDeployment } from './deployment.ts'
import { execute, rehearse } from './execution.ts'
import type { Execution } from './execution-context.ts'
import type { Publication } from './publication.ts'
import { compareContents, measure, plainSha256 } from './served-contents.ts'
import { artifactName, keepSourceMaps } from './source-maps.ts'
import { verifyAsDevice } from './verify.ts'

export interface PublishOutcome {
  readonly result: PublishResult
  /** As it was read last; null when a dry run found none. */
  readonly channel: ChannelRow | null
  /** The channel of a preview's base branch. */
  readonly base: ChannelRow | null
  readonly bundle: BuiltBundle
}

/** The channel serves the commit's content in the end, or the result says why not. A dry run ends as the other would. */
export function carryOut(publication: Publication, context: RunContext): Promise<PublishOutcome> {
  return context.inputs.dryRun ? rehearsePublish(publication, context) : publish(publication, context)
}

async function rehearsePublish(publication: Publication, context: RunContext): Promise<PublishOutcome> {
  const { inputs, bundle, facts, plan, storage } = publication
  const { deps, capgo } = context
  const compare = beginComparison(publication, context)
  await rehearse(plan, { capgo, app: inputs.app, content: bundle.content })
  if (storesContent(plan.action)) deps.log.info(describeDelta(storage.files))
  const contents = await compare(null)
  const result = plannedResult(findingsOf({ contents, upload: null }, publication, context))
  const maps = mapsOf(publication)
  if (maps.length > 0 && plan.action.do !== 'keep')
    deps.log.info(
      `Would store ${plural(maps.length, 'source map')} as artifact ${artifactName(context.inputs, plan.appId, result.bundle.name)}.`,
    )
  return { result, channel: facts.channel, base: facts.base, bundle }
}

async function publish(publication: Publication, context: RunContext): Promise<PublishOutcome> {
  const { inputs, bundle, facts, plan } = publication
  const { capgo, deps } = context
  const { clock, log } = deps
  const compare = beginComparison(publication, context)
  const publishing = clock()
  let sourceMaps: SourceMapsLink | null = null
  const resultOf = (execution: Execution, measured: Measured) =>
    resultOfPublish(execution, measured, publication, context)
  const soFar = { contents: NOTHING_COMPARED, sourceMaps: null }
  const work = () =>
    log.group('Publish', () =>
      execute(plan, {
        capgo,
        app: inputs.app,
        channel: facts.channel,
        stored: facts.storedFiles,
        commit: inputs.target.commit,
        content: bundle.content,
        storage: publication.storage,
        staleBy: channel => staleBy(channel, publication),
        beforeSeen: async name => {
          sourceMaps = await keepMaps(name, publication, context)
        },
        log: message => log.info(message),
        onProgress: progressReporter(log, clock),
        onFile: progressReporter(log, clock, (sent, total) =>
          sent === total ? null : `Uploaded ${sent} of ${total} files.`,
        ),
        onTakeUp: progressReporter(
          log,
          clock,
          (taken, total) => `Capgo has taken up ${taken} of ${total} files.`,
        ),
        onServed: execution => {
          const size = sizeOf(execution, facts)
          context.onServed(resultOf(execution, { ...soFar, size, upload: null }))
        },
      }),
    )
  const execution =
    plan.action.do === 'keep' ? await work() : await withDeployment(inputs.target, plan, context, work)
  const upload = clock() - publishing
  const about = execution.bundle ?? execution.channel.version
  const size = sizeOf(execution, facts) ?? (about === null ? null : await measure(about, capgo))
  if (execution.outcome !== 'published') context.onServed(resultOf(execution, { ...soFar, size, upload }))
  const verified = await verify(execution, publication, context)
  const contents = await compare(execution.files)
  const result = withVerification(resultOf(execution, { contents, size, upload, sourceMaps }), verified)
  return { result, channel: execution.channel, base: facts.base, bundle }
}

/** Why the commit must not be put on the channel as it is now, or null. */
async function staleBy(
  channel: ChannelRow | null,
  { inputs, standingTo }: Publication,
): Promise<string | null> {
  const standing = await standingTo(channel?.version ?? null)
  return isStale({ ...inputs.facts, ours: inputs.target.commit, standing })
}

/** Asks for the update as a device would; null where nobody wants that, or the bundle is not this run's. */
async function verify(
  { outcome, bundle: own, channel }: Execution,
  { inputs, bundle: built, plan }: Publication,
  context: RunContext,
) {
  const bundle = own ?? channel.version
  if (!context.inputs.verify || outcome === 'stale' || bundle === null) return null
  const { nativeVersions: natives } = inputs.facts
  return verifyAsDevice(
    { appId: plan.appId, channel, bundle, natives, opener: built.content.encryption },
    context,
  )
}

/** Source maps in the web folder, as far as they are kept. */
function mapsOf({ inputs, bundle }: Publication): BuiltBundle['sourceMaps'] {
  return inputs.uploadArtifact === null ? [] : bundle.sourceMaps
}

/** Before devices see a bundle, its source maps are an artifact of the run. */
async function keepMaps(
  bundleName: string,
  publication: Publication,
  { deps, inputs, trigger }: RunContext,
): Promise<SourceMapsLink | null> {
  const { uploadArtifact } = publication.inputs
  const maps = mapsOf(publication)
  if (uploadArtifact === null || maps.length === 0) return null
  const { directory } = publication.bundle.content
  const name = artifactName(inputs, publication.plan.appId, bundleName)
  const retentionDays = inputs.sourceMapsRetentionDays
  deps.log.info(`Storing ${plural(maps.length, 'source map')} as artifact ${name}.`)
  const kept = await keepSourceMaps(uploadArtifact, { name, directory, maps, retentionDays })
  if (kept.name !== name) deps.log.info(`They are stored as ${kept.name}: the run has an artifact ${name}.`)
  return { ...kept, url: kept.id === null ? null : `${trigger.runUrl}/artifacts/${kept.id}` }
}

/** Bytes that this run stored, else what was seen in the store while planning. */
function sizeOf({ size, bundle, channel }: Execution, { sizes }: Publication['facts']): number | null {
  return size ?? sizes.get((bundle ?? channel.version)?.id ?? 0) ?? null
}

/**
 * Begins to compare the bundle with the one that is served: by the delta files where both have them (they are known
 * once the bundle is stored), else by the two zips.
 */
function beginComparison(
  { facts, plan, bundle }: Publication,
  { inputs, capgo }: RunContext,
): (files: readonly ListedFile[] | null) => Promise<Contents> {
  if (plan.action.do === 'keep') return async () => NOTHING_COMPARED
  const served = facts.channel?.version ?? null
  const compareZips = () => compareContents(served, bundle.content, capgo)
  const mayHaveFiles = !inputs.dryRun && plan.action.do !== 'promote'
  const before =
    mayHaveFiles && served !== null && facts.storedFiles.of === served.id
      ? listStored(facts.storedFiles.files, served.manifest_count)
      : null
  if (served === null || before === null) {
    const compared = compareZips()
    return () => compared
  }
  return async files =>
    files === null ? compareZips() : describeUpdate({ name: served.name, files: before }, files)
}

/** Measurements of a publish. */
interface Measured {
  readonly contents: Contents
  /** Bytes of the bundle in the store; null when not known. */
  readonly size: number | null
  /** Milliseconds; null while it runs. */
  readonly upload: number | null
  readonly sourceMaps: SourceMapsLink | null
}

function resultOfPublish(
  execution: Execution,
  measured: Measured,
  publication: Publication,
  context: RunContext,
): PublishResult {
  const about = execution.bundle ?? execution.channel.version ?? { checksum: null, session_key: null }
  const sha256 = plainSha256(about, publication.bundle.content.encryption)
  return publishedResult(findingsOf(measured, publication, context), {
    ...execution,
    size: measured.size,
    sourceMaps: measured.sourceMaps,
    sha256,
  })
}

function findingsOf(
  { contents, upload }: Pick<Measured, 'contents' | 'upload'>,
  { plan, facts, bundle }: Publication,
  { deps, inputs, began }: RunContext,
): PublishFindings {
  return {
    plan,
    known: facts,
    built: bundle,
    consoleUrl: inputs.hosts.console,
    contents,
    upload,
    total: deps.clock() - began,
  }
}
