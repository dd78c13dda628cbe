/** Runners that refuse what a run needs: folders, files, space, handles, and whose files another user owns. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunOptions } from '../../local/runner/runner.ts'
import { createBuiltWorld, type World } from './scenario.ts'
import { servedBy } from './stages.ts'

const NOWHERE = '/nonexistent/folder'
/** Root may write everywhere: as root the action runs as another user. */
const AS_OTHER =
  process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []

type Run = Awaited<ReturnType<World['push']>>
const warningsOf = ({ log }: Run) =>
  log.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)

/** Nobody but their owner writes to the runner's folders and files, nor to the checkout; the others may look at them. */
function lockUp({ repo }: World): NonNullable<RunOptions['prepare']> {
  return variables => {
    for (const folder of [dirname(variables.RUNNER_TEMP!), variables.RUNNER_TEMP!, repo.path])
      chmodSync(folder, 0o555)
    for (const name of ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_ENV', 'GITHUB_STATE'])
      chmodSync(variables[name]!, 0o444)
    mkdirSync(variables.TMPDIR!, { recursive: true })
    chmodSync(variables.TMPDIR!, 0o777)
  }
}

it('a container whose user owns nothing publishes, and tells its outputs another way', async () => {
  const world = await createBuiltWorld({ role: 'app_admin' })
  const run = await world.push('main', {
    through: AS_OTHER,
    prepare: lockUp(world),
    env: { HOME: world.repo.path },
  })
  expect(run.outputs, run.visibleLog).toMatchObject({
    outcome: 'published',
    'bundle-version': servedBy(world, 'production')!.name,
  })
  expect(warningsOf(run)).toEqual([
    expect.stringMatching(/^The outputs were set by workflow commands.*EACCES.*--user 1001/),
    expect.stringMatching(/^The job summary is missing: EACCES/),
  ])
  expect(run.visibleLog).toMatch(/The temporary folder \S+_temp cannot be used \(EACCES/)
  expect(run.visibleLog).toMatch(/HOME is not writable \(EACCES/)
})

it('a build that cannot write to the checkout says so', async () => {
  const world = await createBuiltWorld({ inputs: { build: 'true' } })
  rmSync(join(world.repo.path, 'www'), { recursive: true })
  const run = await world.push('main', { through: AS_OTHER, prepare: lockUp(world) })
  expect(run.outputs['error-code'], run.visibleLog).toBe('workspace_unusable')
  expect(run.visibleLog).toContain('--user 1001')
})

const eventPath = ({ GITHUB_EVENT_PATH = '' }: Readonly<Record<string, string>>) => GITHUB_EVENT_PATH

describe.each<[string, Partial<RunOptions>, RegExp]>([
  ['temp_unusable', { env: { RUNNER_TEMP: NOWHERE, TMPDIR: '/dev/null' } }, /ENOENT.*ENOTDIR/],
  ['disk_full', { through: ['prlimit', '--fsize=1500000'] }, /EFBIG.*\n.*Free some space/],
  ['too_many_open_files', { through: ['prlimit', '--nofile=30:30'] }, /EMFILE.*\n.*ulimit -n/],
  ['workspace_unusable', { env: { GITHUB_WORKSPACE: NOWHERE } }, /cannot be read \(ENOENT/],
  [
    'event_unreadable',
    { prepare: variables => rmSync(eventPath(variables)) },
    /ENOENT.*\n.*GITHUB_EVENT_PATH/,
  ],
  ['event_invalid', { prepare: variables => writeFileSync(eventPath(variables), '{"ref": ') }, /payload/],
  ['not_on_github', { env: { GITHUB_EVENT_PATH: '' } }, /GITHUB_EVENT_PATH is missing/],
])('%s', (code, options, message) => {
  it('is the code of the run, which says what to do and publishes nothing', async () => {
    // Not compressible, so that its zip is larger than the limit.
    const noise = Buffer.from(Array.from({ length: 2_000_000 }, () => Math.random() * 256))
    const world = await createBuiltWorld({ builtAction: true, files: { 'www/noise.bin': noise } })
    const run = await world.push('main', options)
    expect(run.exitCode).toBe(1)
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'failed', 'error-code': code })
    expect(run.visibleLog).toMatch(message)
    expect(run.visibleLog).not.toMatch(/open an issue|^ +at /m)
    expect(world.capgo.store.list('app_versions', {}).filter(({ name }) => /^\d/.test(name))).toEqual([])
  })
})
