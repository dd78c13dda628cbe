import { expect, test } from 'vitest'
import { findStored } from '../../../src/plan/delta.ts'
import { takesManifest } from '../../../src/plan/plugin-version.ts'

const file = (path: string, size = 100, sha256 = 'h') => ({ path, size, sha256 })
const entry = (file_name: string, file_size: number | null = 50, file_hash = 'h') => ({
  file_name,
  file_hash,
  file_size,
  s3_path: `key of ${file_name}`,
})

test.each([
  ['as it is', file('a.js'), entry('a.js', 100), true],
  ['compressed', file('a.js'), entry('a.js.br'), true],
  ['compressed, of a size that nobody told', file('a.js'), entry('a.js.br', null), true],
  ['empty', file('a.js', 0), entry('a.js.br', 3), true],
  ['empty, without a byte that could be sent again', file('a.js', 0), entry('a.js', 0), false],
  ['another content', file('a.js'), entry('a.js', 100, 'other'), false],
  ['another path', file('b.js'), entry('a.js', 100), false],
  ['a name in .br, compressed', file('a.br'), entry('a.br.br'), true],
  // As others publish it: no device can take it, and no file may be stored as that.
  ['a name in .br, as it is', file('a.br'), entry('a.br', 100), false],
  ['a name in .br, as it is, beside its name without', file('a'), entry('a.br', 100), false],
])('%s is taken again or not', (_, one, known, taken) => {
  const { stored, missing } = findStored([one], [known])
  expect([stored, missing]).toEqual(taken ? [[known], []] : [[], [one]])
})

test.each([
  ['5.9.9', false],
  ['7.0.35', true],
  ['8.0.0', true],
  // Deprecated releases with the code of version 5.
  ['9.0.0', false],
  ['10.0.0', false],
  ['11.0.0', true],
])('plugin %s takes single files: %s', (version, takes) => {
  expect(takesManifest(version)).toBe(takes)
})
