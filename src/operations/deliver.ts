import { shownPath } from '../bundle/paths.ts'
import type { Capgo } from '../capgo/client.ts'
import type { App, ChannelRow } from '../capgo/wire.ts'
import {
  comparer,
  gatherContents,
  gatherForContent,
  gatherProject,
  gatherRemote,
  type Project,
} from '../gather.ts'
import { checkBeforeBuild, planPublish } from '../plan/plan.ts'
import type { RolloutRequest } from '../plan/rollout.ts'
import { type Head, isStale } from '../plan/staleness.ts'
import type { Commit, PublishFacts, Purpose } from '../plan/types.ts'
import { describeContents, listStored } from '../report/contents.ts'
import { NOTHING_COMPARED, plannedResult, publishedResult, withVerification } from '../report/outcome.ts'
import { progressReporter } from '../report/progress.ts'
import { renderLogPlan } from '../report/render.ts'
import type { PublishResult } from '../report/result.ts'
import { type Built, buildBundle, checkAndZip, type Zipped } from './build.ts'
import type { Content } from './content.ts'
import type { RunContext } from './context.ts'
import { UPLOADS } from './delta.ts'
import { withDeployment } from './deployment.ts'
import { decideFiles, publish } from './publish.ts'
import { standingReader } from './standing.ts'
import { requireVerifiable, verifyAsDevice } from './verify.ts'

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
  const { deps, inputs, trigger, capgo } = context
  return deps.log.group('Read the project and Capgo', async () => {
    const project = await gatherProject(inputs, trigger, deps, target.takesBuild)
    const folder = shownPath(project.root, project.webDirectory) || '.'
    deps.log.info(`App ${project.appId}${target.takesBuild ? '' : `, web folder ${folder}`}.`)
    if (target.takesBuild || inputs.build)
      return { target, project, ...(await gatherRemote(project, target, inputs, capgo)), zipping: null }
    const zipping = checkAndZip(project, inputs, deps, context.over)
    // Whoever awaits it sees the error; until then it must not count as one that nobody sees.
    zipping.catch(() => {})
    return { target, project, ...(await gatherRemote(project, target, inputs, capgo)), zipping }
  })
}

/** What would have to be waited for later is done while the plan is made; who needs it sees what is wrong. */
function goAhead({ appId, channel, newest }: PublishFacts, app: App, content: Content, capgo: Capgo): void {
  const permission = channel === null ? 'app.create_channel' : 'channel.promote_bundle'
  capgo.hasPermission(permission, appId, channel?.id ?? null).catch(() => {})
  capgo
    .readFilesConfig()
    .then(async config => {
      const { on } = decideFiles(content, config)
      // The app has none of its files stored.
      if (on && newest.length === 0) capgo.expectUploads(Math.min(UPLOADS, content.fileCount))
      // Else the first file will tell.
      if (!on || content.encryption !== null) await capgo.requireStorage(app.owner_org, appId)
    })
    .catch(() => {})
}

/**
 * Builds, plans and publishes: the channel serves the commit's content in the end, or the run says why not.
 * `webBuild` is the folder of a build that is there already (absolute).
 */
export async function deliver(
  { target, project, app, facts, zipping }: Prepared,
  webBuild: string | null,
  context: RunContext,
): Promise<Delivered> {
  const { deps, inputs, capgo } = context
  const { log, clock } = deps
  const names = checkBeforeBuild(facts)
  requireVerifiable(facts.channel, facts.natives, context)
  const built = await buildBundle(
    webBuild === null ? project : { ...project, webDirectory: webBuild },
    inputs,
    deps,
    zipping,
  )
  if (!inputs.dryRun && built.content.checksum !== facts.channel?.version?.checksum)
    goAhead(facts, app, built.content, capgo)
  const standingTo = standingReader(target.commit, target.readHead, comparer(project, context.github, deps))
  const known = await gatherForContent(
    facts,
    names,
    built.content,
    zipping === null,
    target.baseChannel,
    capgo,
    standingTo,
  )
  const plan = planPublish(known)
  await log.group('Plan', async () => {
    for (const line of renderLogPlan(plan.decisions)) log.info(line)
  })

  const served = known.channel?.version ?? null
  // What was served is known by its delta files where ours will be too; else the zips are compared.
  const before =
    served !== null && known.stored.of === served.id && !inputs.dryRun && plan.action.do !== 'promote'
      ? listStored(known.stored.files, served.manifest_count)
      : null
  const compareZips = () => gatherContents(served, built.content, capgo)
  const contents = plan.action.do === 'keep' ? NOTHING_COMPARED : before === null ? compareZips() : null
  const told = { ...built, warnings: [...project.warnings, ...built.warnings] }
  const findings = { plan, known, built: told, consoleUrl: inputs.hosts.console }
  if (inputs.dryRun) {
    const result = plannedResult({
      ...findings,
      contents: await (contents ?? compareZips()),
      upload: null,
      total: clock() - context.began,
    })
    return { result, channel: known.channel, base: known.base, built }
  }
  const publishing = clock()
  const work = () =>
    log.group('Publish', () =>
      publish(plan, {
        capgo,
        app,
        channel: known.channel,
        stored: known.stored,
        commit: target.commit,
        content: built.content,
        staleBy: async channel => {
          const standing = await standingTo(channel?.version ?? null)
          return isStale({ ...facts, ours: target.commit, standing })
        },
        log: message => log.info(message),
        onProgress: progressReporter(log, clock),
        onFile: progressReporter(log, clock, (sent, total) => `Sent ${sent} of ${total} files.`),
      }),
    )
  const published =
    plan.action.do === 'keep' ? await work() : await withDeployment(target, plan, context, work)
  const upload = clock() - publishing
  const bundle = published.bundle ?? published.channel.version
  const verified =
    inputs.verify && published.outcome !== 'stale' && bundle !== null
      ? await verifyAsDevice(
          {
            appId: project.appId,
            channel: published.channel,
            bundle,
            natives: facts.natives,
            sha256: bundle.session_key ? null : built.content.zip.sha256,
          },
          context,
        )
      : null
  const times = { upload, total: clock() - context.began }
  const compared =
    contents ??
    (published.files === null
      ? compareZips()
      : describeContents({ name: served!.name, files: before! }, published.files))
  return {
    result: withVerification(
      publishedResult({ ...findings, contents: await compared, ...times }, published),
      verified,
    ),
    channel: published.channel,
    base: known.base,
    built,
  }
}
