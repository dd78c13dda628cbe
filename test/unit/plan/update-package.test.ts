import { describe, expect, it } from 'vitest'
import { mayLackForm, requireFormOf, requireForms } from '../../../src/plan/update-package.ts'
import { bundle } from './cases/rows.ts'
import { refusalOf } from './decided.ts'

const DEMANDS = [null, 'all', 'zip', 'delta', 'zip_from_builtin', 'delta_from_builtin'] as const

describe('what a channel demands', () => {
  it('is held against the input', () => {
    const refused = (mode: Parameters<typeof requireFormOf>[0]) =>
      DEMANDS.filter(demand => refusalOf(() => requireFormOf(mode, demand, 'x')) !== 'nothing was thrown')
    expect(refused('only')).toEqual(['zip', 'zip_from_builtin'])
    expect(refused('false')).toEqual(['delta', 'delta_from_builtin'])
    expect([refused('auto'), refused('true')]).toEqual([[], []])
  })

  it('is held against a bundle', () => {
    const zip = bundle()
    const both = bundle({ manifest_count: 3 })
    const files = bundle({ manifest_count: 3, r2_path: null })
    const external = bundle({ r2_path: null, external_url: 'https://example.com/a.zip' })
    const refused = (of: typeof zip) =>
      DEMANDS.filter(demand => refusalOf(() => requireForms(of, demand, 'x')) !== 'nothing was thrown')
    expect(refused(zip)).toEqual(['delta', 'delta_from_builtin'])
    expect(refused(external)).toEqual(['delta', 'delta_from_builtin'])
    expect(refused(files)).toEqual(['zip', 'zip_from_builtin'])
    expect(refused(both)).toEqual([])
    expect([zip, both, files, external].map(mayLackForm)).toEqual([true, false, true, true])
    expect(refusalOf(() => requireForms(files, 'zip', 'beta'))).toBe(
      'channel_zip_required: Channel beta accepts only bundles with a zip (update package "zip"), and bundle 1.4.0 has none.',
    )
  })
})
