/**
 * GitHub's own client for the artifacts of a workflow run: a chunk of its own in `dist/`, almost as large as the action, which
 * only the runs that keep something load. It takes address and token from the environment.
 */
import { DefaultArtifactClient } from '@actions/artifact'

export type UploadArtifact = typeof uploadArtifact

/**
 * Stores `files` (absolute, below `root`) as a zip in which they have their paths from `root`. `retentionDays` null = as
 * the repository is set. Returns the artifact's id. Throws the errors of GitHub's client.
 */
export async function uploadArtifact(
  name: string,
  files: readonly string[],
  root: string,
  retentionDays: number | null,
): Promise<number | null> {
  const { id = null } = await new DefaultArtifactClient().uploadArtifact(name, [...files], root, {
    ...(retentionDays === null ? {} : { retentionDays }),
    compressionLevel: 9,
  })
  return id
}
