import { expect, it } from 'vitest'
import { decideDelta, findStored, hasOpenFiles } from '../../../src/plan/delta.ts'
import { takesManifest } from '../../../src/plan/plugin-version.ts'
import { DELTA, deltaFacts, OFF, ON, PLUGINS, STORED } from './cases/delta.ts'
import { bundle } from './cases/rows.ts'
import { decided, eachCase } from './decided.ts'

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
  expect(findStored([wanted], known)).toEqual(
    isTaken ? { stored: known, missing: [] } : { stored: [], missing: [wanted] },
  )
})
