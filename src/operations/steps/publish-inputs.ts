/** The inputs of a publish before anything is built: the project, and Capgo's state. */
import type { App } from '../../capgo/schema.ts'
import { PackagesMissing } from '../../checkout/evaluator.ts'
import type { RunContext } from '../../context.ts'
import type { UploadArtifact } from '../../github/upload-artifact.ts'
import type { PublishFacts } from '../../plan/publish-facts.ts'
import { shownPath } from '../../runtime/paths.ts'
import { checkAndZip, install, type WebZip } from './build.ts'
import { type Project, readProject } from './project.ts'
import { readFactsBeforeBuild } from './publish-facts.ts'
import type { PublishTarget } from './publish-target.ts'
import { openArtifacts } from './source-maps.ts'
import { workplaceOf } from './workplace.ts'

export interface PublishInputs {
  readonly target: PublishTarget
  readonly project: Project
  readonly app: App
  readonly facts: PublishFacts
  /** The zip that is being made already, where nothing has to be built before. */
  readonly zipping: Promise<WebZip> | null
  /** Stores the source maps; null where they are not to be kept. */
  readonly uploadArtifact: UploadArtifact | null
}

/** Reads the project and what Capgo has. */
export async function gatherPublishInputs(
  target: PublishTarget,
  context: RunContext,
): Promise<PublishInputs> {
  const { deps, inputs, capgo } = context
  const uploadArtifact = await openArtifacts(inputs, deps)
  const project = await readInstalledProject(target, context)
  return deps.log.group('Read the project and Capgo', async () => {
    const folder = shownPath(project.root, project.webDirectory) || '.'
    deps.log.info(`App ${project.appId}${target.takesBuild ? '' : `, web folder ${folder}`}.`)
    const isBuilt = target.takesBuild || inputs.build
    const zipping = isBuilt ? null : checkAndZip(project, inputs, deps, context.over)
    // No unhandled rejection before it is awaited.
    zipping?.catch(() => {})
    const { app, facts } = await readFactsBeforeBuild(project, target, inputs, capgo)
    return { target, project, uploadArtifact, app, facts, zipping }
  })
}

/** A config may import packages: where this run installs them anyway, it does so before it reads such a config. */
async function readInstalledProject(target: PublishTarget, context: RunContext): Promise<Project> {
  const { deps, inputs } = context
  const installs = inputs.build && !target.takesBuild
  try {
    return await readProject({ ...target, beforeInstall: installs }, context)
  } catch (error) {
    if (!(error instanceof PackagesMissing) || !installs) throw error
    deps.log.info(`${error.message} Dependencies are installed before the Capacitor config is read.`)
    await install(workplaceOf(context), deps)
    return await readProject({ ...target, beforeInstall: false }, context)
  }
}
