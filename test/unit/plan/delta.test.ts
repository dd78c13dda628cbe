import { describe, expect, it } from 'vitest'
import { type DeltaFacts, decideDelta, findStored, hasOpenFiles } from '../../../src/plan/delta.ts'
import { takesManifest } from '../../../src/plan/plugin-version.ts'
import { bundle, refusalOf } from './rows.ts'

describe('decideDelta', () => {
  const decide = (change: Partial<DeltaFacts>) =>
    decideDelta({ mode: 'auto', pluginVersion: '8.1.0', serverTakesFiles: true, fileCount: 10, ...change })

  it.each<[string, Partial<DeltaFacts>, boolean, RegExp]>([
    ['all is well', {}, true, /only the files that changed/],
    ['the input says no', { mode: 'false' }, false, /input "delta"/],
    ['an old server', { serverTakesFiles: false }, false, /this server takes no single files/],
    ['an old plugin', { pluginVersion: '7.0.34' }, false, /7\.0\.34 takes no single files/],
    ['as many files as Capgo takes', { fileCount: 10_000 }, true, /changed/],
    ['one file more', { fileCount: 10_001 }, false, /10001 files/],
    ['no plugin', { pluginVersion: null }, false, /nothing tells/],
    ['no plugin, and the user insists', { pluginVersion: null, mode: 'true' }, true, /changed/],
  ])('%s', (_what, change, on, why) => {
    expect(decide(change)).toEqual({ on, why: expect.stringMatching(why) })
  })

  it.each<[Partial<DeltaFacts>]>([
    [{ mode: 'true', serverTakesFiles: false }],
    [{ mode: 'only', pluginVersion: '5.9.9' }],
    [{ mode: 'only', fileCount: 10_001 }],
  ])('%j is impossible', change => {
    expect(refusalOf(() => decide(change))).toMatch(/^delta_impossible: Input "delta" is (true|only), but /)
  })
})

it.each([
  ['4.99.0', false],
  ['5.9.9', false],
  ['5.10.0', true],
  ['6.24.9', false],
  ['6.25.0', true],
  ['7.0.34', false],
  ['7.0.35', true],
  ['8.0.0-rc.1', false],
  ['8.0.0', true],
  ['9.0.0', false],
  ['1.0.0', false],
  ['latest', false],
])('plugin %s takes a manifest: %s', (version, expected) => expect(takesManifest(version)).toBe(expected))

it.each([
  ['of a bundle', bundle({ manifest_count: 3 }), true],
  ['none, of a bundle without', bundle(), false],
  ['none, of an encrypted one', bundle({ manifest_count: 3, session_key: 'iv:key' }), false],
  ['none, of nothing', null, false],
])('files that can be taken again: %s', (_what, of, expected) => expect(hasOpenFiles(of)).toBe(expected))

describe('findStored', () => {
  const file = (path: string, sha256 = 'a') => ({ path, size: 1, sha256 })
  const known = (file_name: string, file_hash = 'a') =>
    ({ file_name, file_hash, s3_path: file_name, id: 1 }) as never
  it.each([
    ['the same path and content', file('a.js'), [known('a.js')], true],
    ['compressed', file('a.js'), [known('a.js.br')], true],
    ['another content', file('a.js', 'b'), [known('a.js')], false],
    ['another path', file('b.js'), [known('a.js')], false],
    ['a name that has .br inside', file('a.br.js'), [known('a.br.js')], true],
    ['a file that is itself a .br', file('a.js.br'), [known('a.js.br')], false],
    ['nothing is known', file('a.js'), [], false],
  ])('%s', (_what, wanted, stored, isStored) => {
    expect(findStored([wanted], stored)).toEqual(
      isStored ? { stored, missing: [] } : { stored: [], missing: [wanted] },
    )
  })
})
