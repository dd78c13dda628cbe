/** Artifacts that workflow runs kept. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { describeRetry } from '../runtime/retry.ts'
import { isSystemError } from '../runtime/system-error.ts'
import { isForbidden } from './errors.ts'
import type { Repository } from './repository.ts'
import { readAll } from './response.ts'

/** An artifact that a run kept under a name. */
const Artifact = z.object({ id: z.int(), expired: z.boolean() })
export type Artifact = z.infer<typeof Artifact>

/** Milliseconds for a whole artifact. */
const DOWNLOAD_TIMEOUT = 600_000
const MAX_ATTEMPTS = 4
/** Milliseconds; doubles. */
const FIRST_PAUSE = 200

export function artifacts(connection: Repository) {
  const { octokit, owner, repo, signal, fetch, onRetry } = connection

  /** Where the artifact is for some minutes: another host, which our token is nothing to. */
  async function locate(id: number): Promise<string> {
    const { headers } = await octokit.request(
      'GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}',
      { owner, repo, artifact_id: id, archive_format: 'zip', request: { redirect: 'manual' } },
    )
    const url = URL.parse(headers.location ?? '')
    const isLocal = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost'
    if (url === null || !(url.protocol === 'https:' || isLocal))
      throw new ActionError('artifact_not_found', `GitHub returned no valid address for artifact ${id}.`)
    return url.href
  }

  async function download(id: number, file: string, maxBytes: number): Promise<void> {
    signal.throwIfAborted()
    const response = await fetch(await allowed(() => locate(id)), {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT)]),
    })
    if (!response.ok || response.body === null)
      throw new Error(`The artifact's host answered ${response.status}.`)
    await pipeline(Readable.fromWeb(response.body as never), atMost(maxBytes), createWriteStream(file))
  }

  return {
    /** The run's newest artifact of this name, through all pages. Throws `permission_missing` (`actions: read`). */
    async findArtifact(runId: number, name: string): Promise<Artifact | null> {
      const found = await allowed(() =>
        readAll(connection, {
          route: 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts',
          parameters: { run_id: runId, name },
          item: Artifact,
          key: 'artifacts',
        }),
      )
      const [newest] = found.sort((one, other) => other.id - one.id)
      return newest === undefined ? null : { id: newest.id, expired: newest.expired }
    },

    /**
     * Writes the artifact's zip to a file that is not there yet. Throws `artifact_refused` when it has more
     * than `maxBytes`; what it says of its own size is not believed. Leaves no half file.
     */
    async downloadArtifact(id: number, file: string, maxBytes: number): Promise<void> {
      for (let attempts = 1; ; attempts++) {
        try {
          return await download(id, file, maxBytes)
        } catch (error) {
          await rm(file, { force: true })
          signal.throwIfAborted()
          if (error instanceof ActionError || isSystemError(error)) throw error
          if (attempts >= MAX_ATTEMPTS) throw unreachable(id, error as Error)
          const pause = FIRST_PAUSE * 2 ** (attempts - 1)
          const failure = `Artifact ${id} could not be downloaded: ${(error as Error).message}`
          onRetry(describeRetry(failure, pause, [attempts + 1, MAX_ATTEMPTS]))
          await sleep(pause, undefined, { signal }).catch(() => {})
        }
      }
    },
  }
}

async function allowed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isForbidden(error)) throw error
    throw new ActionError(
      'permission_missing',
      'The job\'s token cannot read artifacts: permission "actions: read" is missing.',
      { hint: 'Add "actions: read" under "permissions:" of the job.' },
    )
  }
}

function atMost(bytes: number): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length
      if (left >= 0) done(null, chunk)
      else
        done(
          new ActionError('artifact_refused', `The artifact has more than ${bytes} bytes.`, {
            hint: 'Upload only the web folder as the artifact.',
          }),
        )
    },
  })
}

function unreachable(id: number, error: Error): ActionError {
  return new ActionError('artifact_unreachable', `Artifact ${id} could not be downloaded: ${error.message}`, {
    hint: 'Re-run the job.',
    cause: error,
  })
}
