/** Results as they look in real life, and what nobody should be able to do. */
import type { FileChange } from '../../src/bundle/contents.ts'
import { permissionMissing } from '../../src/capgo/errors.ts'
import type { CapgoCode } from '../../src/error-codes.ts'
import type { ListedDevice } from '../../src/plan/device-list.ts'
import type {
  ChannelChangeResult,
  FailedResult,
  PreviewsClosedResult,
  PublishedResult,
  Result,
} from '../../src/report/result.ts'
import { failure } from '../../src/report/results.ts'
import { manyChannels, manyOldBundles, manyPreviewsClosed, manyTesters } from './large-samples.ts'

const sha = '4f9c2d7e81b06a35c4d2e9f7a0b18c63d5e7f291'

const file = (path: string, size: number, sizeBefore: number): FileChange => ({ path, size, sizeBefore })

/** What all publishes below have in common. */
const publish = {
  kind: 'publish',
  testers: null,
  nativeChanges: [],
  releaseNotes: { titles: [], more: 0 },
  reason: 'Channel production serves bundle 1.4.1-production.57.1.',
  appId: 'com.example.shop',
  channel: { name: 'production', id: 12, isNew: false, public: true },
  bundle: {
    id: 48213,
    name: '1.4.1-production.57.1',
    checksum: 'e1f6c7a09b3d52846f1a7c0d9e8b3a5f2c4d6e7081924a3b5c6d7e8f90a1b2c3',
    sha256: 'e1f6c7a09b3d52846f1a7c0d9e8b3a5f2c4d6e7081924a3b5c6d7e8f90a1b2c3',
    size: 1_243_518,
    url: 'https://console.capgo.app/app/com.example.shop/bundle/48213',
  },
  rollout: null,
  before: { id: 48107, name: '1.4.1-production.56.1' },
  commit: { sha, refName: 'main', url: `https://github.com/example/shop/commit/${sha}` },
  build: {
    files: { count: 87, bytes: 3_871_204 },
    excluded: [{ path: '.DS_Store', why: 'macOS folder settings' }],
    duration: 14_230,
  },
  decisions: [
    { what: 'channel', value: 'production', why: 'branch main matches "main"' },
    { what: 'native version', value: '1.4.0 (android)', why: 'android/app/build.gradle:12' },
    { what: 'native version', value: '1.4.0 (ios)', why: 'ios/App/App.xcodeproj/project.pbxproj:357' },
    {
      what: 'bundle',
      value: '1.4.1-production.57.1',
      why: '1.4.0 (package.json) is already taken, so a pre-release of the next patch',
    },
  ],
  warnings: [],
  preview: null,
  duration: 19_640,
} satisfies Partial<PublishedResult>

const contents: PublishedResult['contents'] = {
  change: {
    since: '1.4.1-production.56.1',
    added: [
      file('assets/index-Dp9aQw2k.js', 412_904, 0),
      file('assets/index-B7uTz0Qx.css', 38_110, 0),
      file('assets/checkout-C4nMw8Ra.js', 21_338, 0),
      file('assets/icons/wallet.svg', 1_204, 0),
    ],
    changed: [file('index.html', 1_892, 1_892)],
    removed: [
      file('assets/index-CkVzA1xy.js', 0, 411_377),
      file('assets/index-Bq3rLm9w.css', 0, 38_622),
      file('assets/cart-Am2k7PzT.js', 0, 9_871),
    ],
  },
  sizes: [
    { type: 'Scripts', files: 24, size: 612_480, sizeBefore: 590_112 },
    { type: 'Images', files: 38, size: 402_733, sizeBefore: 402_733 },
    { type: 'Fonts', files: 6, size: 176_204, sizeBefore: 188_930 },
    { type: 'Styles', files: 9, size: 41_320, sizeBefore: 40_115 },
    { type: 'Data', files: 9, size: 8_870, sizeBefore: 8_870 },
    { type: 'Pages', files: 1, size: 812, sizeBefore: 812 },
  ],
  updateSize: 84_120,
}

const published: PublishedResult = {
  ...publish,
  outcome: 'published',
  method: 'upload',
  contents,
  releaseNotes: {
    titles: [
      'Add a wallet to the checkout (#12)',
      'Bump vite from 7.1.2 to 7.1.4 (#11)',
      'Fix the total of an empty cart',
    ],
    more: 7,
  },
  delta: null,
  sourceMaps: null,
  verified: null,
  publishDuration: 1_812,
}

/** A build in which nothing was left out. */
const clean = { ...publish.build, excluded: [] }
const nothingCompared = { change: null, sizes: null, updateSize: null }

const many: PublishedResult = {
  ...published,
  sourceMaps: {
    name: 'source-maps-com.example.shop-2.0.0',
    id: 11,
    count: 3,
    url: 'https://github.com/octo-org/shop/actions/runs/9000000057/artifacts/11',
  },
  reason: 'Channel beta serves bundle 2.0.0.',
  channel: { name: 'beta', id: 31, isNew: true, public: false },
  bundle: { ...published.bundle, name: '2.0.0', size: 18_340_221 },
  before: { id: 47001, name: '1.9.4' },
  commit: { ...published.commit, refName: 'release/2.0' },
  contents: {
    ...contents,
    change: {
      since: '1.9.4',
      added: Array.from({ length: 280 }, (_, n) =>
        file(`assets/lessons/lesson-${n + 1}/slides.json`, 1_000 + n * 37, 0),
      ),
      changed: [file('index.html', 2_310, 1_892)],
      removed: [],
    },
  },
  decisions: [
    { what: 'channel', value: 'beta', why: 'branch release/2.0 matches "release/*"' },
    {
      what: 'new channel',
      value: 'beta',
      why: "private channel that devices can join: the app's public channel is production",
    },
    { what: 'bundle', value: '2.0.0', why: 'package.json' },
  ],
  warnings: [
    '12 source maps (4.1 MB) are shipped to every device and expose your source code.',
    'Channel beta is off for iOS and Android, so no device gets its bundle.',
  ],
}

const failed: FailedResult = {
  kind: 'failed',
  published: null,
  outcome: 'failed',
  what: 'Publish',
  code: 'build_failed',
  reason: '"npm run build" failed with exit code 1.',
  hint: 'See the build output for the cause. The build does not see the inputs and tokens of this action. Pass the variables it needs with the input build-env, or build-secrets for a secret.',
  at: { file: 'app/package.json', line: 9 },
  problems: [],
  output: `> shop@1.4.0 build
> vite build

\u001b[36mvite v7.1.4 \u001b[32mbuilding for production...\u001b[39m
transforming (12) src/main.ts\rtransforming (214) src/cart/total.ts\r\u001b[32m✓\u001b[39m 214 modules transformed.
\u001b[31m✗\u001b[39m Build failed in 1.38s
error during build:
src/cart/total.ts (18:9): "formatPrice" is not exported by "src/money.ts", imported by "src/cart/total.ts".
file: /home/runner/work/shop/shop/app/src/cart/total.ts:18:9

17: import { sum } from '../sum'
18: import { formatPrice } from '../money'
             ^
19: import type { Cart } from './cart'

    at getRollupError (node_modules/rollup/dist/es/shared/parseAst.js:401:41)
    at error (node_modules/rollup/dist/es/shared/parseAst.js:397:42)
`,
  warnings: [],
}

const closed: PreviewsClosedResult = {
  kind: 'previews-closed',
  testers: null,
  outcome: 'cleaned',
  reason: 'Previews of #12, #9.',
  appId: 'com.example.shop',
  previews: [
    {
      pull: 12,
      why: '#12 was merged',
      channels: ['pr-12'],
      bundles: ['1.4.1-pr.12.57.1', '1.4.1-pr.12.56.1'],
      devices: 2,
      kept: [],
    },
    {
      pull: 9,
      why: '#9 was closed',
      channels: ['pr-9'],
      bundles: ['1.4.1-pr.9.31.1'],
      devices: 0,
      kept: ['Bundle 1.4.1-pr.9.30.1 is kept: another channel serves it.'],
    },
  ],
  warnings: [],
}

const nasty =
  'x` ``` </code></details><script>alert(1)</script><img src=https://evil.example/p.png> ![i](https://evil.example/i.png) ' +
  '[click](https://evil.example) <https://evil.example> https://evil.example www.evil.example a@evil.example @octocat #1 ' +
  'example/shop#2 GH-3 :tada: $x^2$ **bold** ~~gone~~ | cell | \u202eesrever\u202c zero\u200bwidth\u0007\n\n> [!NOTE]\n> # title\n\n```\nfence\n'

const hostile: PublishedResult = {
  ...published,
  reason: nasty,
  channel: { ...published.channel, name: nasty },
  bundle: { ...published.bundle, name: nasty, url: 'javascript:alert(1)' },
  before: { id: 1, name: nasty },
  commit: { sha: nasty, refName: nasty, url: 'https://github.com/a/b/commit/x)[y](https://evil.example' },
  contents: {
    ...contents,
    change: {
      since: nasty,
      added: [file(nasty, 1, 0)],
      changed: [file(`a|b\\|c${nasty}`, 2, 1)],
      removed: [],
    },
  },
  build: { ...publish.build, excluded: [{ path: nasty, why: nasty }] },
  decisions: [
    { what: nasty, value: nasty, why: nasty },
    { what: 'bundle', value: nasty, why: nasty },
  ],
  warnings: [nasty, nasty],
}

const rolledBack: ChannelChangeResult = {
  kind: 'channel-change',
  move: { kind: 'rollback' },
  consequence: '1,204 devices still run 1.4.1-production.57.1 until their next update check.',
  outcome: 'published',
  reason: 'Channel production returns to 1.4.1-production.56.1 instead of 1.4.1-production.57.1.',
  appId: publish.appId,
  channel: publish.channel,
  bundle: { ...published.bundle, id: 48107, name: '1.4.1-production.56.1', size: null },
  rollout: null,
  before: { id: 48213, name: '1.4.1-production.57.1' },
  commit: publish.commit,
  nativeChanges: [],
  decisions: publish.decisions,
  testers: null,
  warnings: [],
  verified:
    'Verified: a device on native 1.4.0 (android) is offered 1.4.1-production.56.1; what it downloads (1.2 MB) is what was published.',
  publishDuration: 640,
  duration: 2_310,
}

/** One of every outcome, as they look in real life, and what nobody should be able to do. */
const device = (n: number, more: Partial<ListedDevice>): ListedDevice => ({
  device: `${(0x0a1b2c3d + n * 0x1357911).toString(16).padStart(8, '0')}-1111-4222-8333-444455556666`,
  name: null,
  listed: true,
  platform: 'ios',
  emulator: false,
  native: '1.4.0',
  plugin: '8.51.23',
  bundle: '1.4.1-production.57.1',
  seen: `2026-11-26T${String(12 - n).padStart(2, '0')}:15:00.000Z`,
  channel: 'production',
  by: 'public',
  ...more,
})

export const samples: Readonly<Record<string, Result>> = {
  published,
  'published-new-channel': {
    ...published,
    channel: { name: 'production', id: 12, isNew: true, public: true },
    bundle: { ...published.bundle, name: '1.4.0' },
    before: null,
    contents: nothingCompared,
    build: clean,
    decisions: [
      { what: 'channel', value: 'production', why: 'branch main matches "main"' },
      {
        what: 'new channel',
        value: 'production',
        why: "created as the app's public channel, because there is none yet",
      },
      {
        what: 'bundle',
        value: '1.4.0',
        why: 'package.json (not checked: native version unknown)',
      },
    ],
  },
  'published-many-warnings': many,
  resumed: {
    ...published,
    method: 'resume',
    decisions: [
      published.decisions[0]!,
      {
        what: 'bundle',
        value: '1.4.1-production.57.1',
        why: 'an earlier run began to upload this content, and this run finishes it',
      },
    ],
  },
  promoted: {
    ...published,
    method: 'promote',
    reason: 'Channel production serves bundle 1.4.1-production.55.1.',
    bundle: {
      ...published.bundle,
      id: 47990,
      name: '1.4.1-production.55.1',
      url: 'https://console.capgo.app/app/com.example.shop/bundle/47990',
    },
    decisions: [
      published.decisions[0]!,
      {
        what: 'bundle',
        value: '1.4.1-production.55.1',
        why: 'bundle 47990 has the same content (SHA-256), so nothing is uploaded',
      },
    ],
  },
  unchanged: {
    ...publish,
    outcome: 'unchanged',
    verified: null,
    reason: 'The channel already serves this content.',
    before: { id: 48213, name: '1.4.1-production.57.1' },
    build: { ...clean, duration: 13_900 },
    decisions: [
      published.decisions[0]!,
      { what: 'bundle', value: '1.4.1-production.57.1', why: 'the channel already serves this content' },
    ],
    duration: 16_020,
  },
  stale: {
    ...publish,
    outcome: 'stale',
    delta: null,
    sourceMaps: null,
    reason: "The channel serves b81d03c (main, run 58.1), and this run's commit 4f9c2d7 is older.",
    bundle: {
      ...published.bundle,
      id: 48301,
      name: '1.4.1-production.58.1',
      size: null,
      url: 'https://console.capgo.app/app/com.example.shop/bundle/48301',
    },
    before: { id: 48301, name: '1.4.1-production.58.1' },
    build: clean,
    decisions: [
      published.decisions[0]!,
      {
        what: 'bundle',
        value: '1.4.1-production.58.1',
        why: "the channel serves b81d03c (main, run 58.1), and this run's commit 4f9c2d7 is older",
      },
    ],
  },
  planned: {
    ...publish,
    outcome: 'planned',
    method: 'upload',
    contents,
    reason:
      'Dry run: it would upload 1.4.1-production.57.1 and point channel production at it. Nothing was written.',
    bundle: { ...published.bundle, id: null, url: null },
    duration: 17_800,
    warnings: [
      'Devices on native 1.4.0 (android/app/build.gradle:12) do not accept 1.4.1-production.57.1: channel production rejects production builds.',
    ],
  },
  'planned-keep': {
    ...publish,
    outcome: 'planned',
    method: null,
    contents: nothingCompared,
    reason: 'Dry run: it would leave channel production as it is. Nothing was written.',
    before: { id: 48213, name: '1.4.1-production.57.1' },
    build: clean,
    decisions: [
      published.decisions[0]!,
      { what: 'bundle', value: '1.4.1-production.57.1', why: 'the channel already serves this content' },
    ],
    duration: 17_800,
  },
  skipped: {
    kind: 'skipped',
    testers: null,
    outcome: 'skipped',
    reason:
      'No channel is mapped to branch feature/login. To publish it, add a line such as "feature/login: feature-login" to the input "channels".',
    warnings: [],
  },
  rollout: {
    ...published,
    rollout: {
      bps: 1000,
      paused: false,
      bundle: published.bundle.name,
      stableBundle: '1.4.1-production.56.1',
    },
  },
  'rolled-back': rolledBack,
  'promoted-from-beta': {
    ...rolledBack,
    move: { kind: 'promotion', from: 'beta' },
    consequence: '',
    reason: 'Channel production gets 1.4.1-beta.57.1 from beta, byte for byte.',
    bundle: { ...published.bundle, name: '1.4.1-beta.57.1' },
    before: { id: 48107, name: '1.4.1-production.56.1' },
    verified: null,
  },
  'rollout-paused': {
    ...rolledBack,
    move: { kind: 'rollout', change: 'pause' },
    consequence: 'Devices that have it keep it. No other device gets it.',
    reason: 'The rollout of 1.4.1-production.57.1 on channel production is paused at 10%.',
    bundle: published.bundle,
    before: { id: 48107, name: '1.4.1-production.56.1' },
    rollout: {
      bps: 1000,
      paused: true,
      bundle: published.bundle.name,
      stableBundle: '1.4.1-production.56.1',
    },
    verified: null,
  },
  'rollout-finished': {
    ...rolledBack,
    move: { kind: 'rollout', change: 'finish' },
    consequence: '',
    reason: 'All devices on channel production get 1.4.1-production.57.1 instead of 10% of them.',
    bundle: published.bundle,
    before: { id: 48107, name: '1.4.1-production.56.1' },
    verified: null,
  },
  'rollout-cancelled': {
    ...rolledBack,
    move: { kind: 'rollout', change: 'cancel' },
    consequence: 'Devices that have 1.4.1-production.57.1 (10%) return, too.',
    reason:
      'The rollout of 1.4.1-production.57.1 on channel production is cancelled at 10%: all devices get 1.4.1-production.56.1.',
    before: { id: 48107, name: '1.4.1-production.56.1' },
    verified: null,
  },
  'published-preview': {
    ...published,
    channel: { name: 'pr-12', id: 9127, isNew: true, public: false },
    delta: { files: 87, sent: 5, sentBytes: 84_120 },
    preview: {
      pull: 12,
      deepLink: 'capgo://preview/channel?appId=com.example.shop&channel=pr-12&channelId=9127',
      webUrl: 'https://c9127-com-0example-0shop.preview.capgo.app/',
      commentUrl: `https://github.com/example/shop/pull/12#issuecomment-1`,
    },
    testers: manyTesters,
  },
  'status-many': manyChannels,
  'old-bundles-many': manyOldBundles,
  'cleaned-many': manyPreviewsClosed,
  status: {
    kind: 'status',
    outcome: 'read',
    reason: '3 channels of com.example.shop.',
    appId: 'com.example.shop',
    channels: [
      {
        channel: 'production',
        id: 12,
        public: true,
        platforms: ['ios', 'android', 'electron'],
        bundle: {
          id: 48107,
          name: '1.4.1-production.56.1',
          since: '2026-10-22T10:15:00.000Z',
          commit: { sha, ref: 'main', url: `https://github.com/example/shop/commit/${sha}` },
          pull: null,
          rolledBackFrom: '1.4.1-production.57.1',
          devices: 1204,
        },
        rollout: null,
        overrides: 0,
      },
      {
        channel: 'pr-12',
        id: 31,
        public: false,
        platforms: ['android', 'electron'],
        bundle: {
          id: 48220,
          name: '1.4.1-pr.12.60.1',
          since: '2026-10-23T08:02:00.000Z',
          commit: { sha, ref: 'feature/cart', url: `https://github.com/example/shop/commit/${sha}` },
          pull: { number: 12, url: 'https://github.com/example/shop/pull/12' },
          rolledBackFrom: null,
          devices: 2,
        },
        rollout: null,
        overrides: 2,
      },
      {
        channel: 'by-hand',
        id: 40,
        public: false,
        platforms: ['ios', 'android', 'electron'],
        bundle: {
          id: 40001,
          name: '1.2.0',
          since: null,
          commit: null,
          pull: null,
          rolledBackFrom: null,
          devices: null,
        },
        rollout: null,
        overrides: null,
      },
    ],
    devices: 1480,
    testers: null,
    warnings: [],
  },
  devices: {
    kind: 'devices',
    outcome: 'read',
    reason: '4 devices were seen in the last 30 days.',
    appId: 'com.example.shop',
    devices: [
      device(1, { name: "Ada's iPhone", bundle: '1.4.1-pr.12.57.1', channel: 'pr-12', by: 'override' }),
      device(2, {
        platform: 'android',
        channel: 'beta',
        by: 'app',
        name: 'Bob (Pixel 9)',
        bundle: '1.5.0-beta.2',
      }),
      device(3, { listed: false, platform: 'android' }),
      device(4, { listed: false, native: '1.3.2', bundle: 'builtin', plugin: '7.34.0', emulator: true }),
    ],
    unseen: [{ device: '0fa29ec2-1111-4222-8333-444455556666', name: "Hanna's iPad", github: null }],
    showIds: true,
    testers: null,
    warnings: [],
  },
  'old-bundles': {
    kind: 'old-bundles',
    outcome: 'cleaned',
    reason: '2 old bundles deleted.',
    appId: 'com.example.shop',
    keep: 20,
    removed: [
      { id: 40100, name: '1.3.1-production.12.1', made: '2026-08-02T07:11:00+00:00' },
      { id: 40180, name: '1.3.1-production.13.1', made: '2026-08-03T16:40:00+00:00' },
    ],
    linked: [],
    kept: { served: 3, rollback: 1, newest: 20, foreign: 4, unfinished: 0 },
    testers: null,
    warnings: [],
  },
  cleaned: closed,
  'cleaned-planned': {
    ...closed,
    outcome: 'planned',
  },
  failed,
  'failed-server': failure(permissionMissing('make channel beta', 'app.create_channel'), 'Publish'),
  hostile,
  'hostile-failed': {
    ...failed,
    code: nasty as CapgoCode,
    reason: nasty,
    hint: nasty,
    at: { file: nasty, line: 1 },
    output: nasty,
  },
}
