/** Abilities of the versions of the plugin @capgo/capacitor-updater. */
import semver from 'semver'

/** Published by mistake: releases of code for Capacitor 5, without delta files. */
const DEPRECATED_MAJORS: readonly number[] = [9, 10]

/**
 * The first version of each major that the server gives a manifest to (Capgo's `/updates`), and that compares a bundle
 * with its SHA-256. Later majors do both.
 */
export const MANIFEST_SINCE = ['5.10.0', '6.25.0', '7.0.35', '8.0.0'] as const

/** Whether devices with this version take files one by one, and compare a bundle with its SHA-256. */
export function takesManifest(pluginVersion: string): boolean {
  const version = semver.parse(pluginVersion)
  if (version === null) return false
  const since = MANIFEST_SINCE.find(first => semver.major(first) === version.major)
  return since === undefined ? version.major > Math.max(...DEPRECATED_MAJORS) : semver.gte(version, since)
}

export function isDeprecatedMajor(major: number): boolean {
  return DEPRECATED_MAJORS.includes(major)
}
