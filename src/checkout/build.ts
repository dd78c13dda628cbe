/** Installs what the app needs, and runs its build script. */
import { dirname } from 'node:path'
import { resolveCommand } from 'package-manager-detector'
import { ActionError } from '../errors.ts'
import { runChild } from '../runtime/child-process.ts'
import { shownPath } from '../runtime/paths.ts'
import { explainInstall, SETUP } from './install-failure.ts'
import { leavesDevOut, missingDev, NOTHING, whyInstall } from './installed.ts'
import { findManifest, foldersBelow, manifestsUp } from './package-json.ts'
import type { PackageManager } from './package-manager.ts'

export interface BuildOptions {
  /** Absolute path of the checkout: places of errors are relative to it. */
  readonly root: string
  /** Absolute path of the app's folder. */
  readonly directory: string
  /** As detected; null when unknown: then npm runs scripts, and nothing can be installed. */
  readonly manager: PackageManager | null
  /** From `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>
  /** Ends the install or build. */
  readonly signal?: AbortSignal | undefined
  readonly onOutput?: ((line: string) => void) | undefined
}

/** `devDependencies` that a hint names. */
const NAMES_LIMIT = 5

/**
 * Installs the dependencies as the lockfile says, when they are missing or of another lockfile. Returns the command
 * that ran; null when they were there, or when there are none. Throws `lockfile_missing`, `package_manager_missing`,
 * `install_failed`, `package_json_broken`.
 */
export async function installDependencies(options: BuildOptions): Promise<string | null> {
  const { root, directory, manager } = options
  const manifest = await findManifest(directory, root)
  if (manifest === null) return null
  const why = await whyInstall({ manifest, manager, root, env: options.env })
  if (why === null) return null
  const none = ![manifest.dependencies, manifest.devDependencies].some(
    each => Object.keys(each ?? {}).length > 0,
  )
  if (none && (manager === null || manager.lockfile === null)) return null
  if (manager === null || manager.lockfile === null)
    throw new ActionError(
      'lockfile_missing',
      'The dependencies are not installed, and no lockfile was found.',
      {
        hint: `${manager === null ? 'Commit the lockfile of your package manager (package-lock.json, pnpm-lock.yaml, yarn.lock or bun.lock)' : `Commit the lockfile of ${manager.name} (${manager.source} asks for it)`}, or install in an earlier step.`,
        at: { file: shownPath(root, manifest.file) },
      },
    )
  if (why !== NOTHING) options.onOutput?.(why)
  const { title, exitCode, end, tail } = await runManager(
    manager,
    { what: 'frozen', args: [], cwd: manager.directory },
    options,
  )
  if (exitCode !== 0) {
    const lockfile = shownPath(root, manager.lockfile)
    const { hint, output } = explainInstall(manager, tail, lockfile)
    throw new ActionError('install_failed', `"${title}" failed with ${end}.`, {
      hint,
      at: { file: lockfile },
      output,
    })
  }
  const lacking = await missingDev(manifest, root)
  if (lacking.length > 0) options.onOutput?.(`${sayLeftOut(lacking, options.env)}`)
  return title
}

/** Most tools of a build are among them. */
function sayLeftOut(lacking: readonly string[], env: BuildOptions['env']): string {
  const names = `${lacking.slice(0, NAMES_LIMIT).join(', ')}${lacking.length > NAMES_LIMIT ? ' and more' : ''}`
  const why = leavesDevOut(env)
    ? 'NODE_ENV is "production", or npm is set to omit them. Bundlers set NODE_ENV themselves, so remove it from "env:" of this step'
    : 'The configuration of the package manager omits them. Install them in an earlier step'
  return `These devDependencies are not installed: ${names}. ${why}.`
}

/**
 * Runs the script of the nearest `package.json` that has it, from the app's folder up to the checkout's. Returns the
 * command. Throws `package_json_missing`, `package_json_broken`, `build_script_missing`, `package_manager_missing`,
 * `build_failed`.
 */
export async function buildWebApp(options: BuildOptions & { readonly script: string }): Promise<string> {
  const { root, script } = options
  const file = await findBuildScript(options)
  const manager = options.manager ?? { name: 'npm' as const, agent: 'npm' as const }
  const { title, exitCode, end, tail } = await runManager(
    manager,
    { what: 'run', args: [script], cwd: dirname(file) },
    options,
  )
  if (exitCode !== 0) {
    const manifest = await findManifest(options.directory, root)
    const lacking = manifest === null ? [] : await missingDev(manifest, root)
    const leftOut = lacking.length > 0 ? `${sayLeftOut(lacking, options.env)} ` : ''
    throw new ActionError('build_failed', `"${title}" failed with ${end}.`, {
      hint: `${leftOut}See the build output for the cause. The build does not see the inputs and tokens of this action. Pass the variables it needs with the input build-env, or build-secrets for a secret.`,
      at: { file: shownPath(root, file) },
      output: tail,
    })
  }
  return title
}

/** Absolute path of the `package.json` with the script. Throws `package_json_missing`, `build_script_missing`. */
export async function findBuildScript({
  root,
  directory,
  script,
}: Pick<BuildOptions, 'root' | 'directory'> & { readonly script: string }): Promise<string> {
  const others: string[] = []
  let nearest: string | null = null
  for await (const { file, scripts = {} } of manifestsUp(directory, root)) {
    if (Object.hasOwn(scripts, script)) return file
    nearest ??= file
    const names = Object.keys(scripts)
    const who = file === nearest ? 'It' : shownPath(root, file)
    if (names.length > 0) others.push(`${who} has: ${names.join(', ')}.`)
  }
  if (nearest === null) {
    const below = (await foldersBelow(directory, ['package.json'])).map(
      folder => `"${shownPath(root, folder)}"`,
    )
    throw new ActionError(
      'package_json_missing',
      `No package.json found in "${shownPath(root, directory) || '.'}" or above it.`,
      {
        hint: `${below.length === 0 ? '' : `Found in ${below.join(' and ')}. `}Set the input working-directory to the folder of the app${below.length === 0 ? '' : ' (the Capacitor config can be above it)'}, or build: false if the web folder is already built.`,
      },
    )
  }
  const shown = shownPath(root, nearest)
  throw new ActionError('build_script_missing', `${shown} has no script "${script}".`, {
    hint: `${others.length === 0 ? 'It has no scripts.' : others.join(' ')} Set the input build-script to the script of the web build, or build: false if the web folder is already built.`,
    at: { file: shown },
  })
}

async function runManager(
  manager: Pick<PackageManager, 'name' | 'agent'>,
  { what, args, cwd }: { what: 'frozen' | 'run'; args: string[]; cwd: string },
  { env, signal, onOutput }: BuildOptions,
): Promise<{ title: string; exitCode: number | null; end: string; tail: string }> {
  const resolved = resolveCommand(manager.agent, what, args)
  if (resolved === null) throw new Error(`${manager.name} has no command for "${what}".`)
  const { command, args: all } = resolved
  const title = [command, ...all].join(' ')
  try {
    return { title, ...(await runChild(command, all, { cwd, env, signal, onOutput })) }
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'program_missing') throw error
    throw new ActionError(
      'package_manager_missing',
      `"${title}" cannot run because ${manager.name} is not installed.`,
      {
        hint: `Add an earlier step: ${SETUP[manager.name]}.`,
        cause: error,
      },
    )
  }
}
