import { expect, it } from 'vitest'
import { releaseNotes } from '../../scripts/release-notes.ts'

const changelog = `# Changelog

## [Unreleased]

### Added
- Next

## [1.2.0] - 2026-11-24

### Added
- Promote

### Fixed
- A bug

## [1.1.0] - 2026-10-01
- Old

[1.2.0]: https://example.com
`

it('are what the changelog says of the version', () => {
  expect(releaseNotes('v1.2.0', { version: '1.2.0', changelog })).toBe(
    '### Added\n- Promote\n\n### Fixed\n- A bug\n',
  )
  expect(releaseNotes('v1.1.0', { version: '1.1.0', changelog })).toBe('- Old\n')
})

it.each([
  ['v1.3.0', '1.2.0', 'package.json says 1.2.0'],
  ['1.2.0', '1.2.0', 'The tag is 1.2.0'],
  ['v1.3.0', '1.3.0', 'no section'],
])('are refused: %s of %s', (tag, version, message) => {
  expect(() => releaseNotes(tag, { version, changelog })).toThrow(message)
})
