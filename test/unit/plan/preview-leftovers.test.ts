import { describe, expect, it } from 'vitest'
import { namePreviewChannels, type PreviewTraces, planRemoval } from '../../../src/plan/preview-leftovers.ts'
import { bundle, channel, line } from './cases/rows.ts'

const PULL = ' for octo-org/daybreak#12'
const REPOSITORY = { name: 'octo-org/daybreak', id: null, formerNames: [] }
const own = (change: object = {}) =>
  bundle({ id: 5, name: '1.4.1-pr.12.57.1', comment: line('pr-12', 57, PULL), ...change })
const serving = (change: object = {}) => channel({ name: 'pr-12', public: false, version: own(), ...change })
const traces = (change: Partial<PreviewTraces> = {}): PreviewTraces => ({
  number: 12,
  channelName: null,
  noted: [own()],
  repository: REPOSITORY,
  ...change,
})

it.each([
  ['what the notes name', {}, ['pr-12']],
  ['what the inputs name', { channelName: 'preview', noted: [] }, ['preview']],
  ['each once', { channelName: 'pr-12', noted: [own(), own({ id: 6 })] }, ['pr-12']],
  ['none of another pull request', { number: 1 }, []],
])('channels that are looked at: %s', (_what, change, names) =>
  expect(namePreviewChannels(traces(change))).toEqual(names),
)

describe('a channel', () => {
  it.each([
    ['that serves the preview goes', {}, null],
    ['that serves nothing stays', { version: null }, 'was not made for this pull request'],
    ['that serves another bundle stays', { version: bundle() }, 'was not made for this pull request'],
    ['that became public stays', { public: true }, 'it is a public channel'],
    [
      'that rolls out another bundle stays',
      { rollout_version: 99 },
      'Channel pr-12 is kept: it rolls out a bundle that is not a preview.',
    ],
    ['that rolls out its own bundle goes', { rollout_version: 5 }, null],
  ])('%s', (_what, change, why) => {
    const { channels, taken, kept } = planRemoval(traces(), [serving(change)])
    expect(channels).toHaveLength(why === null ? 1 : 0)
    expect(taken).toEqual([])
    expect(kept.join()).toContain(why ?? '')
    expect(kept).toHaveLength(why === null ? 0 : 1)
  })
  it('that was there before the preview goes back to what it served', () => {
    const version = own({ comment: line('pr-12', 57, `${PULL} took 1.3.0`) })
    const { channels, taken, kept } = planRemoval(traces({ noted: [version] }), [serving({ version })])
    expect([channels, kept]).toEqual([[], []])
    expect(taken.map(({ channel, before }) => [channel.name, before])).toEqual([['pr-12', '1.3.0']])
  })
})

it.each([
  ['of the pull request alone goes', {}, ['1.4.1-pr.12.57.1'], 0],
  [
    'that was put on another channel too stays',
    { comment: `${line('pr-12', 57, PULL)}\n${line('beta', 58)}` },
    [],
    0,
  ],
  ['without the name of a preview stays, and that is said', { name: '1.4.1' }, [], 1],
  ['named after another pull request stays', { name: '1.4.1-pr.1.57.1' }, [], 1],
])('a bundle %s', (_what, change, names, kept) => {
  const plan = planRemoval(traces({ noted: [own(change)] }), [])
  expect(plan.bundles.map(({ name }) => name)).toEqual(names)
  expect(plan.kept).toHaveLength(kept)
})
