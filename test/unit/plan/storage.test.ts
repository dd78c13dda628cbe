import { describe, expect, it } from 'vitest'
import type { ActionError } from '../../../src/errors.ts'
import type { PublishAction } from '../../../src/plan/publish-facts.ts'
import { planStorage, type StorageFacts, storesContent } from '../../../src/plan/storage.ts'

const MIB = 1024 ** 2
const BUNDLE: StorageFacts = {
  delta: 'auto',
  pluginVersion: '8.0.0',
  fileCount: 3,
  zip: { size: 10 * MIB },
}
const SERVER = { partialUpload: true, maxUploadLength: 100 * MIB, alertUploadSize: 20 * MIB }

function planned(facts: Partial<StorageFacts>, server: Partial<typeof SERVER> = {}): string {
  try {
    const { files, zip, warnings } = planStorage({ ...BUNDLE, ...facts }, { ...SERVER, ...server })
    return [zip && 'zip', files.on && 'files', ...warnings].filter(Boolean).join(', ')
  } catch (error) {
    return (error as ActionError).code
  }
}

const LARGE = { zip: { size: 21.5 * MIB } }
const TOO_LARGE = { zip: { size: 101 * MIB } }
const WARNING =
  'The bundle has 22.5 MB. Capgo recommends less than 21 MB, because phones download it on mobile networks.'

describe('in what form a bundle is stored', () => {
  it.each<[string, Partial<StorageFacts>, Partial<typeof SERVER>, string]>([
    ['by default', {}, {}, 'zip, files'],
    ['with delta: true', { delta: 'true' }, {}, 'zip, files'],
    ['with delta: false', { delta: 'false' }, {}, 'zip'],
    ['with delta: only', { delta: 'only' }, {}, 'files'],
    ['by default, on a server without single files', {}, { partialUpload: false }, 'zip'],
    ['with delta: true, on such a server', { delta: 'true' }, { partialUpload: false }, 'delta_impossible'],
    ['with delta: only, on such a server', { delta: 'only' }, { partialUpload: false }, 'delta_impossible'],
    [
      'with delta: true, for an old updater',
      { delta: 'true', pluginVersion: '7.0.0' },
      {},
      'delta_impossible',
    ],
    ['large', LARGE, {}, `zip, files, ${WARNING}`],
    ['large, without a zip', { ...LARGE, delta: 'only' }, {}, 'files'],
    ['at the size that Capgo advises', LARGE, { alertUploadSize: LARGE.zip.size }, 'zip, files'],
    ['too large', TOO_LARGE, {}, 'bundle_too_large'],
    ['too large, without a zip', { ...TOO_LARGE, delta: 'only' }, {}, 'files'],
    [
      'as large as the server takes',
      TOO_LARGE,
      { maxUploadLength: TOO_LARGE.zip.size, alertUploadSize: 200 * MIB },
      'zip, files',
    ],
    [
      'too large, and single files are impossible',
      { ...TOO_LARGE, delta: 'true' },
      { partialUpload: false },
      'delta_impossible',
    ],
  ])('%s', (_what, facts, server, expected) => expect(planned(facts, server)).toBe(expected))

  it('is asked of a plan that stores content, and of no other', () => {
    const actions = ['upload', 'resume', 'promote', 'keep'].map(action => ({ do: action }) as PublishAction)
    expect(actions.filter(storesContent).map(action => action.do)).toEqual(['upload', 'resume'])
  })
})
