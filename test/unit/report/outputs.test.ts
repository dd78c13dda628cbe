import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { samples } from '../../../scripts/pictures/samples.ts'
import { documentsOf } from '../../../src/documents.ts'
import { failuresOf, outputs as outputsOf } from '../../../src/report/report.ts'
import type { PublishedResult, Result } from '../../../src/report/result.ts'

const { outputs: named } = parse(readFileSync(join(import.meta.dirname, '../../../action.yml'), 'utf8')) as {
  outputs: Readonly<Record<string, unknown>>
}
const outputs = (result: Result) => outputsOf(result, documentsOf({}))
const published = samples.published as PublishedResult

describe('the outputs', () => {
  it.each(Object.entries(samples))(
    'of %s are those of action.yml, with outcome and reason',
    (_name, result) => {
      const given = outputs(result)
      expect(Object.keys(given).sort()).toEqual(Object.keys(named).sort())
      expect(given.outcome).toBe(result.outcome)
      expect(given.reason).toBe(result.reason)
      expect(given['error-code']).toBe(
        result.kind === 'failed' ? result.code : (failuresOf(result)[0]?.code ?? ''),
      )
    },
  )

  it('of a publish say what is served', () => {
    const { bundle, channel } = published
    expect(outputs(published)).toMatchObject({
      'bundle-id': String(bundle.id),
      'bundle-version': bundle.name,
      'bundle-url': bundle.url,
      'channel-id': String(channel.id),
      channel: channel.name,
      checksum: bundle.checksum,
      size: String(bundle.size),
      'deep-link': '',
      'web-preview-url': '',
      'comment-url': '',
    })
  })

  it('of a preview say how to get it', () => {
    // The page in a browser is the cloud's alone, so no scenario sees it.
    const preview = {
      pull: 12,
      deepLink: 'capgo://x',
      webUrl: 'https://web.example',
      commentUrl: 'https://c',
    }
    expect(outputs({ ...published, preview })).toMatchObject({
      'deep-link': 'capgo://x',
      'web-preview-url': 'https://web.example',
      'comment-url': 'https://c',
    })
  })
})
