import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  describeEnrolment,
  type EnrolmentComment,
  renderEnrolment,
  renderProposal,
  type SeenChange,
  titleOf,
} from '../../../src/report/enrolment.ts'

const GUIDE = 'https://github.com/o/r/blob/v1/docs/testers.md'
const RUN = 'https://github.com/o/r/actions/runs/7'
const DEVICE = 'e5e00000-0000-4000-8000-000000000003'
const seen = {
  device_id: DEVICE,
  platform: 'android',
  version_build: '1.4.0',
  is_emulator: true,
  updated_at: '2026-11-26T10:15:00Z',
} as const
const change: SeenChange = {
  do: 'add',
  entry: {
    device: DEVICE,
    name: "Eve's phone",
    github: 'eve',
    groups: ['qa'],
    channel: 'beta',
    until: '2027-03-31',
  },
  seen,
}
const waiting = {
  state: 'waiting',
  change,
  pull: 46,
  compareUrl: 'https://github.com/o/r/compare/a...b',
} as const

const COMMENTS: readonly EnrolmentComment[] = [
  waiting,
  { ...waiting, change: { ...change, do: 'update', seen: undefined } },
  { ...waiting, pull: null, change: { ...change, seen: null } },
  { ...waiting, change: { ...change, do: 'remove' } },
  { state: 'stuck', device: DEVICE, why: 'Channel "alpha" does not exist.', runUrl: RUN },
  { state: 'stuck', device: null, why: 'GitHub gave no answer.', runUrl: RUN },
  { state: 'refused', problems: ['"Device id" is not a device id.'], openPull: 46 },
  { state: 'second', device: null, first: 44 },
  { state: 'busy', open: 30, isOwn: false },
  { state: 'busy', open: 6, isOwn: true },
  { state: 'foreign', branch: 'capgo/tester-45', pull: 46 },
  { state: 'reviewed', pull: 46 },
  { state: 'declined', pull: 46 },
  { state: 'withdrawn' },
  { state: 'joined', device: DEVICE, channel: 'beta', seen },
  { state: 'joined', device: DEVICE, channel: null, seen: null },
  { state: 'left', device: DEVICE },
]

it('every comment, and the sentence of the log', () => {
  const texts = COMMENTS.map(
    comment => `${describeEnrolment(45, comment)}\n\n${renderEnrolment(comment, GUIDE)}`,
  )
  expect(texts.join('\n----\n\n')).toMatchSnapshot()
  for (const text of texts) expect(text).not.toContain(DEVICE)
})

it('the pull request', () => {
  expect(`${titleOf(change, 45)}\n\n${renderProposal(change, 45, 'testers.json')}`).toMatchSnapshot()
})

it('no name becomes anything but text', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constantFrom('@octocat', '#1', '![a](b)', '<img>'),
  )
  fc.assert(
    fc.property(name, text => {
      const shown = renderProposal({ ...change, entry: { ...change.entry, name: text } }, 45, 'testers.json')
      const [, cell = ''] = /^\| name \| (.*) \|$/m.exec(shown) ?? []
      expect(cell.replace(/<br>|<span>.<\/span>|<\/?span(?: dir="auto")?>|&#\d+;/gu, '')).not.toMatch(
        /[<>*_`[\]|~@]|#\d/,
      )
    }),
  )
})
