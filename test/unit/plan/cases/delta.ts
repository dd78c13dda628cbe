/** In what form a new bundle is stored, and which files are stored already, by `decideDelta` and `findStoredFiles`. */
import type { HashedFile } from '../../../../src/bundle/zip.ts'
import type { StoredFile } from '../../../../src/capgo/schema.ts'
import type { DeltaFacts } from '../../../../src/plan/delta.ts'
import { type Case, fails } from './case.ts'

export const deltaFacts = (change: Partial<DeltaFacts>): DeltaFacts => ({
  mode: 'auto',
  pluginVersion: '8.1.0',
  serverTakesFiles: true,
  fileCount: 10,
  ...change,
})

export const ON = 'files too'
export const OFF = 'the zip alone'
const on = { result: ON, why: 'devices download only the files that changed' }

export const DELTA: Readonly<Record<string, readonly Case<Partial<DeltaFacts>>[]>> = {
  'a new bundle is stored as': [
    { name: 'files too, where app and server take them', given: {}, ...on },
    {
      name: 'the zip alone, where the input says so',
      given: { mode: 'false' },
      result: OFF,
      why: 'input "delta" is false',
    },
    {
      name: 'the zip alone, on an old server',
      given: { serverTakesFiles: false },
      result: OFF,
      why: 'this server does not support them',
    },
    {
      name: 'the zip alone, with an old plugin',
      given: { pluginVersion: '7.0.34' },
      result: OFF,
      why: '@capgo/capacitor-updater 7.0.34 does not support them (5.10.0, 6.25.0, 7.0.35, 8.0.0 do)',
    },
    { name: 'files too, as many as Capgo takes', given: { fileCount: 10_000 }, ...on },
    {
      name: 'the zip alone, with one file more',
      given: { fileCount: 10_001 },
      result: OFF,
      why: 'the bundle has 10,001 files, more than the 10,000 that Capgo accepts',
    },
    {
      name: 'the zip alone, where nothing tells of the plugin',
      given: { pluginVersion: null },
      result: OFF,
      why: '@capgo/capacitor-updater is not installed',
    },
    {
      name: 'files too, where nothing tells of the plugin and the user insists',
      given: { pluginVersion: null, mode: 'true' },
      ...on,
    },
  ],
  'a new bundle cannot be stored as': [
    {
      name: 'files too, on an old server',
      given: { mode: 'true', serverTakesFiles: false },
      result: fails('delta_impossible'),
      why: 'Input "delta" is true, but this server does not support them.',
    },
    {
      name: 'files alone, with an old plugin',
      given: { mode: 'only', pluginVersion: '5.9.9' },
      result: fails('delta_impossible'),
      why: /^Input "delta" is only, but @capgo\/capacitor-updater 5\.9\.9 does not support them/,
    },
    {
      name: 'files alone, where there are too many',
      given: { mode: 'only', fileCount: 10_001 },
      result: fails('delta_impossible'),
      why: /^Input "delta" is only, but the bundle has 10,001 files/,
    },
  ],
}

/** A version of the plugin, and whether it takes files one by one. */
export const PLUGINS: readonly (readonly [version: string, takesFiles: boolean])[] = [
  ['1.0.0', false],
  ['4.99.0', false],
  ['5.9.9', false],
  ['5.10.0', true],
  ['6.24.9', false],
  ['6.25.0', true],
  ['7.0.34', false],
  ['7.0.35', true],
  ['8.0.0-rc.1', false],
  ['8.0.0', true],
  // Deprecated releases with the code of version 5.
  ['9.0.0', false],
  ['10.0.0', false],
  ['11.0.0', true],
  ['latest', false],
]

const file = (path: string, size = 100, sha256 = 'h'): HashedFile => ({ path, size, sha256 })
const stored = (file_name: string, file_size: number | null = 50, file_hash = 'h'): StoredFile => ({
  file_name,
  file_hash,
  file_size,
  s3_path: `key of ${file_name}`,
})

/** A file, what the app has stored, and whether that is taken again. */
export const STORED: readonly (readonly [what: string, HashedFile, readonly StoredFile[], boolean])[] = [
  ['nothing', file('a.js'), [], false],
  ['as it is', file('a.js'), [stored('a.js', 100)], true],
  ['compressed', file('a.js'), [stored('a.js.br')], true],
  ['compressed, of a size that nobody told', file('a.js'), [stored('a.js.br', null)], true],
  ['empty', file('a.js', 0), [stored('a.js.br', 3)], true],
  ['empty, without a byte that could be sent again', file('a.js', 0), [stored('a.js', 0)], false],
  ['another content', file('a.js'), [stored('a.js', 100, 'other')], false],
  ['another path', file('b.js'), [stored('a.js', 100)], false],
  ['a name with .br inside', file('a.br.js'), [stored('a.br.js', 100)], true],
  ['a name in .br, compressed', file('a.br'), [stored('a.br.br')], true],
  // As others publish it: no device can take it, and no file may be stored as that.
  ['a name in .br, as it is', file('a.js.br'), [stored('a.js.br', 100)], false],
  ['a name in .br, as it is, beside its name without', file('a'), [stored('a.br', 100)], false],
]
