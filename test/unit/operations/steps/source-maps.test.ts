import { describe, expect, it } from 'vitest'
import { keepSourceMaps, openArtifacts } from '../../../../src/operations/steps/source-maps.ts'

const loadArtifacts = async () => async () => 7

describe('openArtifacts', () => {
  const RUNNER = { ACTIONS_RUNTIME_TOKEN: 't', ACTIONS_RESULTS_URL: 'https://results.example' }
  const open = (sourceMaps: 'artifact' | 'drop' | 'keep', env: Record<string, string>) =>
    openArtifacts({ sourceMaps }, { env, loadArtifacts })

  it('loads the client for "artifact" alone', async () => {
    expect(await open('artifact', RUNNER)).not.toBeNull()
    expect(await open('drop', {})).toBeNull()
    expect(await open('keep', {})).toBeNull()
  })
  it.each([
    [{}, /does not set ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL/],
    [{ ...RUNNER, ACTIONS_RESULTS_URL: '' }, /does not set ACTIONS_RESULTS_URL\.$/],
    [{ ...RUNNER, GITHUB_SERVER_URL: 'https://git.example.com' }, /cannot be stored on git\.example\.com/],
    [{ ...RUNNER, GITHUB_SERVER_URL: 'https://notgithub.com' }, /on notgithub\.com/],
  ])('%j', async (env, message) => {
    await expect(open('artifact', env)).rejects.toMatchObject({
      code: 'artifacts_unavailable',
      message: expect.stringMatching(message),
    })
  })
  it.each(['https://github.com', 'https://octo.ghe.com'])('%s is known', async GITHUB_SERVER_URL => {
    expect(await open('artifact', { ...RUNNER, GITHUB_SERVER_URL })).not.toBeNull()
  })
})

describe('keepSourceMaps', () => {
  const CONFLICT =
    'Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: taken'
  const maps = [{ path: 'a/b.js.map', size: 1 }]
  const keep = (refusals: string[], paths = maps) => {
    const asked: unknown[] = []
    const upload = async (...given: unknown[]) => {
      asked.push(given)
      const refusal = refusals.shift()
      if (refusal !== undefined) throw new Error(refusal)
      return 12
    }
    const kept = keepSourceMaps(upload, { name: 'maps', directory: '/web', maps: paths, retentionDays: 3 })
    return kept.then(
      result => ({ result, asked }),
      (error: Error) => ({ error, asked }),
    )
  }

  it('takes the next name where the run has one already', async () => {
    const files = ['/web/a/b.js.map']
    expect(await keep([CONFLICT, CONFLICT])).toEqual({
      result: { name: 'maps-3', id: 12, count: 1 },
      asked: ['maps', 'maps-2', 'maps-3'].map(name => [name, files, '/web', 3]),
    })
  })
  it.each([
    ['GitHub refuses', ['(403) Forbidden\nand more'], maps, /artifact: \(403\) Forbidden$/, 1],
    ['every name is taken', Array(99).fill(CONFLICT), maps, /\(409\)/, 9],
    ['a path is none for GitHub', [], [{ path: 'a:b.js.map', size: 1 }], /the name "a:b\.js\.map"/, 0],
  ])('fails where %s', async (_case, refusals, paths, message, tries) => {
    const { error, asked } = (await keep(refusals, paths)) as { error: Error; asked: unknown[] }
    expect(error).toMatchObject({
      code: 'source_maps_not_stored',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('Nothing was published'),
    })
    expect(asked).toHaveLength(tries)
  })
})
