/** The apps of a pull request's preview, also where the Capacitor config cannot be read. */
import { APP_ID } from '../../checkout/capacitor-config.ts'
import type { RunContext } from '../../context.ts'
import { ActionError, CancelledError } from '../../errors.ts'
import { readAppId } from './app-config.ts'
import { findCommentedApps } from './comment.ts'
import { environmentOf } from './deployment.ts'

/**
 * App ids, those first that are most likely this job's: of the input or the Capacitor config; else of our comments on
 * the pull request and of our deployments, as far as the key can see such an app. Throws why the config cannot be
 * read where nothing else tells, and what is wrong with the key.
 */
export async function findAppIds(pull: number, context: RunContext): Promise<[string, ...string[]]> {
  const { capgo, deps } = context
  const unreadable = await readAppId(context).catch((error: unknown) => {
    if (!(error instanceof ActionError) || error instanceof CancelledError) throw error
    return error
  })
  if (typeof unreadable === 'string') {
    await capgo.readApp(unreadable)
    return [unreadable]
  }
  const written = [...(await readDeployed(pull, context)), ...(await findCommentedApps(pull, context))]
  // Comments and deployments are text that others may have written.
  const [first, ...others] = await keepVisible(
    [...new Set(written)].filter(id => APP_ID.test(id)),
    context,
  )
  if (first === undefined) throw unreadable
  deps.log.info(
    `${unreadable.message} The app id comes from earlier runs of #${pull}: ${[first, ...others].join(', ')}.`,
  )
  return [first, ...others]
}

/** Of several apps in one repository this job's has an environment of its own. */
async function readDeployed(pull: number, context: RunContext): Promise<string[]> {
  if (!context.inputs.deployments) return []
  const found = await context.bestEffort('find the app in the deployments', 'deployments: read', github =>
    github.readDeployedApps(environmentOf(`preview/pr-${pull}`, context)),
  )
  return found ?? []
}

async function keepVisible(appIds: readonly string[], { capgo }: RunContext): Promise<string[]> {
  const visible: string[] = []
  for (const appId of appIds)
    try {
      await capgo.readApp(appId)
      visible.push(appId)
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'app_not_found') throw error
    }
  return visible
}
