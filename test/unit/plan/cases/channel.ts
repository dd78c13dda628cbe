/** How a channel is made that is not there yet, and which refs a pattern of `channels` matches. */
import type { Purpose } from '../../../../src/plan/types.ts'
import type { Case } from './case.ts'

interface NewChannel {
  readonly purpose: Purpose
  readonly publicChannels: readonly string[]
}

const branch = (isDefaultBranch: boolean): Purpose => ({ kind: 'branch', isDefaultBranch })
const PRIVATE = 'private, devices may choose it'

const made: readonly Case<NewChannel>[] = [
  {
    name: "the default branch's, where there is no public one",
    page: ['the default branch, or a tag', 'none'],
    given: { purpose: branch(true), publicChannels: [] },
    result: 'public',
    why: "created as the app's public channel, because there is none yet",
  },
  {
    name: "the default branch's, beside a public one",
    page: ['the default branch, or a tag', '`live`'],
    given: { purpose: branch(true), publicChannels: ['live'] },
    result: PRIVATE,
    why: "private channel that devices can join: the app's public channel is live",
  },
  {
    name: "the default branch's, beside several public ones",
    given: { purpose: branch(true), publicChannels: ['live', 'web'] },
    result: PRIVATE,
    why: "private channel that devices can join: the app's public channel is live, web",
  },
  {
    name: "another branch's, where there is no public one",
    page: ['another branch', 'none'],
    given: { purpose: branch(false), publicChannels: [] },
    result: PRIVATE,
    why: 'private channel that devices can join: only the default branch or a tag creates the public one',
  },
  {
    name: "another branch's, beside a public one",
    given: { purpose: branch(false), publicChannels: ['live'] },
    result: PRIVATE,
    why: "private channel that devices can join: the app's public channel is live",
  },
  {
    name: 'that of a preview',
    page: ['a pull request', '`production`'],
    given: { purpose: { kind: 'preview', pull: 12 }, publicChannels: ['production'] },
    result: PRIVATE,
    why: 'private preview channel, devices can join it, any version',
  },
]

export const NEW_CHANNEL = { 'a new channel:': made }

/** What is published by default: by the repository's default branch, which not every event tells. */
export const DEFAULT_MAPPINGS: readonly (readonly [defaultBranch: string | null, mappings: string])[] = [
  ['main', 'main: production, develop: development'],
  [null, 'main: production, develop: development'],
  ['trunk', 'trunk: production, develop: development'],
  ['develop', 'main: production, develop: development'],
  ['dev', 'main: production, dev: development'],
  ['development', 'main: production, development: development'],
  ['developer', 'developer: production, develop: development'],
]

/** A pattern of `channels`, a full ref, and whether the one matches the other. */
export const PATTERNS: readonly (readonly [pattern: string, ref: string, isMatch: boolean])[] = [
  ['main', 'refs/heads/main', true],
  ['main', 'refs/heads/mainline', false],
  ['fix(api)', 'refs/heads/fix(api)', true],
  ['release/*', 'refs/heads/release/1', true],
  ['release/*', 'refs/heads/release/1/2', false],
  ['release/**', 'refs/heads/release/1/2', true],
  ['*', 'refs/heads/.hidden', true],
  ['!main', 'refs/heads/main', false],
  ['!main', 'refs/heads/x', false],
  // Of tags a plain pattern matches those that are a version, and only with a wildcard.
  ['v*', 'refs/tags/v1.2.0', true],
  ['*', 'refs/tags/1.4.0-rc.1', true],
  ['v*', 'refs/tags/vnext', false],
  ['main', 'refs/tags/main', false],
  ['v1.2.0', 'refs/tags/v1.2.0', false],
  ['v*', 'refs/heads/v1.2.0', true],
  ['*-alpha.*', 'refs/tags/1.4.0-alpha.2', true],
  ['*-alpha.*', 'refs/tags/v1.4.0', false],
  // A full one matches what it says.
  ['refs/tags/**', 'refs/tags/v1.4.0', true],
  ['refs/tags/v*', 'refs/tags/vnext', true],
  ['refs/tags/v*', 'refs/heads/v1', false],
  ['refs/heads/main', 'refs/heads/main', true],
  ['refs/heads/main', 'refs/tags/main', false],
]

/** A ref that is not mapped, and the line that would publish it. */
export const SUGGESTIONS: readonly (readonly [ref: string, line: string])[] = [
  ['refs/heads/main', 'main: production'],
  ['refs/heads/feature/x', 'feature/x: feature-x'],
  ['refs/heads/a b  c', 'refs/heads/a b  c: a-b-c'],
  ['refs/heads/..x..', 'refs/heads/..x..: x'],
  ['refs/heads/§§', '§§: beta'],
  [`refs/heads/${'x'.repeat(63)}-y`, `${'x'.repeat(63)}-y: ${'x'.repeat(63)}`],
  ['refs/tags/v1', 'refs/tags/v1: v1'],
  ['refs/tags/v1.2', 'refs/tags/v*: production'],
  ['refs/tags/1.2.3-rc.1', 'refs/tags/*: production'],
  ['refs/tags/1.2/x', 'refs/tags/1.2/x: 1.2-x'],
]

/** A pattern that can never match, and what to write instead. */
export const BAD_PATTERNS: readonly (readonly [pattern: string, hint: string])[] = [
  ['-  main ', 'Write "main", without the dash.'],
  ['origin/main', 'Write "main", or "refs/heads/origin/main" for a branch of exactly that name.'],
  ['tags/v*', 'Write "refs/tags/v*", or "refs/heads/tags/v*" for a branch of exactly that name.'],
  ['!main', 'The first match wins, so put the more specific pattern first.'],
]
