/** Results of teams with many channels, bundles, previews and testers. */
import type { ChannelStatus } from '../../src/plan/status.ts'
import type { StatusResult } from '../../src/report/list-results.ts'
import type { OldBundlesResult, PreviewsClosedResult } from '../../src/report/result.ts'
import type { TesterRow, TestersReport } from '../../src/report/testers.ts'

const sha = '4f9c2d7e81b06a35c4d2e9f7a0b18c63d5e7f291'
const repository = 'https://github.com/example/shop'

const served = (name: string, ref: string, since: string) => ({
  id: 48_000,
  name,
  since,
  commit: { sha, ref, url: `${repository}/commit/${sha}` },
  pull: null,
  rolledBackFrom: null,
  devices: 214,
})

const branch = (channel: string, ref: string, isPublic = false): ChannelStatus => ({
  channel,
  id: 12,
  public: isPublic,
  platforms: ['ios', 'android', 'electron'],
  bundle: served(`1.4.1-${channel}.56.1`, ref, '2026-10-22T10:15:00.000Z'),
  rollout: null,
  overrides: 0,
})

const preview = (pull: number): ChannelStatus => ({
  ...branch(`pr-${pull}`, `feature/checkout-step-${pull}`),
  bundle: {
    ...served(`1.4.1-pr.${pull}.60.1`, `feature/checkout-step-${pull}`, '2026-10-23T08:02:00.000Z'),
    pull: { number: pull, url: `${repository}/pull/${pull}` },
    devices: pull % 3,
  },
  overrides: pull % 4,
})

const previews = Array.from({ length: 35 }, (_, index) => preview(index + 100))

export const manyChannels: StatusResult = {
  kind: 'status',
  outcome: 'read',
  reason: '40 channels of com.example.shop.',
  appId: 'com.example.shop',
  channels: [
    {
      ...branch('production', 'main', true),
      rollout: {
        ...served('1.4.2-production.71.1', 'main', '2026-10-24T06:30:00.000Z'),
        percentage: 10,
        paused: true,
      },
    },
    branch('beta', 'release/2.0'),
    { ...branch('by-hand', 'main'), bundle: { ...served('1.2.0', 'main', ''), since: null, commit: null } },
    { ...branch('development', 'develop'), platforms: ['android', 'electron'] },
    ...previews,
    { ...branch('staging', 'main'), bundle: null },
  ],
  devices: 1480,
  testers: null,
  warnings: [],
}

export const manyOldBundles: OldBundlesResult = {
  kind: 'old-bundles',
  outcome: 'cleaned',
  reason: '180 old bundles deleted.',
  appId: 'com.example.shop',
  keep: 20,
  removed: Array.from({ length: 180 }, (_, index) => ({
    id: 40_000 + index,
    name: `1.3.1-production.${index + 1}.1`,
    made: '2026-08-02T07:11:00+00:00',
  })),
  linked: ['1.3.1-production.181.1'],
  kept: { served: 3, rollback: 1, newest: 20, foreign: 4, unfinished: 2 },
  testers: null,
  warnings: [],
}

export const manyPreviewsClosed: PreviewsClosedResult = {
  kind: 'previews-closed',
  outcome: 'cleaned',
  reason: 'The previews of 60 pull requests were removed.',
  appId: 'com.example.shop',
  previews: Array.from({ length: 60 }, (_, index) => ({
    pull: index + 100,
    why: `#${index + 100} was ${index % 2 === 0 ? 'merged' : 'closed'}`,
    channels: [`pr-${index + 100}`],
    bundles: [`1.4.1-pr.${index + 100}.57.1`, `1.4.1-pr.${index + 100}.56.1`, `1.4.1-pr.${index + 100}.55.1`],
    devices: index % 3,
    kept: [],
  })),
  testers: null,
  warnings: [],
}

const tester = (index: number): TesterRow => ({
  name: `Tester ${index + 1}`,
  device: `${(0xada00000 + index).toString(16)}-0000-4000-8000-000000000000`,
  state: index < 2 ? 'failed' : 'set',
  from: index < 2 ? 'beta' : null,
  to: 'pr-12',
  fromPull: null,
  takenBy: null,
  until: null,
  planned: false,
  installation: null,
  entry: null,
})

/** 120 testers, two of whose devices could not be assigned. */
export const manyTesters: TestersReport = {
  rows: Array.from({ length: 120 }, (_, index) => tester(index)),
  changed: [],
  counts: { assigned: 118, released: 0, renewed: 0, failed: 2, total: 120 },
  failures: [
    {
      code: 'permission_missing',
      message:
        'The Capgo key cannot remove devices from their channels: permission app.manage_devices is missing.',
      hint: 'Or pass a key that has it as the input "devices-token".',
      devices: [tester(0).device, tester(1).device],
      at: null,
    },
  ],
  isPlanned: false,
  merging: null,
  addPhone: null,
}
