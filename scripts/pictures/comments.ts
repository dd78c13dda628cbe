/** Comments as they look in real life, and what nobody should be able to do. */
import { permissionMissing } from '../../src/capgo/errors.ts'
import { documentsOf } from '../../src/documents.ts'
import type { CapgoCode } from '../../src/error-codes.ts'
import type { Tester } from '../../src/plan/tester-list.ts'
import type { PreviewComment, ReadyComment, ServedPreview } from '../../src/report/preview-comment.ts'
import type { FailedResult, PublishedResult } from '../../src/report/result.ts'
import { failure } from '../../src/report/results.ts'
import type { TesterRow } from '../../src/report/testers.ts'
import { samples } from './samples.ts'

const published = samples.published as PublishedResult
const failedBuild = samples.failed as FailedResult
const hostileFailed = samples['hostile-failed'] as FailedResult
const commit = (sha: string) => ({ sha, url: `https://github.com/example/shop/commit/${sha}` })

const about = {
  appId: 'com.example.shop',
  pull: 12,
  commit: {
    ...commit('4f9c2d7e81b06a35c4d2e9f7a0b18c63d5e7f291'),
    title: 'Add a wallet to the checkout',
    author: '@ada',
  },
  runUrl: 'https://github.com/example/shop/actions/runs/17423391',
  documents: documentsOf({}),
}
const onPhone = {
  deepLink: 'capgo://preview/channel?appId=com.example.shop&channel=pr-12&channelId=9127',
  obstacle: null,
  settings: 'https://console.capgo.app/app/com.example.shop/info',
  selfAssignable: true,
}
const change = (of: PublishedResult, channel: string, download: number): ReadyComment['change'] =>
  of.contents.change === null ? null : { ...of.contents.change, channel, download }

const ready: ReadyComment = {
  ...about,
  state: 'ready',
  channelName: 'pr-12',
  bundle: {
    ...onPhone,
    id: 48213,
    name: '1.4.1-pr.12.57.1',
    url: 'https://console.capgo.app/app/com.example.shop/bundle/48213',
  },
  since: '2026-11-26T10:15:04.000Z',
  duration: 19_640,
  change: change(published, 'production', 1_243_518),
  nativeChanges: [],
  nativeVersions: [
    { platform: 'android', version: '1.4.0', refusal: null },
    { platform: 'ios', version: '1.4.0', refusal: null },
  ],
  web: { url: 'https://c9127-com-0example-0shop.preview.capgo.app/' },
  testers: null,
  warnings: [],
}

const tester = (n: number, name: string, more: Partial<TesterRow>): TesterRow => ({
  name,
  device: `${(0x0a1b2c3d + n * 0x1357911).toString(16).padStart(8, '0')}-1111-4222-8333-444455556666`,
  state: 'there',
  from: 'pr-12',
  to: 'pr-12',
  fromPull: 12,
  takenBy: null,
  until: null,
  planned: false,
  installation: { kind: 'takes' },
  entry: `https://github.com/example/shop/blob/main/testers.json#L${n + 4}`,
  ...more,
})

const listed = (n: number, name: string, channel: string | null): Tester => ({
  device: tester(n, name, {}).device,
  name,
  github: null,
  groups: [],
  channel,
  until: null,
  line: 1,
  column: 1,
})

/** Every state that a device can be in. */
const testers: NonNullable<ReadyComment['testers']> = {
  rows: [
    tester(0, "Ada's iPhone", { state: 'set', from: null, fromPull: null }),
    tester(1, 'Bob (Pixel 9)', { state: 'set', from: 'pr-9', fromPull: 9 }),
    tester(2, "Carla's iPad", { installation: { kind: 'runs' } }),
    tester(3, 'Dev', { installation: { kind: 'refuses', rule: 'channel pr-12 refuses emulators' } }),
    tester(4, 'Emil', { installation: { kind: 'never_seen' } }),
    tester(5, 'Fatima', { to: 'pr-41', takenBy: 41 }),
    tester(6, 'Gus', { state: 'by_hand', from: 'support', fromPull: null }),
    tester(7, 'Hanna', { state: 'expired', to: null, until: '2026-10-31', installation: null }),
  ],
  merging: {
    added: [listed(8, 'Iris', null), listed(9, "Jon's Pixel", 'beta')],
    removed: [listed(7, 'Hanna', null)],
    moved: [{ tester: listed(2, "Carla's iPad", 'beta'), from: null }],
  },
  addPhone: 'https://github.com/example/shop/issues/new?template=tester.yml',
}

/** A team of 120: four with a problem, who stand anywhere in the file. */
const crowd: readonly TesterRow[] = Array.from({ length: 120 }, (_, n) =>
  tester(n, `Tester ${n + 1}`, {
    from: 'pr-12',
    fromPull: null,
    installation:
      n === 17 || n === 93
        ? { kind: 'refuses', rule: 'channel pr-12 refuses emulators' }
        : { kind: n === 41 || n === 118 ? 'never_seen' : n % 3 === 0 ? 'runs' : 'takes' },
  }),
)

/** Names of several characters to one, and from right to left beside what runs from left to right. */
const names = {
  commit: { title: 'הוספת ארנק לקופה (#418)', author: 'شیما می‌خواهم' },
  testers: {
    rows: [
      tester(0, 'משפחת כהן 👨‍👩‍👧‍👦', { state: 'set', from: 'pr-9', fromPull: 9 }),
      tester(1, 'أحمد', { installation: { kind: 'refuses', rule: 'channel pr-12 refuses emulators' } }),
      tester(2, 'Zoë 👩🏽‍💻🏴󠁧󠁢󠁳󠁣󠁴󠁿', { installation: { kind: 'runs' } }),
    ],
    merging: null,
    addPhone: null,
  },
}

const lacking = [
  {
    name: '@capacitor/camera',
    before: '7.0.1',
    now: '8.0.0',
    compatible: false,
    why: 'its iOS and Android code differs',
  },
  { name: '@capacitor/haptics', before: '7.0.1', now: '7.0.2', compatible: true, why: 'same native code' },
]

/** Where testers went when a preview was closed. */
const movedOn: readonly TesterRow[] = [
  tester(0, "Ada's iPhone", { state: 'release', to: null, fromPull: null, installation: null }),
  tester(2, "Carla's iPad", { state: 'set', to: 'beta', fromPull: null }),
  tester(5, 'Fatima', { state: 'set', to: 'pr-41', fromPull: null }),
]

const served: ServedPreview = {
  ...onPhone,
  id: 48190,
  name: '1.4.1-pr.12.56.1',
  url: 'https://console.capgo.app/app/com.example.shop/bundle/48190',
  from: commit('b81d03c5a7e2f94d6018c3b7a95e2d4f60718293'),
}

function errorOf({ code, reason: message, hint, output }: FailedResult) {
  return { code, message, hint, output }
}
const building = {
  ...about,
  state: 'building',
  channelName: 'pr-12',
  served,
  since: '2026-11-26T10:14:44.000Z',
} as const satisfies PreviewComment

const failed = {
  ...about,
  state: 'failed',
  channelName: 'pr-12',
  served,
  error: errorOf(failedBuild),
} as const satisfies PreviewComment

const closed = {
  ...about,
  state: 'closed',
  why: '#12 was merged',
  removed: { channel: 'pr-12', bundles: 3, devices: 2, kept: [] },
  testers: [],
} as const satisfies PreviewComment

const nasty = hostileFailed.reason

/** One of every state, as they look in real life, and what nobody should be able to do. */
export const comments = {
  'building-first': { ...building, served: null },
  building,
  ready,
  testers: { ...ready, testers },
  'testers-120': { ...ready, testers: { rows: crowd, merging: null, addPhone: testers.addPhone } },
  names: { ...ready, commit: { ...about.commit, ...names.commit }, testers: names.testers },
  'ready-no-web': {
    ...ready,
    change: null,
    bundle: { ...ready.bundle, selfAssignable: false },
    web: { why: 'no_delta_files' },
  },
  'ready-switched-off': {
    ...ready,
    bundle: { ...ready.bundle, obstacle: 'switched_off' },
    web: { why: 'switched_off' },
  },
  'ready-encrypted': {
    ...ready,
    bundle: { ...ready.bundle, obstacle: 'encrypted' },
    web: { why: 'encrypted' },
  },
  'ready-self-hosted': {
    ...ready,
    bundle: { ...ready.bundle, url: null, obstacle: 'self_hosted', settings: null, selfAssignable: false },
    web: { why: 'self_hosted' },
  },
  'ready-refused': {
    ...ready,
    nativeChanges: lacking,
    nativeVersions: [
      { platform: 'android', version: '1.4.0', refusal: null },
      {
        platform: 'ios',
        version: '2.0.0',
        refusal:
          '1.4.1-pr.12.57.1 is below native 2.0.0, and the channel rejects bundles below the native version',
      },
    ],
    warnings: [
      'Installed apps on channel production (with 1.4.1-production.56.1) lack native code of this bundle: @capacitor/camera.',
      '12 source maps (4.1 MB) are shipped to every device and expose your source code.',
    ],
  },
  failed,
  'failed-first': {
    ...failed,
    served: null,
    error: errorOf(failure(permissionMissing('make channel pr-12', 'app.create_channel'))),
  },
  kept: {
    ...about,
    state: 'kept',
    channelName: 'pr-12',
    served,
    reason: '#12 has a newer commit than 4f9c2d7, which its own run publishes.',
  },
  closed,
  'closed-kept': {
    ...closed,
    removed: {
      channel: 'pr-12',
      bundles: 1,
      devices: 0,
      kept: ['Bundle 1.4.1-pr.12.56.1 is kept: another channel serves it.'],
    },
  },
  missing: {
    ...about,
    state: 'missing',
    served: null,
    reason: '#12 was reopened while its preview was removed.',
  },
  'closed-testers': { ...closed, removed: { ...closed.removed, devices: 3 }, testers: movedOn },
  'closed-nothing': { ...closed, removed: { channel: null, bundles: 0, devices: 0, kept: [] } },
  hostile: {
    ...ready,
    appId: nasty,
    commit: { sha: nasty, url: 'javascript:alert(1)', title: nasty, author: nasty },
    runUrl: 'https://github.com/a/b/x)[y](https://evil.example',
    channelName: nasty,
    bundle: {
      id: 1,
      name: nasty,
      url: nasty,
      deepLink: 'capgo://preview/channel?appId=```\n</details><script>alert(1)</script>@octocat #1',
      obstacle: null,
      settings: nasty,
      selfAssignable: true,
    },
    change: change(samples.hostile as PublishedResult, nasty, 1),
    nativeVersions: [
      { platform: nasty, version: nasty, refusal: null },
      { platform: nasty, version: nasty, refusal: nasty },
    ],
    web: { url: nasty },
    testers: {
      rows: [
        tester(0, nasty, { to: nasty, installation: { kind: 'refuses', rule: nasty } }),
        tester(1, nasty, { state: 'set', from: nasty, to: nasty, fromPull: null }),
        tester(2, nasty, { installation: { kind: 'never_seen' }, entry: nasty }),
      ],
      merging: {
        added: [listed(0, nasty, nasty)],
        removed: [],
        moved: [{ tester: listed(1, nasty, nasty), from: nasty }],
      },
      addPhone: nasty,
    },
    warnings: [nasty, nasty],
  },
  'hostile-failed': {
    ...failed,
    appId: nasty,
    channelName: nasty,
    served: { ...served, name: nasty, url: nasty, from: { sha: nasty, url: nasty } },
    error: { code: nasty as CapgoCode, message: nasty, hint: nasty, output: nasty },
  },
  'hostile-closed': {
    ...closed,
    why: nasty,
    removed: { channel: nasty, bundles: 1, devices: 1, kept: [nasty] },
  },
} satisfies Readonly<Record<string, PreviewComment>>
