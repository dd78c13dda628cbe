/** The app's folder in the checkout, and what the child processes that work there get to see. */
import { resolve } from 'node:path'
import { type CheckedOut, readCheckedOut } from '../../checkout/git-history.ts'
import type { RunContext } from '../../context.ts'
import type { Variables } from '../../inputs/build-variables.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { outsideCheckout } from '../../inputs/values.ts'
import { childEnvironment } from '../../runtime/environment.ts'
import { isInside } from '../../runtime/paths.ts'
import { secretForms } from '../../runtime/redaction.ts'

/** The parts of the run's context that reading the working tree needs. */
export type CheckoutContext = Pick<RunContext, 'inputs' | 'trigger' | 'deps'>

/** Paths are absolute. */
export interface Workplace {
  /** Of the checkout. */
  readonly root: string
  /** Of the app. */
  readonly directory: string
  /** The cleaned environment for every child process. */
  readonly childEnv: Variables
  /** That, and what the inputs give to install, build and Capacitor config. */
  readonly buildEnv: Variables
}

/** Where and with what children run. Throws `outside_checkout`. */
export function workplaceOf({ inputs, deps }: Pick<RunContext, 'inputs' | 'deps'>): Workplace {
  const { workspace: root } = deps
  const directory = resolve(root, inputs.workingDirectory)
  if (!isInside(root, directory)) throw outsideCheckout(inputs.workingDirectory)
  const childEnv = withoutKeys(deps.env, inputs)
  return { root, directory, childEnv, buildEnv: { ...childEnv, ...inputs.buildVariables } }
}

function withoutKeys(
  env: Readonly<Record<string, string | undefined>>,
  { capgoToken, devicesToken, githubToken, privateKey, hosts }: Inputs,
): Variables {
  const secrets = [capgoToken, devicesToken, githubToken, privateKey, hosts.database?.key ?? '']
  // Encoded too, as in the header of a request; a short secret counts as it is.
  return childEnvironment(env, [...secrets, ...secretForms(secrets)])
}

/** The commit that is checked out where the app is; null when unknown. */
export async function readCheckedOutCommit(context: CheckoutContext): Promise<CheckedOut | null> {
  const { directory, childEnv } = workplaceOf(context)
  return readCheckedOut(context.trigger.repository, {
    cwd: directory,
    env: childEnv,
    signal: context.deps.cancellation.signal,
  })
}
