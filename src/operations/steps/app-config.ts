/** The app's id and Capacitor config, as far as the event allows to read the config. */
import {
  APP_ID,
  type CapacitorConfig,
  findCapacitorDirectory,
  readCapacitorConfig,
} from '../../checkout/capacitor-config.ts'
import { PackagesMissing } from '../../checkout/evaluator.ts'
import { ActionError, CancelledError, type Place } from '../../errors.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { isPrivileged } from '../../plan/operation.ts'
import { shownPath } from '../../runtime/paths.ts'
import { type CheckoutContext, workplaceOf } from './workplace.ts'

export interface AppConfig {
  readonly appId: string
  /** Null where it cannot be read and the inputs say all that is needed of it. */
  readonly config: CapacitorConfig | null
  /** Absolute: where the Capacitor config, the native projects and their dependencies are. */
  readonly capacitorDirectory: string
  readonly warnings: readonly string[]
}

/** The parts of the config that a reader needs. */
interface ConfigNeeds {
  /** Without it, a config that cannot be read is a warning where the input `app-id` is set. */
  readonly webDir: boolean
  /** Throws `PackagesMissing` wherever the config may say otherwise with its packages installed. */
  readonly beforeInstall: boolean
}

/** The app's id, from the inputs or the config. */
export async function readAppId(context: CheckoutContext): Promise<string> {
  const { appId } = context.inputs
  if (appId === null) return (await readConfigOnly(context)).appId
  requireAppId(appId)
  return appId
}

/** As `readAppConfig`, where nothing is built. */
export function readConfigOnly(context: CheckoutContext): Promise<AppConfig> {
  return readAppConfig({ webDir: false, beforeInstall: false }, context)
}

/**
 * Reads the Capacitor config. Untrusted code is never evaluated. Where the inputs say all that is needed of the config,
 * one that cannot be read is a warning, unless it has the key that the bundle is encrypted for.
 */
export async function readAppConfig(needs: ConfigNeeds, context: CheckoutContext): Promise<AppConfig> {
  const { inputs, trigger, deps } = context
  const { root, directory, buildEnv } = workplaceOf(context)
  const capacitorDirectory = await findCapacitorDirectory(directory, root)
  const isComplete = inputs.appId !== null && (!needs.webDir || inputs.webDir !== null)
  if (!isComplete && isPrivileged(trigger)) {
    const missing = inputs.appId === null ? 'app-id' : 'web-dir'
    throw new ActionError('unsafe_config', `On "${trigger.event}" the input "${missing}" must be set.`, {
      hint: 'Set it in the workflow. The Capacitor config is code, which can be untrusted on this event, so it is not evaluated next to your secrets.',
    })
  }
  const warnings: string[] = []
  const config = await readCapacitorConfig({
    root,
    directory: capacitorDirectory,
    env: buildEnv,
    nodePath: deps.evaluator.node,
    evaluatorPath: deps.evaluator.script,
    signal: deps.cancellation.signal,
    dataOnly: isPrivileged(trigger),
    beforeInstall: needs.beforeInstall,
  }).catch((error: unknown) => {
    const why = whyUnread(error, { isComplete, inputs, needs })
    if (why !== null) warnings.push(why)
    return null
  })
  if (config?.unset !== undefined)
    warnings.push(
      `${shownPath(root, config.file)} reads ${config.unset.join(' and ')}, which is not set. Pass it with the input build-env.`,
    )
  const appId = inputs.appId ?? config?.appId ?? ''
  requireAppId(appId, config === null ? undefined : { file: shownPath(root, config.file) })
  return { appId, config, capacitorDirectory, warnings }
}

/** The warning for a config that the run can do without, null where none is due. Throws the error where it cannot. */
function whyUnread(
  error: unknown,
  {
    isComplete,
    inputs,
    needs,
  }: { readonly isComplete: boolean; readonly inputs: Inputs; readonly needs: ConfigNeeds },
): string | null {
  if (!(error instanceof ActionError) || error instanceof CancelledError) throw error
  if (needs.beforeInstall && error instanceof PackagesMissing) throw error
  if (!isComplete) throw error
  // Without a checkout, or in a repository of the web code alone, there is none.
  if (error.code === 'config_missing' || error.code === 'unsafe_config') return null
  if (inputs.privateKey !== '') throw error
  return `The inputs "app-id" and "web-dir" are used, because the Capacitor config was not read (${error.code}: ${error.message}) Its native version and its publicKey are not known.`
}

function requireAppId(appId: string, at?: Place): void {
  if (!APP_ID.test(appId))
    throw new ActionError('invalid_app_id', `"${appId}" is not an app id.`, {
      hint: 'App ids look like com.example.app.',
      ...(at === undefined ? {} : { at }),
    })
}
