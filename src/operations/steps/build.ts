/** Web build -> zip: install and build in children that see no secret, check the web folder, zip it. */
import { join } from 'node:path'
import { readEncryption } from '../../bundle/encrypt.ts'
import { type CheckedWebDirectory, checkWebDirectory } from '../../bundle/web-directory.ts'
import { type BundleZip, zipDirectory } from '../../bundle/zip.ts'
import { MAX_UPLOAD } from '../../capgo/schema.ts'
import { type BuildOptions, buildWebApp, findBuildScript, installDependencies } from '../../checkout/build.ts'
import {
  type InstalledPackage,
  installedUpdater,
  readNativePackages,
  readUpdaterVersion,
} from '../../checkout/native-packages.ts'
import { detectPackageManager } from '../../checkout/package-manager.ts'
import type { Deps } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { judgeUpdater } from '../../plan/updater.ts'
import { plural } from '../../report/format.ts'
import { formatBytes } from '../../runtime/bytes.ts'
import { unwritable, workspaceUnusable } from '../../runtime/runner-folders.ts'
import type { Content } from './content.ts'
import type { Project } from './project.ts'
import { NO_MAPS } from './source-maps.ts'
import type { Workplace } from './workplace.ts'

/** The web build as a zip, ready to be published. Sizes in bytes. */
export interface BuiltBundle {
  readonly content: Content
  readonly files: { readonly count: number; readonly bytes: number }
  readonly excluded: readonly { readonly path: string; readonly why: string }[]
  /** In the web folder. */
  readonly sourceMaps: CheckedWebDirectory['sourceMaps']
  readonly warnings: readonly string[]
  /** Milliseconds; null when nothing was built. */
  readonly duration: number | null
}

/** Throws what is to blame for an install or build that failed: the runner, where it takes no files there, else the error. */
async function blameRunner(error: unknown, directory: string): Promise<never> {
  if (!(error instanceof ActionError) || !/^(install|build)_failed$/.test(error.code)) throw error
  const why = await unwritable(directory)
  if (why !== null)
    throw workspaceUnusable(`${error.message} The app's folder is not writable (${why}).`, error.output)
  if (/\bENOSPC\b|no space left on device/i.test(error.output ?? ''))
    throw new ActionError('disk_full', `${error.message} The runner has no space left.`, {
      hint: 'Free some space in an earlier step, or use a larger runner.',
      ...(error.output === undefined ? {} : { output: error.output }),
    })
  throw error
}

/** A web folder without faults, and its zip. */
export interface WebZip {
  readonly checked: CheckedWebDirectory
  readonly zip: BundleZip
}

/** Throws what is wrong with the web folder; `signal` ends the work on the zip. */
export async function checkAndZip(
  { root, webDirectory: directory }: Pick<Project, 'root' | 'webDirectory'>,
  inputs: Inputs,
  deps: Deps,
  signal?: AbortSignal,
): Promise<WebZip> {
  const checked = await checkWebDirectory({
    directory,
    root,
    requireNotifyAppReady: inputs.checkNotifyAppReady,
    dropSourceMaps: inputs.sourceMaps !== 'keep',
    maxBytes: MAX_UPLOAD,
  })
  const zip = await zipDirectory({
    directory,
    files: checked.files,
    to: join(deps.scratch, 'bundle.zip'),
    worker: deps.deflateWorker,
    zlib: deps.zlib,
    hashed: inputs.delta !== 'false',
    signal:
      signal === undefined ? deps.cancellation.signal : AbortSignal.any([deps.cancellation.signal, signal]),
  })
  return { checked, zip }
}

/**
 * In a child that sees no secret. Returns the command, null where nothing had to be installed, and what the build
 * needs.
 */
export async function install(
  { root, directory, buildEnv: env }: Pick<Workplace, 'root' | 'directory' | 'buildEnv'>,
  { log, cancellation: stop }: Pick<Deps, 'log' | 'cancellation'>,
): Promise<{ command: string | null; child: BuildOptions }> {
  const manager = await detectPackageManager({ root, directory })
  const child = { root, directory, manager, env, signal: stop.signal }
  return log
    .group('Install dependencies', async () => {
      const command = await log.output(onOutput => installDependencies({ ...child, onOutput }))
      log.info(command === null ? 'Dependencies are already installed.' : `Installed with ${command}.`)
      return { command, child }
    })
    .catch((error: unknown) => blameRunner(error, directory))
}

/**
 * Installs and builds, checks the web folder and makes the zip of it, unless that began before (`zipping`). Throws what
 * is wrong with the build or the folder.
 */
export async function buildBundle(
  project: Project,
  inputs: Inputs,
  deps: Deps,
  zipping: Promise<WebZip> | null,
): Promise<BuiltBundle> {
  const { log } = deps
  const duration = inputs.build ? await build(project, inputs, deps) : null
  await deps.requireUntouched()
  return log.group('Check and zip', async () => {
    const { checked, zip } = await (zipping ?? checkAndZip(project, inputs, deps))
    for (const { path, why } of checked.excluded) log.info(`Left out: ${path} (${why})`)
    log.info(
      `${plural(checked.files.length, 'file')}, ${formatBytes(checked.totalBytes)} → zip of ${formatBytes(zip.size)} (SHA-256 ${zip.sha256.slice(0, 12)})`,
    )
    const nativePackages = await readNativePackages(project.packageDirectory)
    const content = await describeContent(project, { checked, zip, nativePackages }, inputs, deps)
    return {
      content,
      files: { count: checked.files.length, bytes: checked.totalBytes },
      excluded: checked.excluded,
      sourceMaps: checked.sourceMaps,
      warnings: [
        judgeUpdater(installedUpdater(nativePackages), { isEncrypted: content.encryption !== null }),
        ...checked.warnings,
        inputs.sourceMaps === 'artifact' && checked.sourceMaps.length === 0 ? NO_MAPS : null,
      ].filter(warning => warning !== null),
      duration,
    }
  })
}

/** Milliseconds that the build took. */
async function build(project: Project, { buildScript: script }: Inputs, deps: Deps): Promise<number> {
  const { log, clock } = deps
  const began = clock()
  // Before minutes are spent on the install.
  await findBuildScript({ ...project, script })
  const { child } = await install(project, deps)
  await log
    .group(`Build (${script})`, () => log.output(onOutput => buildWebApp({ ...child, script, onOutput })))
    .catch((error: unknown) => blameRunner(error, project.directory))
  return clock() - began
}

/** The zip's content for Capgo: checksum, key, native packages. */
async function describeContent(
  project: Project,
  { checked, zip, nativePackages }: WebZip & { readonly nativePackages: readonly InstalledPackage[] },
  { privateKey, delta }: Inputs,
  { log, scratch }: Deps,
): Promise<Content> {
  const pluginVersion = await readUpdaterVersion(project.packageDirectory, nativePackages)
  const encryption =
    privateKey === '' ? null : await readEncryption(privateKey, project.capacitorDirectory, pluginVersion)
  if (encryption !== null) log.info(`Encrypted with key ${encryption.keyId}.`)
  return {
    zip,
    checksum: encryption?.sign(zip.sha256) ?? zip.sha256,
    directory: project.webDirectory,
    fileCount: checked.files.length,
    files: zip.files,
    encryption,
    delta,
    pluginVersion,
    nativePackages,
    scratch,
  }
}
