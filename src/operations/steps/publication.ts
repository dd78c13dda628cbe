/** The content to publish, and everything that is decided about it before anything is written. */
import type { RunContext } from '../../context.ts'
import { checkBeforeBuild, planPublish } from '../../plan/publish.ts'
import type { BuiltFacts, PublishPlan } from '../../plan/publish-facts.ts'
import { NOTHING_STORED, planStorage, type StoragePlan, storesContent } from '../../plan/storage.ts'
import { renderLogPlan } from '../../report/log.ts'
import { type BuiltBundle, buildBundle } from './build.ts'
import { requireBeforeBuild } from './build-preconditions.ts'
import { commitComparer } from './compare-commits.ts'
import { UPLOADS } from './delta-upload.ts'
import { readFactsOfContent } from './publish-facts.ts'
import type { PublishInputs } from './publish-inputs.ts'
import { baseChannelsOf } from './publish-target.ts'
import { releaseNotesReader } from './release-notes.ts'
import { type ReadStanding, standingReader } from './standing.ts'
import { requireVerifiable } from './verify.ts'

export interface Publication {
  readonly inputs: PublishInputs
  readonly bundle: BuiltBundle
  readonly facts: BuiltFacts
  readonly plan: PublishPlan
  readonly storage: StoragePlan
  readonly standingTo: ReadStanding
}

/**
 * Builds, asks Capgo about the content, and plans. `webBuild` is the folder of a build that is there already (absolute);
 * null = it is made here.
 */
export async function planPublication(
  inputs: PublishInputs,
  webBuild: string | null,
  context: RunContext,
): Promise<Publication> {
  const { deps, capgo } = context
  const { target, project, facts: before, zipping } = inputs
  const names = checkBeforeBuild(before)
  requireVerifiable(before.channel, before.nativeVersions, { bundle: null, opener: null }, context)
  const standingTo = standingReader(target.commit, target.readHead, commitComparer(project, context))
  if (context.inputs.build && webBuild === null) await requireBeforeBuild(inputs, standingTo, capgo)
  const built = await buildBundle(
    webBuild === null ? project : { ...project, webDirectory: webBuild },
    context.inputs,
    deps,
    zipping,
  )
  const { content } = built
  const readStorage = async () => planStorage(content, await capgo.readFilesConfig())
  if (!context.inputs.dryRun && content.checksum !== before.channel?.version?.checksum)
    prefetch(inputs, content.fileCount, readStorage, capgo)
  const facts = await readFactsOfContent(
    {
      facts: before,
      content,
      names,
      isFresh: zipping !== null,
      baseChannels: baseChannelsOf(target, before),
    },
    capgo,
    standingTo,
    releaseNotesReader(target.commit.sha, context),
  )
  const plan = planPublish(facts)
  const bundle = { ...built, warnings: [...project.warnings, ...built.warnings] }
  for (const line of renderLogPlan(plan.decisions)) deps.log.info(line)
  const storage = storesContent(plan.action) ? await readStorage() : NOTHING_STORED
  const warnings = [...plan.warnings, ...storage.warnings]
  return { inputs, bundle, facts, plan: { ...plan, warnings }, storage, standingTo }
}

/** Asks for what the publish needs, while the plan is being made. Errors surface where the result is awaited. */
function prefetch(
  { app, facts }: PublishInputs,
  fileCount: number,
  readStorage: () => Promise<StoragePlan>,
  capgo: RunContext['capgo'],
): void {
  const { appId, channel, newest } = facts
  const permission = channel === null ? 'app.create_channel' : 'channel.promote_bundle'
  capgo.hasPermission(permission, appId, channel?.id ?? null).catch(() => {})
  readStorage()
    .then(({ files }) => {
      // The app has none of its files stored.
      if (files.on && newest.length === 0) capgo.expectUploads(Math.min(UPLOADS, fileCount))
    })
    .catch(() => {})
  capgo.requireStorage(app.owner_org, appId).catch(() => {})
}
