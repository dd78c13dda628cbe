import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { documentsOf, headingOf, troubleshooting } from '../../src/documents.ts'
import { ERROR_CODES } from '../../src/error-codes.ts'

it.each([
  [{}, 'https://github.com/OWNER/capgo-publish-action/blob/v1/docs/previews.md'],
  [
    { GITHUB_ACTION_REPOSITORY: 'acme/capgo-publish-action', GITHUB_ACTION_REF: 'v1.2.3' },
    'https://github.com/acme/capgo-publish-action/blob/v1.2.3/docs/previews.md',
  ],
  [
    { GITHUB_ACTION_REPOSITORY: 'acme/fork', GITHUB_ACTION_REF: 'feature/x' },
    'https://github.com/acme/fork/blob/feature/x/docs/previews.md',
  ],
  [
    { GITHUB_ACTION_REPOSITORY: 'acme/fork', GITHUB_ACTION_REF: 'v1) [x](javascript:' },
    'https://github.com/acme/fork/blob/v1/docs/previews.md',
  ],
  [
    { GITHUB_ACTION_REPOSITORY: '', GITHUB_ACTION_REF: '' },
    'https://github.com/OWNER/capgo-publish-action/blob/v1/docs/previews.md',
  ],
])('%j: %s', (env, address) => expect(documentsOf(env)('previews')).toBe(address))

it('leads to the heading of an error', () => {
  const address = 'https://github.com/OWNER/capgo-publish-action/blob/v1/docs/troubleshooting.md'
  expect(troubleshooting(documentsOf({}), 'build_failed')).toBe(`${address}#build_failed`)
  expect(troubleshooting(documentsOf({}), 'http_503')).toBe(`${address}#http_status`)
  expect(headingOf('github_403')).toBe('github_status')
  expect(headingOf('channel_device_error')).toBe('capgo_code')
})

const headings = [
  ...readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8').matchAll(/^#+ (.+)$/gm),
].map(([, heading = '']) => slug(heading))

it.each([...ERROR_CODES, 'http_503', 'github_403', 'channel_device_error'])(
  'the address of %s leads to a heading',
  code => {
    const { hash } = new URL(troubleshooting(documentsOf({}), code))
    expect(headings).toContain(hash.slice(1))
  },
)

/** As GitHub makes the anchor of a heading: https://github.com/Flet/github-slugger */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-')
}
