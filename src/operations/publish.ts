import { type Contents, describeContents, listStored, NOTHING_COMPARED } from '../bundle/contents.ts'
import type { Capgo } from '../capgo/client.ts'
import type { App, ChannelRow } from '../capgo/schema.ts'
import { PackagesMissing } from '../checkout/evaluator.ts'
import type { RunContext } from '../context.ts'
import {
  comparer,
  gatherContents,
  gatherForContent,
  gatherProject,
  gatherRemote,
  gatherWorkplace,
  type Project,
} from '../gather.ts'
import type { UploadArtifact } from '../github/upload-artifact.ts'
import { type FilesPlan, planFiles } from '../plan/delta.ts'
import { checkBeforeBuild, planPublish } from '../plan/publish.ts'
import type { PublishFacts } from '../plan/publish-facts.ts'
import type { RolloutRequest } from '../plan/rollout.ts'
import { type Head, isStale } from '../plan/staleness.ts'
import type { Commit, Purpose } from '../plan/types.ts'
import { plannedResult, publishedResult, withVerification } from '../report/channel-results.ts'
import { plural } from '../report/format.ts'
import { renderLogPlan } from '../report/log.ts'
import { progressReporter } from '../report/progress.ts'
import type { PublishResult, SourceMapsLink } from '../report/result.ts'
import { shownPath } from '../runtime/paths.ts'
import { type Built, buildBundle, checkAndZip, install, type Zipped } from './steps/build.ts'
import type { Content } from './steps/content.ts'
import { UPLOADS } from './steps/delta-upload.ts'
import { withDeployment } from './steps/deployment.ts'
import { measure, plainSha256 } from './steps/served-contents.ts'
import { artifactName, keepSourceMaps, openArtifacts } from './steps/source-maps.ts'
import { standingReader } from './steps/standing.ts'
import { type Published, publish, rehearse } from './steps/upload.ts'
import { requireVerifiable, verifyAsDevice } from './steps/verify.ts'

/** What shall be on which channel, and what for. */
export interface Target {
  readonly channelName: string
  readonly why: string
  readonly purpose: Purpose
  readonly commit: Commit
  /** Why it is this commit, where that is not the run's own. */
  readonly commitWhy: string | null
  /** The commit was checked out on purpose; the run is of another one. */
  readonly isChosen: boolean
  /** What GitHub says now of the ref or pull request that this is published for. */
  readonly readHead: () => Promise<Head>
  readonly rollout: RolloutRequest
  /** GitHub's environment for it. */
  readonly environment: string
  /** Of a preview, the channel that the base branch publishes to; null without one. */
  readonly baseChannel: string | null
  /** The web build comes from elsewhere: nothing is built or looked for here. */
  readonly takesBuild: boolean
}

/** All that is known before anything is built. */
export interface Prepared {
  readonly target: Target
  readonly project: Project
  readonly app: App
  readonly facts: PublishFacts
  /** The zip that is being made already, where nothing has to be built before. */
  readonly zipping: Promise<Zipped> | null
  /** Stores the source maps; null where they are not to be kept. */
  readonly uploadArtifact: UploadArtifact | null
}

export interface Delivered {
  readonly result: PublishResult
  /** As it was read last; null when a dry run found none. */
  readonly channel: ChannelRow | null
  /** What a preview's base branch serves. */
  readonly base: ChannelRow | null
  readonly built: Built
}

/** Reads the project and what Capgo has. */
export async function prepare(target: Target, context: RunContext): Promise<Prepared> {
  const { deps, inputs, capgo } = context
  const uploadArtifact = await openArtifacts(inputs, deps)
  const project = await readProject(target, context)
  return deps.log.group('Read the project and Capgo', async () => {
    const folder = shownPath(project.root, project.webDirectory) || '.'
    deps.log.info(`App ${project.appId}${target.takesBuild ? '' : `, web folder ${folder}`}.`)
    const known = { target, project, uploadArtifact }
    if (target.takesBuild || inputs.build)
      return { ...known, ...(await gatherRemote(project, target, inputs, capgo)), zipping: null }
    const zipping = checkAndZip(project, inputs, deps, context.over)
    // Whoever awaits it sees the error; until then it must not count as one that nobody sees.
    zipping.catch(() => {})
    return { ...known, ...(await gatherRemote(project, target, inputs, capgo)), zipping }
  })
}

/** A config may import packages: where this run installs them anyway, it does so before it reads such a config. */
async function readProject(target: Target, { deps, inputs, trigger }: RunContext): Promise<Project> {
  const read = (beforeInstall: boolean) => gatherProject(inputs, trigger, deps, { ...target, beforeInstall })
  try {
    return await read(inputs.build && !target.takesBuild)
  } catch (error) {
    if (!(error instanceof PackagesMissing) || !inputs.build || target.takesBuild) throw error
    deps.log.info(`The Capacitor config needs packages (${error.message}) They are installed first.`)
    await install(gatherWorkplace(inputs, deps), deps)
    return await read(false)
  }
}

/** Whose devices will take a preview's content next; none for a branch, whose own devices do. */
function basesOf({ purpose, baseChannel }: Target, { publicChannels }: PublishFacts): readonly string[] {
  if (purpose.kind !== 'preview') return []
  return [...(baseChannel === null ? [] : [baseChannel]), ...publicChannels.slice(0, 1)]
}

/** What a run is about: its own bundle, else what the channel serves. */
function aboutOf({ bundle, channel }: Published) {
  return bundle ?? channel.version ?? { checksum: null, session_key: null }
}

/** What would have to be waited for later is done while the plan is made; who needs it sees what is wrong. */
function goAhead(
  { appId, channel, newest }: PublishFacts,
  app: App,
  content: Content,
  form: () => Promise<FilesPlan>,
  capgo: Capgo,
): void {
  const permission = channel === null ? 'app.create_channel' : 'channel.promote_bundle'
  capgo.hasPermission(permission, appId, channel?.id ?? null).catch(() => {})
  form()
    .then(({ on }) => {
      // The app has none of its files stored.
      if (on && newest.length === 0) capgo.expectUploads(Math.min(UPLOADS, content.fileCount))
    })
    .catch(() => {})
  capgo.requireStorage(app.owner_org, appId).catch(() => {})
}

/**
 * Builds, plans and publishes: the channel serves the commit's content in the end, or the run says why not.
 * `webBuild` is the folder of a build that is there already (absolute).
 */
export async function deliver(
  { target, project, app, facts, zipping, uploadArtifact }: Prepared,
  webBuild: string | null,
  context: RunContext,
): Promise<Delivered> {
  const { deps, inputs, capgo } = context
  const { log, clock } = deps
  const names = checkBeforeBuild(facts)
  requireVerifiable(facts.channel, facts.natives, { bundle: null, opener: null }, context)
  const built = await buildBundle(
    webBuild === null ? project : { ...project, webDirectory: webBuild },
    inputs,
    deps,
    zipping,
  )
  const form = async () => planFiles(built.content, await capgo.readFilesConfig())
  if (!inputs.dryRun && built.content.checksum !== facts.channel?.version?.checksum)
    goAhead(facts, app, built.content, form, capgo)
  const standingTo = standingReader(target.commit, target.readHead, comparer(project, context.github, deps))
  const known = await gatherForContent(
    facts,
    names,
    built.content,
    zipping === null,
    basesOf(target, facts),
    capgo,
    standingTo,
  )
  const plan = planPublish(known)
  const told = { ...built, warnings: [...project.warnings, ...built.warnings] }
  await log.group('Plan', async () => {
    for (const warning of told.warnings) log.info(`Note: ${warning}`)
    for (const line of renderLogPlan(plan.decisions)) log.info(line)
  })

  // From here on a dry run ends as the other would.
  const isStored = plan.action.do === 'upload' || plan.action.do === 'resume'
  const files = isStored ? await form() : null

  const served = known.channel?.version ?? null
  // What was served is known by its delta files where ours will be too; else the zips are compared.
  const before =
    served !== null && known.stored.of === served.id && !inputs.dryRun && plan.action.do !== 'promote'
      ? listStored(known.stored.files, served.manifest_count)
      : null
  const compareZips = () => gatherContents(served, built.content, capgo)
  const contents = plan.action.do === 'keep' ? NOTHING_COMPARED : before === null ? compareZips() : null
  const findings = { plan, known, built: told, consoleUrl: inputs.hosts.console }
  const maps = uploadArtifact === null ? [] : built.sourceMaps
  if (inputs.dryRun) {
    await rehearse(plan, { capgo, app, content: built.content })
    if (files !== null)
      log.info(
        files.on ? `Files would be stored one by one too: ${files.why}.` : `No delta files: ${files.why}.`,
      )
    const result = plannedResult({
      ...findings,
      contents: await (contents ?? compareZips()),
      upload: null,
      total: clock() - context.began,
    })
    if (maps.length > 0 && plan.action.do !== 'keep')
      log.info(
        `${plural(maps.length, 'source map')} would be kept as the artifact ${artifactName(inputs, project.appId, result.bundle.name)}.`,
      )
    return { result, channel: known.channel, base: known.base, built }
  }
  const { encryption: opener } = built.content
  let sourceMaps: SourceMapsLink | null = null
  const tell = (published: Published, changes: Contents, size: number | null, upload: number | null) =>
    publishedResult(
      { ...findings, contents: changes, upload, total: clock() - context.began },
      { ...published, size, sha256: plainSha256(aboutOf(published), opener), sourceMaps },
    )
  const sizeOf = ({ size, bundle, channel }: Published) =>
    size ?? known.sizes.get((bundle ?? channel.version)?.id ?? 0) ?? null
  const publishing = clock()
  const beforeSeen = async (bundle: string) => {
    if (uploadArtifact === null || maps.length === 0) return
    const { directory } = built.content
    const name = artifactName(inputs, project.appId, bundle)
    const retentionDays = inputs.sourceMapsRetentionDays
    const stored = await keepSourceMaps(uploadArtifact, { name, directory, maps, retentionDays })
    const url = stored.id === null ? null : `${context.trigger.runUrl}/artifacts/${stored.id}`
    sourceMaps = { ...stored, url }
    log.info(`${plural(stored.count, 'source map')} kept as the artifact ${stored.name}.`)
  }
  const work = () =>
    log.group('Publish', () =>
      publish(plan, {
        capgo,
        app,
        channel: known.channel,
        stored: known.stored,
        commit: target.commit,
        content: built.content,
        files,
        staleBy: async channel => {
          const standing = await standingTo(channel?.version ?? null)
          return isStale({ ...facts, ours: target.commit, standing })
        },
        beforeSeen,
        log: message => log.info(message),
        onProgress: progressReporter(log, clock),
        onFile: progressReporter(log, clock, (sent, total) => `Sent ${sent} of ${total} files.`),
        onServed: served => context.onServed(tell(served, NOTHING_COMPARED, sizeOf(served), null)),
      }),
    )
  const published =
    plan.action.do === 'keep' ? await work() : await withDeployment(target, plan, context, work)
  const upload = clock() - publishing
  const bundle = published.bundle ?? published.channel.version
  const size = sizeOf(published) ?? (bundle === null ? null : await measure(bundle, capgo))
  if (published.outcome !== 'published') context.onServed(tell(published, NOTHING_COMPARED, size, upload))
  const verified =
    inputs.verify && published.outcome !== 'stale' && bundle !== null
      ? await verifyAsDevice(
          {
            appId: project.appId,
            channel: published.channel,
            bundle,
            natives: facts.natives,
            opener,
          },
          context,
        )
      : null
  const compared =
    contents ??
    (published.files === null
      ? compareZips()
      : describeContents({ name: served!.name, files: before! }, published.files))
  return {
    result: withVerification(tell(published, await compared, size, upload), verified),
    channel: published.channel,
    base: known.base,
    built,
  }
}
