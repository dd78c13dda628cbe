/** The comment on a tester's issue, in the states that people meet. */
import type { EnrolmentComment } from '../../src/report/enrolment.ts'

const device = '0a1b2c3d-1111-4222-8333-444455556666'
const waiting: EnrolmentComment = {
  state: 'waiting',
  change: {
    do: 'add',
    entry: { device, name: 'Pixel 9', github: 'ada', groups: [], channel: 'beta', until: null },
    seen: {
      device_id: device,
      platform: 'android',
      version_build: '1.4.0',
      is_emulator: false,
      updated_at: '2026-11-26T10:15:00Z',
    },
  },
  pull: 46,
  compareUrl: 'https://github.com/example/shop/compare/main...capgo/tester-45',
}

export const enrolments: Readonly<Record<string, EnrolmentComment>> = {
  waiting,
  'waiting-unseen': { ...waiting, change: { ...waiting.change, seen: null } },
  refused: {
    state: 'refused',
    problems: [
      '"Device id" is not a device id. It looks like 0a1b2c3d-1111-4222-8333-444455556666: copy all of it from the app.',
    ],
    openPull: null,
  },
  busy: { state: 'busy', open: 30, isOwn: false },
  stuck: {
    state: 'stuck',
    device,
    why: 'Channel "alpha" does not exist.',
    runUrl: 'https://github.com/example/shop/actions/runs/57',
  },
  withdrawn: { state: 'withdrawn' },
  declined: { state: 'declined', pull: 46 },
  joined: { state: 'joined', device, channel: 'beta', seen: undefined },
  'joined-unseen': { state: 'joined', device, channel: 'beta', seen: null },
  left: { state: 'left', device },
}
