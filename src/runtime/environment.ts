/** The environment of child processes. */
import { MIN_SECRET } from './redaction.ts'

/** Inputs that are a secret. The database's key is a public one, but who knows which one somebody gives. */
export const SECRET_INPUTS = [
  'capgo-token',
  'devices-token',
  'github-token',
  'private-key',
  'database-key',
] as const

/**
 * Names that no build, install or config gets to see. From the sources of actions/runner:
 * - `INPUT_*`: this action's inputs, the Capgo token among them (`Handlers/NodeScriptActionHandler.cs`).
 * - `ACTIONS_*`: `ACTIONS_RUNTIME_TOKEN`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN` and the URLs they are for (the same
 *   file). All of the prefix belongs to the runner.
 * - `GITHUB_ENV` and the like: files through which a step sets outputs, variables, the path, the state or the
 *   summary; every `ContextName` in `FileCommandManager.cs` and `CreateArtifactsFileCommand.cs`.
 */
export const RUNNER_NAMES = [
  /^INPUT_/i,
  /^ACTIONS_/i,
  /^GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|ARTIFACTS)$/i,
] as const

/** Usual names of GitHub and Capgo tokens: a build sees them only through `build-secrets`. A public key is not a token. */
export const TOKEN_NAMES = [
  /^(GITHUB|GH)(_ENTERPRISE)?_(TOKEN|PAT)$/i,
  /^CAPGO_(?!.*PUBLIC).*(TOKEN|KEY|SECRET|PASSWORD)/i,
] as const

export const isTokenName = (name: string) => TOKEN_NAMES.some(pattern => pattern.test(name))

/** A secret that is too short to be searched for counts when it is the whole value. */
export function holdsSecret(value: string, secret: string): boolean {
  return secret !== '' && (value === secret || (secret.length >= MIN_SECRET && value.includes(secret)))
}

/**
 * The environment for builds, installs and config evaluation: without what is secret by name, and without
 * every variable whose value contains one of `secrets`. Everything else is the user's and stays.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[] = [],
): Record<string, string> {
  const clean: Record<string, string> = {}
  for (const [name, value] of Object.entries(env))
    if (
      value !== undefined &&
      !RUNNER_NAMES.some(pattern => pattern.test(name)) &&
      !isTokenName(name) &&
      !secrets.some(secret => holdsSecret(value, secret))
    )
      clean[name] = value
  return clean
}

/** How people name variables that hold what nobody else may read. */
const PRIVATE_NAME =
  /TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|AUTH|DSN|WEBHOOK|CERT|KEYSTORE/i

/**
 * Values of variables that are secret by their name. GitHub masks secrets in logs and summaries; a comment is masked by
 * nobody, and a build may print what it was given.
 */
export function privateValues(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .filter(([name]) => PRIVATE_NAME.test(name))
    .map(([, value]) => value)
}
