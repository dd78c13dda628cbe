/**
 * Error situations: each ends with one error that teaches and a link to its help, exit code 1, and nothing left behind.
 * Writes docs/development/errors.md (`-u`), and each situation's whole output to the file that SHOW_ERRORS names.
 */
import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Files } from '../../local/repository.ts'
import type { WorkflowEvent } from '../../local/runner/event.ts'
import { pullRequestEvent, pushEvent, tagPushEvent, workflowRunEvent } from '../../local/runner/event.ts'
import type { RunOptions } from '../../local/runner/runner.ts'
import { type RawEntry, writeRawZip } from '../helpers/raw-zip.ts'
import { openPull } from './pull.ts'
import { createWorld, tinyApp, type World, type WorldOptions } from './scenario.ts'

interface Case {
  readonly title: string
  readonly code: string
  readonly world?: WorldOptions
  readonly files?: Files
  readonly run?: Partial<RunOptions>
  /** Only the build, or what comes of it, shows what is wrong; everything else is reported before it. */
  readonly builds?: boolean
  /** `failed` unless the rest of the run was done all the same. */
  readonly outcome?: string
  readonly prepare?: (world: World) => void | Promise<void>
  readonly event?: (world: World) => WorkflowEvent
}

const built: Files = {
  'www/index.html': '<script src="app.js"></script>',
  'www/app.js': 'notifyAppReady()',
  '.gitignore': '',
}
const notBuilt = { inputs: { build: 'false' } }

const FORK = 'mallory/daybreak'
const TESTER = 'ada00000-1111-4222-8333-000000000001'
/** Main is mapped to no channel. */
const onlyTesters = { inputs: { build: 'false', channels: 'live: production' } }

/** A pull request from a fork, on an event that has secrets. */
const onTarget = {
  prepare: async (world: World) => void (await openPull(world, { fork: FORK })),
  event: ({ repo }: World) =>
    pullRequestEvent('opened', {
      number: 12,
      headSha: repo.head,
      headRef: 'feature/evening',
      fork: FORK,
      target: true,
    }),
}

/** The second workflow for forks, after a run that kept these files. */
function following(entries: readonly RawEntry[] | null): Pick<Case, 'prepare' | 'event' | 'run'> {
  return {
    run: { inputs: { build: 'false', 'app-id': 'com.example.app' } },
    prepare: async world => {
      await openPull(world, { fork: FORK })
      const { id } = world.hosted.addRun({
        id: 4711,
        headBranch: 'feature/evening',
        headSha: world.repo.head,
        fork: FORK,
      })
      if (entries !== null) world.hosted.addArtifact({ runId: id, name: 'web', zip: writeRawZip(entries) })
    },
    event: ({ repo }) =>
      workflowRunEvent({
        sha: repo.head,
        headSha: repo.head,
        headBranch: 'feature/evening',
        event: 'pull_request',
        fork: FORK,
        runId: 4711,
      }),
  }
}

/** A pull request of the repository's own. */
const pulled = (action: 'opened' | 'closed', branch = 'feature/evening') => ({
  prepare: async (world: World) => {
    const pull = await openPull(world, { branch })
    if (action === 'opened') return
    await pull.run('opened')
    world.hosted.closePull(12)
  },
  event: ({ repo }: World) => pullRequestEvent(action, { number: 12, headSha: repo.head, headRef: branch }),
})

const noted = (channel: string, run: number) =>
  `${channel}: main@${String(run % 10).repeat(40)} run ${run}.1 (id ${run})`

/** Channels with what they serve; a bundle's number is that of the run that put it there. */
const serving =
  (channels: Readonly<Record<string, { name: string; run?: number; more?: object }>>, rules: object = {}) =>
  ({ capgo }: World) => {
    for (const [name, { name: bundle, run, more }] of Object.entries(channels)) {
      const comment = run === undefined ? {} : { comment: noted(name, run) }
      const bytes = Buffer.from(bundle)
      capgo.seedBundle({ appId: 'com.example.app', name: bundle, bytes, ...comment, ...more })
      capgo.seedChannel({ appId: 'com.example.app', name, bundle, public: name === 'production', ...rules })
    }
  }

const promoting = { inputs: { operation: 'promote', from: 'development', to: 'production' } }
const rollingBack = { inputs: { operation: 'rollback', channel: 'production' } }

/** Production rolls out a second bundle. */
const rolling = ({ capgo }: World) => {
  serving({ production: { name: '1.1.0', run: 1 } })({ capgo } as World)
  const { id } = capgo.seedBundle({ appId: 'com.example.app', name: '1.1.1', bytes: Buffer.from('next') })
  const channel = capgo.store.find('channels', { name: 'production' })!
  const rollout = { rollout_version: id, rollout_enabled: true, rollout_percentage_bps: 1000 }
  capgo.store.update('channels', channel, rollout)
}

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'The key': [
    { title: 'no token', code: 'capgo_token_missing', run: { inputs: { 'capgo-token': '' } } },
    {
      title: 'a wrong token',
      code: 'invalid_apikey',
      run: { inputs: { 'capgo-token': '00000000-0000-4000-8000-00000000dead' } },
    },
    {
      title: 'a key that has expired',
      code: 'invalid_apikey',
      prepare: ({ capgo, key }) => {
        const row = capgo.store.find('apikeys', { key })!
        capgo.store.update('apikeys', row, { expires_at: '2020-01-01T00:00:00.000Z' })
      },
    },
    ...(
      [
        ['app.read', 'app_not_found', false],
        ['app.upload_bundle', 'permission_missing', true],
        ['app.create_channel', 'permission_missing', false],
      ] as const
    ).map(([permission, code, builds]) => ({
      title: `a key without ${permission}`,
      code,
      builds,
      world: { without: [permission] },
    })),
    {
      title: 'a key without channel.promote_bundle',
      code: 'permission_missing',
      world: { without: ['channel.promote_bundle'] },
      prepare: ({ capgo }) =>
        void capgo.seedChannel({ appId: 'com.example.app', name: 'production', public: true }),
    },
    {
      title: 'a key without app.read_bundles',
      builds: true,
      code: 'permission_missing',
      world: { without: ['app.read_bundles'] },
      prepare: ({ capgo }) =>
        void capgo.seedBundle({ appId: 'com.example.app', name: '1.2.0', checksum: 'other' }),
    },
    {
      title: 'a rollout with a key without channel.update_settings',
      code: 'permission_missing',
      run: { inputs: { rollout: '10' } },
      prepare: world => serving({ production: { name: '1.1.0', run: 1 } })(world),
    },
    {
      title: 'a plan that is exhausted',
      code: 'on_premise_app',
      builds: true,
      world: { app: { planValid: false } },
    },
  ],
  'The server': [
    {
      title: 'an app that Capgo does not know',
      code: 'app_not_found',
      run: { inputs: { 'app-id': 'com.example.other' } },
    },
    {
      title: 'a database that does not have the app',
      code: 'app_not_in_database',
      prepare: ({ capgo }) =>
        capgo.faults.add({ match: { path: '/rest/v1/apps' }, do: { status: 200, body: '[]' } }),
    },
    {
      title: "an organisation that demands two-factor authentication of the key's owner",
      code: 'two_factor_required',
      world: { app: { blockedBy2fa: true } },
    },
    {
      title: 'an organisation that accepts encrypted bundles only',
      // A key cannot read that rule.
      builds: true,
      code: 'encryption_required',
      world: { app: { encryption: true } },
    },
    {
      title: 'an address where nothing answers',
      code: 'no_connection',
      run: { inputs: { 'api-url': 'http://127.0.0.1:9' } },
    },
    {
      title: 'an address without https',
      code: 'invalid_input',
      run: { inputs: { 'api-url': 'http://capgo.example.com' } },
    },
    {
      title: 'a server that redirects',
      code: 'redirect_refused',
      prepare: ({ capgo }) =>
        capgo.faults.add({
          match: { path: '/rest/v1/apps' },
          do: { status: 302, headers: { location: 'https://elsewhere.example/' }, body: '' },
        }),
    },
    {
      title: 'a server in trouble',
      code: 'http_503',
      prepare: ({ capgo }) =>
        capgo.faults.add({ match: { path: '/rest/v1/apps' }, do: { status: 503, body: 'no' }, times: 99 }),
    },
  ],
  'The workflow': [
    {
      title: 'a channel name with odd characters',
      code: 'invalid_input',
      run: { inputs: { channel: 'my channel, two' } },
    },
    {
      title: 'a line of channels that maps nothing',
      code: 'invalid_input',
      run: { inputs: { channels: 'main' } },
    },
    { title: 'a version that is none', code: 'invalid_input', run: { inputs: { version: 'v1.2' } } },
    {
      title: 'a switch that is neither true nor false',
      code: 'invalid_input',
      run: { inputs: { build: 'yes' } },
    },
    {
      title: 'a forced version that no device would take',
      code: 'version_refused',
      run: { inputs: { version: '1.0.0' } },
    },
    {
      title: 'a forced version that another bundle has',
      code: 'version_taken',
      files: built,
      run: { inputs: { build: 'false', version: '1.4.0' } },
      prepare: ({ capgo }) =>
        void capgo.seedBundle({ appId: 'com.example.app', name: '1.4.0', checksum: 'other' }),
    },
    {
      title: 'a channel whose rules refuse every name',
      code: 'channel_refuses_all',
      prepare: ({ capgo }) =>
        void capgo.seedChannel({
          appId: 'com.example.app',
          name: 'production',
          disable_auto_update: 'patch',
        }),
    },
    {
      title: 'a ref that is neither branch nor tag',
      code: 'ref_unknown',
      event: ({ repo }) => ({ ...pushEvent({ branch: 'main', sha: repo.head }), ref: 'refs/pull/7/merge' }),
    },
    {
      title: 'a tag that has the name of the default branch',
      code: 'ref_ambiguous',
      event: ({ repo }) => tagPushEvent({ tag: 'main', sha: repo.head }),
    },
    {
      title: 'a working directory outside of the checkout',
      code: 'outside_checkout',
      run: { inputs: { 'working-directory': '../..' } },
    },
  ],
  'Pull requests': [
    {
      title: 'a template of preview-channel that stands for nothing',
      code: 'invalid_input',
      run: { inputs: { 'preview-channel': 'pr-{id}' } },
    },
    {
      title: 'a preview-channel that a branch publishes to',
      code: 'invalid_input',
      run: { inputs: { 'preview-channel': 'production' } },
    },
    {
      title: 'a branch whose name leads to the channel of another branch',
      code: 'preview_channel_taken',
      run: { inputs: { 'preview-channel': '{branch}' } },
      ...pulled('opened', 'production'),
    },
    {
      title: 'a clean-up with a key without channel.delete',
      code: 'permission_missing',
      ...pulled('closed'),
    },
    { title: 'a build on pull_request_target', code: 'unsafe_build', ...onTarget },
    { title: 'a config on pull_request_target', code: 'unsafe_config', run: notBuilt, ...onTarget },
    { title: 'no artifact of the run before', code: 'artifact_missing', ...following(null) },
    {
      title: 'an artifact with a path that leads out',
      code: 'artifact_refused',
      ...following([{ name: 'index.html' }, { name: '../evil.sh' }]),
    },
    {
      title: 'an artifact with a link',
      code: 'artifact_refused',
      ...following([{ name: 'index.html' }, { name: 'passwd', content: '/etc/passwd', mode: 0o120777 }]),
    },
    {
      title: 'an artifact without a web build',
      code: 'artifact_refused',
      ...following([{ name: 'readme.txt' }]),
    },
    {
      title: "a job that cannot read the run's artifacts",
      code: 'permission_missing',
      world: { permissions: { contents: 'read', 'pull-requests': 'write' } },
      ...following([{ name: 'index.html' }]),
    },
  ],
  'The Capacitor config': [
    { title: 'no config', code: '', files: { 'capacitor.config.json': null } },
    { title: 'two configs', code: '', files: { 'capacitor.config.ts': 'export default {}' } },
    {
      title: 'a config that is not JSON',
      code: '',
      files: { 'capacitor.config.json': '{\n  "appId": "com.example.app",\n  webDir: "www"\n}\n' },
    },
    {
      title: 'a TypeScript config with a syntax error',
      code: '',
      files: {
        'capacitor.config.json': null,
        'capacitor.config.ts':
          'const config = {\n  appId: "com.example.app"\n  webDir: "www",\n}\nexport default config\n',
      },
    },
    {
      title: 'a config that throws',
      code: '',
      files: {
        'capacitor.config.json': null,
        'capacitor.config.ts': "throw new Error('STAGE is not set')\n",
      },
    },
    {
      title: 'a config without an app id',
      code: '',
      files: { 'capacitor.config.json': '{ "webDir": "www" }' },
    },
    {
      title: 'an app id from an unset variable',
      code: 'app_id_missing',
      files: {
        'capacitor.config.json': null,
        'capacitor.config.ts': "export default {\n  appId: process.env.APP_ID,\n  webDir: 'www',\n}\n",
      },
    },
    {
      title: 'a config that imports a generated file',
      code: 'config_module_missing',
      files: {
        'capacitor.config.json': null,
        'capacitor.config.ts':
          "import { appId } from './generated'\nexport default { appId, webDir: 'www' }\n",
      },
    },
  ],
  'Install and build': [
    {
      title: 'an app without the updater',
      code: 'updater_missing',
      files: {
        'package.json': JSON.stringify({
          version: '1.2.0',
          scripts: { build: 'node build.js' },
          dependencies: { '@capacitor/core': '8.0.0' },
        }),
      },
    },
    { title: 'no package.json', code: '', files: { 'package.json': null } },
    {
      title: 'a package.json that is not JSON',
      code: 'package_json_broken',
      files: { 'package.json': '{ "name": }' },
    },
    { title: 'no build script', code: '', run: { inputs: { 'build-script': 'bundle' } } },
    {
      title: 'dependencies without a lockfile',
      code: '',
      files: {
        'package-lock.json': null,
        'package.json': JSON.stringify({
          version: '1.2.0',
          scripts: { build: 'node build.js' },
          dependencies: { left: '1.0.0' },
        }),
      },
    },
    {
      title: 'a lockfile that does not match',
      code: 'install_failed',
      files: {
        'package.json': JSON.stringify({
          version: '1.2.0',
          scripts: { build: 'node build.js' },
          dependencies: { left: 'file:left' },
        }),
        'left/package.json': '{ "name": "left", "version": "1.0.0" }',
      },
    },
    {
      title: 'a package manager that is not installed',
      code: '',
      files: {
        'package-lock.json': null,
        'bun.lock': '{}',
        'package.json': JSON.stringify({
          version: '1.2.0',
          scripts: { build: 'node build.js' },
          dependencies: { left: '1.0.0' },
        }),
      },
    },
    {
      title: 'a build that fails',
      builds: true,
      code: '',
      files: {
        'build.js':
          "console.log('compiling'); console.error('src/main.ts:3 Unexpected token'); process.exit(2)\n",
      },
    },
  ],
  'The web folder': [
    { title: 'no web folder', code: '', run: notBuilt },
    {
      title: 'an empty web folder',
      code: '',
      files: { 'www/.DS_Store': 'x', '.gitignore': '' },
      run: notBuilt,
    },
    {
      title: 'no index.html',
      code: '',
      files: { 'www/browser/index.html': 'x', 'www/browser/app.js': 'notifyAppReady()', '.gitignore': '' },
      run: notBuilt,
    },
    {
      title: 'no call of notifyAppReady',
      code: '',
      files: { ...built, 'www/app.js': 'console.log(1)' },
      run: notBuilt,
    },
    {
      title: 'names that differ by case only',
      code: '',
      files: { ...built, 'www/Logo.svg': '1', 'www/logo.svg': '2' },
      run: notBuilt,
    },
    {
      title: 'a name that devices reject',
      code: '',
      files: { ...built, 'www/img\\logo.svg': '1' },
      run: notBuilt,
    },
    {
      title: 'a symbolic link',
      code: '',
      files: built,
      run: notBuilt,
      prepare: ({ repo }) => symlinkSync('/etc/hostname', join(repo.path, 'www/host.txt')),
    },
    {
      title: 'a web folder of 2 GB',
      code: '',
      files: { ...built, 'www/movie.mp4': '' },
      run: notBuilt,
      prepare: ({ repo }) => truncateSync(join(repo.path, 'www/movie.mp4'), 2_200_000_000),
    },
  ],
  Testers: [
    {
      title: 'a testers file with a mistake',
      code: 'testers_file_invalid',
      files: { ...built, 'testers.json': '[\n  "ada"\n]\n' },
    },
    {
      title: 'a testers file that is not JSON',
      code: 'testers_file_invalid',
      files: { ...built, 'testers.json': '[\n  {"device": }\n]\n' },
    },
    {
      title: 'a device that is listed twice',
      code: 'testers_file_invalid',
      files: { ...built, 'testers.json': `["${TESTER}",\n "${TESTER.toUpperCase()}"]` },
    },
    {
      title: 'an input testers-file that is not there',
      code: 'testers_file_missing',
      files: built,
      run: { inputs: { build: 'false', 'testers-file': 'qa/testers.json' } },
    },
    {
      title: 'an input testers-file outside of the repository',
      code: 'invalid_input',
      files: built,
      run: { inputs: { build: 'false', 'testers-file': '../testers.json' } },
    },
    {
      title: 'assign-testers with a group that the file has not',
      code: 'invalid_input',
      files: { ...built, 'testers.json': `{"groups": {"qa": ["${TESTER}"]}}` },
      run: { inputs: { build: 'false', 'assign-testers': 'author, group:ops' } },
    },
    {
      title: 'assign-testers with another word',
      code: 'invalid_input',
      files: built,
      run: { inputs: { build: 'false', 'assign-testers': 'everybody' } },
    },
    {
      title: 'prune with another word',
      code: 'invalid_input',
      files: built,
      run: { inputs: { build: 'false', prune: 'all' } },
    },
    {
      title: 'a tester on a public channel',
      code: 'public_channel',
      outcome: 'skipped',
      files: { ...built, 'testers.json': `[{"device": "${TESTER}", "channel": "live"}]` },
      run: onlyTesters,
      prepare: ({ capgo }) =>
        void capgo.seedChannel({ appId: 'com.example.app', name: 'live', public: true }),
    },
    {
      title: 'a tester on a channel that is not there',
      code: 'channel_unknown',
      outcome: 'skipped',
      files: { ...built, 'testers.json': `[{"device": "${TESTER}", "channel": "beta"}]` },
      run: onlyTesters,
    },
    {
      title: 'testers, and a key that cannot put devices on channels',
      code: 'permission_missing',
      outcome: 'skipped',
      world: { without: ['channel.manage_forced_devices'] },
      files: { ...built, 'testers.json': `[{"device": "${TESTER}", "channel": "beta"}]` },
      run: onlyTesters,
      prepare: ({ capgo }) =>
        void capgo.seedChannel({ appId: 'com.example.app', name: 'beta', public: false }),
    },
  ],
  'Promoting, rolling back, rolling out': [
    {
      title: 'an operation that there is not',
      code: 'invalid_input',
      run: { inputs: { operation: 'deploy' } },
    },
    {
      title: 'a promotion from nowhere',
      code: 'invalid_input',
      run: { inputs: { operation: 'promote', to: 'production' } },
    },
    {
      title: 'an input that the operation does not look at',
      code: 'invalid_input',
      run: { inputs: { operation: 'status', force: 'true' } },
    },
    {
      title: 'a promotion from a channel that is not there',
      code: 'channel_unknown',
      run: promoting,
      prepare: serving({ production: { name: '1.1.0', run: 1 } }),
    },
    {
      title: 'a promotion from a channel that serves nothing',
      code: 'nothing_to_promote',
      run: promoting,
      prepare: ({ capgo }) => {
        for (const name of ['development', 'production'])
          capgo.seedChannel({ appId: 'com.example.app', name })
      },
    },
    {
      title: 'a promotion of what is older',
      code: 'promotion_older',
      run: promoting,
      prepare: serving({ development: { name: '1.1.0', run: 1 }, production: { name: '1.1.1', run: 2 } }),
    },
    {
      title: 'a promotion of a bundle whose content is gone',
      code: 'bundle_not_ready',
      run: promoting,
      prepare: serving({
        production: { name: '1.1.0', run: 1 },
        development: { name: '1.1.1', run: 2, more: { bytes: undefined } },
      }),
    },
    {
      title: 'a promotion of what devices would not take',
      code: 'promotion_refused',
      run: promoting,
      prepare: serving({ production: { name: '1.1.0', run: 1 }, development: { name: '2.0.0', run: 2 } }),
    },
    {
      title: 'a promotion of what was rolled back',
      code: 'bundle_rolled_back',
      run: promoting,
      prepare: serving({
        production: { name: '1.1.0', run: 1 },
        development: {
          name: '1.1.1',
          more: { comment: `${noted('development', 2)}\n${noted('production', 2)} withdrawn 3.1/3` },
        },
      }),
    },
    {
      title: 'a roll-back without an earlier bundle',
      code: 'no_earlier_bundle',
      run: rollingBack,
      prepare: serving({ production: { name: '1.1.0', run: 1 } }),
    },
    {
      title: 'a roll-back to a bundle that is not there',
      code: 'bundle_unknown',
      run: { inputs: { ...rollingBack.inputs, to: '0.9.0' } },
      prepare: serving({ production: { name: '1.1.0', run: 1 } }),
    },
    {
      title: 'a roll-back to what devices would not take',
      code: 'rollback_refused',
      run: { inputs: { ...rollingBack.inputs, to: '0.9.0' } },
      prepare: serving({ old: { name: '0.9.0', run: 1 }, production: { name: '1.1.0', run: 2 } }),
    },
    {
      title: 'a publish to a channel with a rollout',
      code: 'rollout_active',
      run: {},
      prepare: rolling,
    },
    {
      title: 'a publish that pauses a rollout',
      code: 'invalid_input',
      run: { inputs: { rollout: 'pause' } },
    },
    {
      title: 'a rollout that is not there',
      code: 'no_rollout',
      run: { inputs: { operation: 'rollout', channel: 'production', rollout: '50' } },
      prepare: serving({ production: { name: '1.1.0', run: 1 } }),
    },
    {
      title: 'a change of a rollout with a key without channel.update_settings',
      code: 'permission_missing',
      run: { inputs: { operation: 'rollout', channel: 'production', rollout: '50' } },
      prepare: rolling,
    },
    {
      title: 'a clean-up of bundles with a key without bundle.delete',
      code: 'permission_missing',
      run: { inputs: { operation: 'cleanup', keep: '0' } },
      prepare: ({ capgo }) =>
        void capgo.seedBundle({ appId: 'com.example.app', name: '1.0.5', comment: noted('beta', 1) }),
    },
    {
      title: 'a clean-up in which Capgo refuses a bundle',
      code: 'cleanup_incomplete',
      world: { role: 'app_admin' },
      run: { inputs: { operation: 'cleanup', keep: '0' } },
      prepare: ({ capgo }) => {
        capgo.seedBundle({ appId: 'com.example.app', name: '1.0.5', comment: noted('beta', 1) })
        capgo.faults.add({
          match: { method: 'DELETE', path: '/bundle' },
          do: { status: 400, body: { error: 'cannot_check_linked_channels', message: 'Cannot check' } },
        })
      },
    },
    {
      title: 'a closed pull request, and a proxy that answers for Capgo',
      code: 'not_deleted',
      world: { role: 'app_admin' },
      event: pulled('closed').event,
      prepare: async world => {
        await pulled('closed').prepare(world)
        const page = { status: 200, body: '<html>Access denied</html>' }
        world.capgo.faults.add({ match: { method: 'DELETE', path: /channel/ }, do: page, times: Infinity })
      },
    },
    {
      title: 'verify, and a channel that answers nobody who asks',
      code: 'verify_impossible',
      run: { inputs: { verify: 'true', channel: 'closed' } },
      prepare: ({ capgo }) => void capgo.seedChannel({ appId: 'com.example.app', name: 'closed' }),
    },
    {
      title: 'verify, and a rule of the channel that refuses devices',
      code: 'not_offered',
      run: { inputs: { ...promoting.inputs, verify: 'true' } },
      prepare: world => {
        const { capgo } = world
        serving({ development: { name: '1.1.0', run: 1 } }, { allow_device_self_set: true })(world)
        const { version } = capgo.store.find('channels', { name: 'development' })!
        const rules = { public: true, allow_prod: false }
        capgo.seedChannel({ appId: 'com.example.app', name: 'production', bundle: version, ...rules })
      },
    },
    {
      title: 'verify, and a download that is something else',
      code: 'download_differs',
      run: { inputs: { ...promoting.inputs, verify: 'true' } },
      prepare: world => {
        const { capgo } = world
        serving({ development: { name: '1.1.0', run: 1 } })(world)
        const { version } = capgo.store.find('channels', { name: 'development' })!
        capgo.seedChannel({ appId: 'com.example.app', name: 'production', bundle: version, public: true })
        // Between the look at what is stored and the device's question.
        const bundle = capgo.store.find('app_versions', { id: version! })!
        capgo.faults.add({
          match: { method: 'POST', path: '/updates' },
          do: () => void capgo.store.update('app_versions', bundle, { checksum: 'c0ffee' }),
        })
      },
    },
  ],
}

const rows = new Map<string, string>()
const shown: string[] = []
const links = new Set<string>()

describe.each(Object.entries(CASES))('%s', (_chapter, cases) => {
  it.each(cases)('$title', async test => {
    const world = await createWorld({
      builds: true,
      // Else the same code, in this process.
      builtAction: test === cases[0],
      files: { ...tinyApp(), ...withoutNulls(test.files) },
      ...test.world,
    })
    const removed = Object.entries(test.files ?? {}).flatMap(([path, content]) =>
      content === null ? [path] : [],
    )
    if (removed.length > 0) world.repo.commit(Object.fromEntries(removed.map(path => [path, null])))
    await test.prepare?.(world)
    const before = stateOf(world)
    const run = await world.run(
      test.event?.(world) ?? pushEvent({ branch: 'main', sha: world.repo.head }),
      test.run,
    )

    expect(run.exitCode, run.visibleLog).toBe(1)
    expect(run.outputs.outcome).toBe(test.outcome ?? 'failed')
    const errors = run.log.annotations.filter(({ level }) => level === 'error')
    expect(errors, 'one error, no more').toHaveLength(1)
    const [message = '', ...rest] = errors[0]!.message.split('\n')
    const hint = rest.slice(0, -1)
    const link = rest.at(-1)!
    expect(hint.join(' ').trim(), 'the error says what to do').not.toBe('')
    expect(link, 'its last line leads to the help').toBe(run.outputs['error-url'])
    expect(link).toMatch(/^https:\/\/\S+\/docs\/troubleshooting\.md#\w+$/)
    links.add(link)
    expect(run.summary, 'the summary leads there too').toContain(link)
    expect(run.visibleLog.includes('Build (build)'), 'a build ran before the error').toBe(
      test.builds ?? false,
    )
    shown.push(
      `## ${test.title}\n\n\`\`\`\`\n${plain(run.visibleLog, world).trim()}\n\`\`\`\`\n\nSummary:\n\n${plain(run.summary, world)}`,
    )
    expect(run.visibleLog + run.summary + JSON.stringify(run.outputs)).not.toContain(world.key)
    expect(stateOf(world), 'nothing is left behind').toEqual(before)
    const code = run.outputs['error-code'] ?? ''
    expect(code).not.toBe('')
    expect(code).not.toBe('internal')
    if (test.code !== '') expect(code).toBe(test.code)
    const place = errors[0]!.file
      ? `\`${errors[0]!.file}${errors[0]!.line ? `:${errors[0]!.line}` : ''}\` `
      : ''
    rows.set(
      test.title,
      `| ${test.title} | [\`${code}\`](../troubleshooting.md${new URL(link).hash}) | ${cell(place + plain(message, world))} | ${cell(plain(hint.join(' '), world))} |`,
    )
  })
})

afterAll(() => {
  if (process.env.SHOW_ERRORS) writeFileSync(process.env.SHOW_ERRORS, `${shown.join('\n\n')}\n`)
})

it('every link leads to a heading', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8')
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading)
  const codes = [...links].map(link => new URL(link).hash.slice(1))
  expect(codes.filter(code => !headings.includes(code))).toEqual([])
})

it('docs/development/errors.md lists them all', async context => {
  const all = Object.values(CASES).flat()
  if (rows.size < all.length) context.skip('only some of them ran')
  const chapters = Object.entries(CASES).map(([chapter, cases]) =>
    [
      `## ${chapter}`,
      '',
      '| when | code | the error | what it advises |',
      '|---|---|---|---|',
      ...cases.map(({ title }) => rows.get(title)!),
    ].join('\n'),
  )
  const page = `# Errors\n\nEvery error ends the run with exit code 1, a link to its help, and nothing half done. This page is written by the test that\nprovokes them (\`test/scenarios/errors.test.ts\`).\n\n${chapters.join('\n\n')}\n`
  await expect(page).toMatchFileSnapshot('../../docs/development/errors.md')
})

function withoutNulls(files: Files | undefined): Files {
  return Object.fromEntries(Object.entries(files ?? {}).filter(([, content]) => content !== null))
}

/** Everything on the server that a failed run could have left. */
function stateOf({ capgo }: World) {
  return {
    bundles: capgo.store
      .list('app_versions', { app_id: 'com.example.app' })
      .map(({ name, storage_provider, deleted }) => ({ name, storage_provider, deleted })),
    channels: capgo.store
      .list('channels', { app_id: 'com.example.app' })
      .map(({ name, version }) => ({ name, version })),
  }
}

function plain(text: string, { capgo, repo, key }: World): string {
  return text
    .replaceAll(capgo.url, 'https://capgo.example.com')
    .replaceAll(repo.path, '')
    .replaceAll(key, '***')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ').trim()
}
