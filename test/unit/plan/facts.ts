/** What a publish knows, as planners get it. */

import type { BuiltFacts } from '../../../src/plan/publish-facts.ts'
import type { Standing } from '../../../src/plan/staleness.ts'
import { CHECKSUM, channel } from './rows.ts'

export const commit = {
  sha: 'a'.repeat(40),
  refName: 'main',
  runId: 9,
  runNumber: 57,
  runAttempt: 1,
  url: 'https://example.com',
}

/** GitHub says that the run's commit is the newest of its branch. */
export const AT_HEAD: Standing = { head: { kind: 'at', sha: commit.sha }, toHead: 'identical', notes: [] }

export function facts(change: Partial<BuiltFacts> = {}): BuiltFacts {
  const { channel: of = channel() } = change
  return {
    appId: 'com.example.app',
    channelName: 'production',
    channelWhy: 'channels',
    channel: of,
    publicChannels: ['production'],
    newest: [],
    deletedAt: null,
    purpose: { kind: 'branch', isDefaultBranch: true },
    wanted: { version: '1.4.0', source: 'package.json', forced: false },
    natives: [{ platform: 'android', version: '1.0', source: 'android/app/build.gradle:12' }],
    unread: [],
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
    stored: { newest: [], of: null, files: [] },
    commitWhy: null,
    isChosen: false,
    force: false,
    standing: AT_HEAD,
    running: null,
    base: of,
    nativePackages: [],
    ...change,
  }
}
