/** Abilities that came to several majors of a package, each with a release of its own. */
import semver from 'semver'

/**
 * Whether a version is the release of its own major in `since`, or a later one; null where its major is not among them.
 * `version` is a semantic version.
 */
export function isSince(version: string, since: readonly string[]): boolean | null {
  const release = since.find(first => semver.major(first) === semver.major(version))
  return release === undefined ? null : semver.gte(version, release)
}
