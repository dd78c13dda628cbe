/** What a publish knows by default: a push to main, where production serves the bundle of an older commit. */
import type { BundleRow } from '../../../../src/capgo/schema.ts'
import { readNotes } from '../../../../src/plan/bundle-comment.ts'
import type { BuiltFacts } from '../../../../src/plan/publish-facts.ts'
import type { Standing } from '../../../../src/plan/staleness.ts'
import type { Relation } from '../../../../src/plan/types.ts'
import { bundle, CHECKSUM, channel, line, NEWER, OTHER_CHECKSUM, OURS } from './rows.ts'

export const commit = {
  sha: OURS,
  refName: 'main',
  runId: 57,
  runNumber: 57,
  runAttempt: 1,
  url: 'https://example.com',
}

/** GitHub says that the run's commit is the newest of its branch. */
export const AT_HEAD: Standing = { head: { kind: 'at', sha: OURS }, toHead: 'identical', notes: [] }

/** What GitHub (or, without `toHead`, the checkout alone) says of our commit, the branch and what is served. */
export function standing(
  served: BundleRow,
  relation: Relation,
  { toHead, isInHistory = null }: { toHead?: Relation; isInHistory?: boolean | null } = {},
): Standing {
  return {
    head: toHead === undefined ? { kind: 'unknown' } : { kind: 'at', sha: NEWER },
    toHead: toHead ?? 'unknown',
    notes: readNotes(served).map(note => ({ note, relation, isInHistory })),
  }
}

/** What production serves by default. */
export const older = bundle({
  id: 2,
  name: '1.3.0',
  checksum: OTHER_CHECKSUM,
  comment: line('production', 50),
})

export function facts(change: Partial<BuiltFacts> = {}): BuiltFacts {
  const { channel: of = channel({ version: older }) } = change
  return {
    appId: 'com.example.app',
    channelName: 'production',
    channelWhy: 'branch main matches "main"',
    channel: of,
    publicChannels: ['production'],
    newest: [],
    deletedAt: null,
    purpose: { kind: 'branch', isDefaultBranch: true },
    wanted: { version: '1.4.0', source: 'package.json', forced: false },
    nativeVersions: [{ platform: 'android', version: '1.0', source: 'android/app/build.gradle:12' }],
    unreadVersions: [],
    updatePackage: null,
    commit,
    rollout: { bps: null, onActive: 'fail' },
    minUpdateVersion: null,
    onIncompatible: null,
    checksum: CHECKSUM,
    sha256: CHECKSUM,
    size: 100,
    sizes: new Map(),
    delta: 'auto',
    bundles: of?.version ? [of.version] : [],
    storedFiles: { newest: [], of: null, files: [] },
    commitWhy: null,
    isChosen: false,
    force: false,
    standing: AT_HEAD,
    rolloutBundle: null,
    base: of,
    nativePackages: [],
    releaseNotes: { titles: [], more: 0 },
    ...change,
  }
}
