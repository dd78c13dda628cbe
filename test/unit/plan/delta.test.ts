import { describe, expect, it } from 'vitest'
import { decideDelta, findStoredFiles, hasOpenFiles } from '../../../src/plan/delta.ts'
import { takesManifest } from '../../../src/plan/plugin-version.ts'
import { planStorage } from '../../../src/plan/storage.ts'
import { DELTA, deltaFacts, OFF, ON, PLUGINS, STORED } from './cases/delta.ts'
import { bundle } from './cases/rows.ts'
import { decided, eachCase, refusalOf } from './decided.ts'

eachCase(DELTA, ({ given, ...expected }) => {
  decided(
    expected,
    () => decideDelta(deltaFacts(given)),
    ({ on, why }) => [on ? ON : OFF, why],
  )
})

it.each(PLUGINS)('plugin %s takes single files: %s', (version, takesFiles) =>
  expect(takesManifest(version)).toBe(takesFiles),
)

it.each([
  ['of a bundle', bundle({ manifest_count: 3 }), true],
  ['none, of a bundle without', bundle(), false],
  ['none, of an encrypted one', bundle({ manifest_count: 3, session_key: 'iv:key' }), false],
  ['none, of nothing', null, false],
])('files that can be taken again: %s', (_what, of, expected) => expect(hasOpenFiles(of)).toBe(expected))

it.each(STORED)('a file that is stored: %s', (_what, wanted, known, isTaken) => {
  expect(findStoredFiles([wanted], known)).toEqual(
    isTaken ? { stored: known, missing: [] } : { stored: [], missing: [wanted] },
  )
})

describe('planStorage', () => {
  const plan = (delta: 'auto' | 'only', size: number, partialUpload = true) =>
    planStorage(
      { delta, pluginVersion: '8.1.0', fileCount: 1, zip: { size } },
      { partialUpload, maxUploadLength: 100, alertUploadSize: 50 },
    )
  it.each<[string, Parameters<typeof plan>, boolean]>([
    ['a zip that fits', ['auto', 100], true],
    ['a zip on a server without single files', ['auto', 100, false], false],
    ['files alone, of which no zip is sent', ['only', 101], true],
  ])('%s', (_what, given, on) => expect(plan(...given).files.on).toBe(on))
  it('a zip that is too large is refused', () => {
    expect(refusalOf(() => plan('auto', 101))).toBe(
      'bundle_too_large: The bundle has 101 bytes, and Capgo accepts at most 100.',
    )
  })
})
