/** For every input, each value of those with few, and every output: the test that fails when it does nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readInputs } from '../../src/inputs/inputs.ts'

const TESTS = join(import.meta.dirname, '..')
const manifest = parse(readFileSync(join(TESTS, '../action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { readonly default?: unknown }>>
  readonly outputs: Readonly<Record<string, unknown>>
}
const defaultOf = (name: string) => String(manifest.inputs[name]?.default ?? '')

/** `input`, or `input=value`, to file and title. */
const INPUTS: Readonly<Record<string, readonly [file: string, title: string]>> = {
  'capgo-token': ['scenarios/preview.test.ts', "a pull request of one's own fails: the secret is missing"],
  'operation=auto': ['scenarios/push.test.ts', 'a push to main makes channel production and publishes on it'],
  'operation=promote': [
    'scenarios/promote.test.ts',
    'takes what one channel serves to another, byte for byte and without a build',
  ],
  'operation=rollback': [
    'scenarios/rollback.test.ts',
    'goes where it is told, by name or id, and is undone with force',
  ],
  'operation=rollout': [
    'scenarios/rollout.test.ts',
    'begins at a percentage, is raised, paused, resumed and finished',
  ],
  'operation=status': ['scenarios/status.test.ts', 'leaves open what the key may not read'],
  'operation=devices': [
    'scenarios/devices.test.ts',
    'are listed with names, versions and channels, ids shortened',
  ],
  'device-filter': ['scenarios/devices.test.ts', 'are filtered'],
  'show-ids': [
    'scenarios/devices.test.ts',
    'have whole ids, and lines for the testers file, in a private repository alone',
  ],
  'operation=testers': ['workflows/run.test.ts', 'are put where they belong, and missed ends are made good'],
  'operation=enroll': ['scenarios/enroll.test.ts', 'by a pull request that a lead merges'],
  'join-approve': [
    'scenarios/enroll.test.ts',
    'without a review where the workflow trusts members, for a device of their own',
  ],
  'join-channels': [
    'scenarios/enroll.test.ts',
    'choose a channel, a group or a day that the workflow does not allow',
  ],
  'join-groups': [
    'scenarios/enroll.test.ts',
    'without a review where the workflow trusts members, for a device of their own',
  ],
  'join-days': [
    'scenarios/enroll.test.ts',
    'choose a channel, a group or a day that the workflow does not allow',
  ],
  'join-label': ['scenarios/enroll.test.ts', 'with the form of one of two apps'],
  'operation=cleanup': [
    'scenarios/status.test.ts',
    'deletes old bundles by name, and none that is served, needed, new or not ours',
  ],
  channels: ['scenarios/testers.test.ts', 'is applied where the branch publishes nothing too'],
  channel: [
    'scenarios/verify.test.ts',
    'needs a native version and a channel that answers, and says so before anything is built',
  ],
  from: [
    'scenarios/promote.test.ts',
    'takes what one channel serves to another, byte for byte and without a build',
  ],
  to: ['scenarios/rollback.test.ts', 'goes where it is told, by name or id, and is undone with force'],
  'force=true': ['scenarios/promote.test.ts', 'does not take back what is newer, unless it is forced to'],
  'force=false': ['scenarios/promote.test.ts', 'does not take back what is newer, unless it is forced to'],
  rollout: ['scenarios/rollout.test.ts', 'begins at a percentage, is raised, paused, resumed and finished'],
  'on-active-rollout=fail': [
    'scenarios/rollout.test.ts',
    'is never reset in silence: a publish fails, replaces it or goes on with it, as the workflow says',
  ],
  'on-active-rollout=replace': [
    'scenarios/rollout.test.ts',
    'is never reset in silence: a publish fails, replaces it or goes on with it, as the workflow says',
  ],
  'on-active-rollout=advance': [
    'scenarios/rollout.test.ts',
    'is never reset in silence: a publish fails, replaces it or goes on with it, as the workflow says',
  ],
  keep: [
    'scenarios/status.test.ts',
    'deletes old bundles by name, and none that is served, needed, new or not ours',
  ],
  'verify=true': [
    'scenarios/verify.test.ts',
    'needs a native version and a channel that answers, and says so before anything is built',
  ],
  'verify=false': ['scenarios/push.test.ts', 'a push to main makes channel production and publishes on it'],
  version: ['scenarios/errors.test.ts', 'a version that is none'],
  'native-version': [
    'scenarios/verify.test.ts',
    'needs a native version and a channel that answers, and says so before anything is built',
  ],
  'working-directory': ['scenarios/several-apps.test.ts', 'one that fails says so in its own row'],
  'app-id': [
    'scenarios/promote.test.ts',
    'works without a checkout, and says that nobody looked whether devices take it',
  ],
  'web-dir': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'build=true': ['scenarios/push.test.ts', 'a push to main makes channel production and publishes on it'],
  'build=false': [
    'scenarios/bundle.test.ts',
    'files that another bundle stored are found for a new channel too',
  ],
  'build-script': ['scenarios/errors.test.ts', 'no build script'],
  'build-env': [
    'scenarios/build-env.test.ts',
    'install, build and config get what build-env and build-secrets say, and nobody else sees the secrets',
  ],
  'build-secrets': [
    'scenarios/build-env.test.ts',
    'install, build and config get what build-env and build-secrets say, and nobody else sees the secrets',
  ],
  'check-notify-app-ready=true': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'check-notify-app-ready=false': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'dry-run=true': ['scenarios/push.test.ts', 'a dry run prints the plan and writes nothing'],
  'dry-run=false': ['scenarios/push.test.ts', 'a push to main makes channel production and publishes on it'],
  'delta=auto': ['scenarios/bundle.test.ts', 'only what changed is sent, and devices get every file'],
  'delta=true': ['scenarios/bundle.test.ts', 'is refused where the user insists and it is not possible'],
  'delta=false': ['contract/official-cli.test.ts', 'bundle decrypt opens what this action published'],
  'delta=only': ['scenarios/bundle.test.ts', 'only: there is no zip at all'],
  'private-key': [
    'scenarios/bundle.test.ts',
    'a run that died is finished with the session key that is stored',
  ],
  'on-incompatible=fail': [
    'scenarios/bundle.test.ts',
    'that installed apps do not have fail the run, and do not where the user says so',
  ],
  'on-incompatible=warn': [
    'scenarios/bundle.test.ts',
    'that installed apps do not have fail the run, and do not where the user says so',
  ],
  'on-incompatible=ignore': [
    'scenarios/bundle.test.ts',
    'that installed apps do not have fail the run, and do not where the user says so',
  ],
  'min-update-version': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'source-maps=drop': [
    'scenarios/source-maps.test.ts',
    'drop leaves them out, keep ships them; neither stores an artifact',
  ],
  'source-maps=keep': [
    'scenarios/source-maps.test.ts',
    'drop leaves them out, keep ships them; neither stores an artifact',
  ],
  'source-maps=artifact': [
    'scenarios/source-maps.test.ts',
    'artifact: the maps are at the run, byte for byte, and on no phone',
  ],
  'source-maps-artifact': [
    'scenarios/source-maps.test.ts',
    'artifact: the maps are at the run, byte for byte, and on no phone',
  ],
  'source-maps-retention-days': [
    'scenarios/source-maps.test.ts',
    'artifact: the maps are at the run, byte for byte, and on no phone',
  ],
  timeout: ['security/time.test.ts', 'whose build never ends, with all that the build started'],
  'api-url': ['workflows/run.test.ts', 'puts each branch on its channel, and tells the caller'],
  'files-url': ['scenarios/input-values.test.ts', 'where requests go: files-url, plugin-url'],
  'database-url': [
    'integration/faults.test.ts',
    'while it sent delta files is run again: larger ones are asked for and not sent again',
  ],
  'database-key': [
    'integration/faults.test.ts',
    'while it sent delta files is run again: larger ones are asked for and not sent again',
  ],
  'console-url': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'plugin-url': ['scenarios/input-values.test.ts', 'where requests go: files-url, plugin-url'],
  'preview-channel': ['scenarios/preview.test.ts', 'a fixed channel is shared by pull requests'],
  'preview-label': ['scenarios/preview.test.ts', 'a pull request gets a preview while it has the label'],
  'preview-drafts=true': [
    'scenarios/inputs.test.ts',
    'drafts get a preview, unless they are not wanted: then once they are ready',
  ],
  'preview-drafts=false': [
    'scenarios/inputs.test.ts',
    'drafts get a preview, unless they are not wanted: then once they are ready',
  ],
  'comment=true': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  'comment=separate': [
    'scenarios/several-apps.test.ts',
    'have one comment each with comment: separate, and one again without',
  ],
  'comment=false': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  'deployments=true': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  'deployments=false': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  artifact: ['scenarios/fork.test.ts', 'the second workflow says what is wrong'],
  'testers-file': ['scenarios/errors.test.ts', 'an input testers-file that is not there'],
  'assign-testers': ['scenarios/testers.test.ts', 'goes to reviewers and groups when the workflow says so'],
  'prune=removed': ['scenarios/testers.test.ts', 'sets, moves and removes; what a person did stays'],
  'prune=exclusive': ['scenarios/testers.test.ts', 'sets, moves and removes; what a person did stays'],
  'prune=never': ['scenarios/testers.test.ts', 'sets, moves and removes; what a person did stays'],
  'devices-token': [
    'scenarios/testers.test.ts',
    'put devices on channels: that is told before anything is published',
  ],
  'github-token': ['scenarios/fork.test.ts', 'sends the token to GitHub alone'],
}

/** Output to file and title; where the test compares the whole story of a run, the output stands in its snapshot. */
const OUTPUTS: Readonly<Record<string, readonly [file: string, title: string]>> = {
  outcome: ['scenarios/push.test.ts', 'the same content again changes nothing'],
  sha256: [
    'scenarios/installable.test.ts',
    'decrypts what a device downloads, and a run that fails after the publish tells what it published',
  ],
  'bundle-id': [
    'scenarios/rollback.test.ts',
    'goes where it is told, by name or id, and is undone with force',
  ],
  'bundle-version': [
    'scenarios/source-maps.test.ts',
    'artifact: the maps are at the run, byte for byte, and on no phone',
  ],
  channel: ['scenarios/fork.test.ts', 'is on a phone, with a comment'],
  'channel-id': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  checksum: [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  size: [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'bundle-url': [
    'scenarios/input-values.test.ts',
    'what a publish looks at: web-dir, check-notify-app-ready, min-update-version, console-url, deployments',
  ],
  'deep-link': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  'web-preview-url': ['unit/report/outputs.test.ts', 'of a preview say how to get it'],
  'comment-url': [
    'scenarios/input-values.test.ts',
    'what a pull request gets: comment, deployments, and the outputs of a preview',
  ],
  'release-notes': ['scenarios/release-notes.test.ts', 'of a push stand wherever a publish is reported'],
  'source-maps-artifact-url': [
    'scenarios/source-maps.test.ts',
    'artifact: the maps are at the run, byte for byte, and on no phone',
  ],
  rollout: ['scenarios/rollout.test.ts', 'begins at a percentage, is raised, paused, resumed and finished'],
  status: [
    'scenarios/status.test.ts',
    'tells what every channel serves since when, from which commit and pull request, and to how many',
  ],
  devices: ['scenarios/devices.test.ts', 'are listed with names, versions and channels, ids shortened'],
  testers: ['scenarios/testers.test.ts', 'is on the devices of the file, and on no other'],
  'error-url': ['scenarios/errors.test.ts', '$title'],
  'error-code': ['scenarios/bundle.test.ts', 'is refused where the user insists and it is not possible'],
  reason: [
    'scenarios/build-env.test.ts',
    'install, build and config get what build-env and build-secrets say, and nobody else sees the secrets',
  ],
}

/** The values that the action's own error lists for one it does not know; null where any text may stand. */
function valuesOf(input: string): readonly string[] | null {
  try {
    readInputs(name => {
      if (name === input) return 'no-such-value'
      return name === 'capgo-token' ? 'key' : defaultOf(name).replace(/\$\{\{.*\}\}/, '')
    })
    return null
  } catch (error) {
    const { message, hint = '' } = error as Error & { hint?: string }
    if (/must be true or false/.test(message)) return ['true', 'false']
    const [, list] = /cannot be "no-such-value"\.\n?Use (.+?)\.$/.exec(`${message}\n${hint}`) ?? []
    // Words with something behind them are a language of their own, as that of assign-testers.
    return list === undefined || list.includes('<') ? null : list.split(/, | and | or /)
  }
}

/** The test's own source; throws where the file has none of the title. */
function bodyOf([file, title]: readonly [string, string]): string {
  const text = readFileSync(join(TESTS, file), 'utf8')
  const at = [`'${title}'`, `"${title}"`, `\`${title}\``]
    .map(each => text.indexOf(each))
    .find(each => each >= 0)
  expect(at, `${file} has "${title}"`).toBeDefined()
  const indent = /[^\n]*$/.exec(text.slice(0, at))![0].match(/^ */)![0]
  const end = text.indexOf(`\n${indent}}`, at)
  return text.slice(at, end < 0 ? undefined : end)
}

const names = Object.keys(manifest.inputs)
const wanted = names.flatMap(name => valuesOf(name)?.map(value => `${name}=${value}`) ?? [name])

it('every input, each value of those with few, and every output has its test, and nothing else has', () => {
  expect(Object.keys(INPUTS).sort()).toEqual(wanted.sort())
  expect(Object.keys(OUTPUTS).sort()).toEqual(Object.keys(manifest.outputs).sort())
})

describe('the test of the input', () => {
  it.each(Object.entries(INPUTS))('%s', (key, where) => {
    const [name = '', value] = key.split('=')
    const body = bodyOf(where)
    const text = readFileSync(join(TESTS, where[0]), 'utf8')
    // What is the default, or the job's own token, is given by who gives nothing.
    if (value === defaultOf(name) || name === 'github-token') return
    if (`${name}=${value}` === 'on-incompatible=fail') return
    // A ready-made workflow gives it.
    if (key === 'operation=testers') return
    expect(text).toMatch(new RegExp(`(^|[^\\w-])'?${name}'?(\\]|:|,)`, 'm'))
    if (value !== undefined && name !== 'operation') expect(body).toContain(`'${value}'`)
  })
})

describe('the test of the output', () => {
  it.each(Object.entries(OUTPUTS))('%s', (name, where) => {
    const body = bodyOf(where)
    const snapshots = join(TESTS, where[0].replace(/([^/]+)$/, '__snapshots__/$1.snap'))
    const story = existsSync(snapshots) ? readFileSync(snapshots, 'utf8') : ''
    const inStory = body.includes('story(') && new RegExp(`^${name}=.`, 'm').test(story)
    expect(inStory || new RegExp(`outputs.*\\b${name}\\b|'?\\b${name}\\b'?:`, 's').test(body)).toBe(true)
  })
})
