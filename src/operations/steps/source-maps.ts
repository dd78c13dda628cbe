/** Source maps stay out of the bundle; with `source-maps: artifact` they are an artifact of the run, for crash reports. */
import { join } from 'node:path'
import type { CheckedWebDirectory } from '../../bundle/web-directory.ts'
import type { Deps } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import type { UploadArtifact } from '../../github/upload-artifact.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { SourceMapsArtifact } from '../../report/result.ts'

/** Other jobs of the run, and its earlier attempts, may have an artifact of the name. */
const MAX_NAMES = 9
/** Characters that GitHub rejects in paths of artifacts. */
const FORBIDDEN = /["<>|*?:\r\n]/

/**
 * The way to GitHub's artifacts, opened before anything of the user's runs, which could change that program; null where
 * nothing is to be kept. Throws `artifacts_unavailable`.
 */
export async function openArtifacts(
  { sourceMaps }: Pick<Inputs, 'sourceMaps'>,
  { env, loadArtifacts }: Pick<Deps, 'env' | 'loadArtifacts'>,
): Promise<UploadArtifact | null> {
  if (sourceMaps !== 'artifact') return null
  const elsewhere = 'Set source-maps to "drop", and store them in your own step.'
  const host = URL.parse(env.GITHUB_SERVER_URL ?? 'https://github.com')?.hostname ?? ''
  // The hosts that GitHub's client accepts.
  if (!/^github\.com$|\.ghe\.com$|\.localhost$/i.test(host))
    throw new ActionError('artifacts_unavailable', `Artifacts cannot be stored on ${host}.`, {
      hint: `GitHub Enterprise Server has an older artifact service. ${elsewhere}`,
    })
  const missing = ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'].filter(name => !env[name])
  if (missing.length > 0)
    throw new ActionError('artifacts_unavailable', `The runner does not set ${missing.join(' and ')}.`, {
      hint: `So source maps cannot be stored as an artifact. GitHub's own runner sets both variables. ${elsewhere}`,
    })
  return loadArtifacts()
}

/** The warning where the web folder has none. */
export const NO_MAPS =
  'No artifact of source maps is stored, because the web folder has none. Turn them on in the build, for example build.sourcemap in the Vite config.'

export function artifactName({ sourceMapsArtifact }: Inputs, appId: string, bundle: string): string {
  return sourceMapsArtifact ?? `source-maps-${appId}-${bundle}`
}

/**
 * Stores the source maps with their paths in the web folder, under `name` or, where the run has that already, with a
 * number behind it. Throws `source_maps_not_stored`.
 */
export async function keepSourceMaps(
  upload: UploadArtifact,
  {
    name,
    directory,
    maps,
    retentionDays,
  }: {
    readonly name: string
    /** Absolute path of the web folder. */
    readonly directory: string
    readonly maps: CheckedWebDirectory['sourceMaps']
    readonly retentionDays: number | null
  },
): Promise<SourceMapsArtifact> {
  const fail = (why: string, cause?: unknown) =>
    new ActionError('source_maps_not_stored', `The source maps could not be stored as an artifact: ${why}`, {
      hint: 'Nothing was published, because crashes of this bundle could not be read without them. Re-run the job. "source-maps: drop" publishes without them.',
      cause,
    })
  const unfit = maps.filter(({ path }) => FORBIDDEN.test(path))
  if (unfit.length > 0)
    throw fail(`GitHub does not accept the name ${unfit.map(({ path }) => JSON.stringify(path)).join(', ')}.`)
  const files = maps.map(({ path }) => join(directory, path))
  for (let number = 1; ; number++) {
    const tried = number === 1 ? name : `${name}-${number}`
    try {
      return { name: tried, id: await upload(tried, files, directory, retentionDays), count: maps.length }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      // GitHub's client has no type for this: "Received non-retryable error: Failed request: (409) Conflict: …".
      if (!why.includes('(409)') || number === MAX_NAMES) throw fail(why.replace(/\n.*/s, ''), error)
    }
  }
}
