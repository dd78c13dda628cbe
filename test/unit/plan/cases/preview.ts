/** Which pull requests have a preview, and on which channel. */
import type { App, BundleRow, ChannelRow } from '../../../../src/capgo/schema.ts'
import type { PreviewInputs, WebPreview } from '../../../../src/plan/preview.ts'
import { bundle, channel, line } from './rows.ts'

/** The input `preview-channel`, the branch of pull request 12, and the name of its channel. */
export const CHANNEL_NAMES: readonly (readonly [template: string, branch: string, name: string])[] = [
  ['pr-{number}', 'feature/x', 'pr-12'],
  ['preview', 'feature/x', 'preview'],
  ['{branch}', 'feature-x', 'feature-x'],
  ['{branch}', 'feature/x', 'feature-x-1573876a'],
  ['{branch}-{number}', 'fix: a, b', 'fix-a-b-12'],
  ['{branch}-{number}', '../..', 'branch-12'],
  ['{branch}-{number}', '--x--', 'x-12'],
  ['{branch}-{number}', '\u202e\u200b', 'branch-12'],
  ['{branch}-{number}', 'x'.repeat(200), `${'x'.repeat(61)}-12`],
  ['app-{number}-{branch}.web', 'x'.repeat(200), `app-12-${'x'.repeat(53)}.web`],
  ['{branch}-{number}-{branch}', 'x'.repeat(200), `${'x'.repeat(30)}-12-${'x'.repeat(30)}`],
  ['{branch}', 'x'.repeat(200), `${'x'.repeat(55)}-b3e4b6e5`],
]

/** The input `preview-channel`, and what is wrong with it; null when nothing is. */
export const TEMPLATES: readonly (readonly [template: string, why: string | null])[] = [
  ['pr-{number}', null],
  ['{branch}', null],
  ['{branch}-{number}', null],
  ['qa', null],
  ['pr-{id}', 'has the unknown placeholder {id}.'],
  ['pr-{number', 'has the unknown placeholder {number.'],
  [
    '{branch}{number}',
    '"{branch}{number}" gives two pull requests the same channel: nothing separates {number} from {branch}.',
  ],
  [
    '{number}1{branch}',
    '"{number}1{branch}" gives two pull requests the same channel: nothing separates {number} from {branch}.',
  ],
  [`${'x'.repeat(54)}{number}`, null],
  [
    `${'x'.repeat(55)}{number}`,
    `"${'x'.repeat(55)}{number}" is too long: with number or branch, a channel name can have 64 characters.`,
  ],
]

/** A pull request, and why it has no preview; null when it has one. */
export const pull = {
  number: 12,
  open: true,
  merged: false,
  draft: false,
  labels: ['Preview'],
  headRef: 'feature/x',
}
export const WANTED: readonly (readonly [
  what: string,
  change: Partial<typeof pull>,
  inputs: Partial<PreviewInputs>,
  why: string | null,
])[] = [
  ['an open one', {}, {}, null],
  ['a closed one', { open: false }, {}, '#12 was closed'],
  ['a merged one', { open: false, merged: true }, {}, '#12 was merged'],
  ['one with the label, in another case', {}, { previewLabel: 'preview' }, null],
  ['one with the label among others', { labels: ['x', 'preview'] }, { previewLabel: 'preview' }, null],
  ['one without', { labels: ['x'] }, { previewLabel: 'y' }, '#12 has no label "y"'],
  ['a draft', { draft: true }, {}, null],
  ['a draft that is not wanted', { draft: true }, { previewDrafts: false }, '#12 is a draft'],
  [
    'a change of the testers that somebody asked for',
    { headRef: 'capgo/tester-9' },
    {},
    "#12 is a tester's request",
  ],
  ['no draft, where those are not wanted', {}, { previewDrafts: false }, null],
]

/** The pull request that asks for the channel `pr-12`. */
export const OURS = 'octo-org/daybreak#12'
const note = (pull: string | null, on = 'pr-12', more = '') =>
  `${line(on, 5)}${pull === null ? '' : ` for ${pull}`}${more}`
const serving = (name: string, comment: string | null, change: Partial<ChannelRow> = {}) =>
  channel({ name: 'pr-12', public: false, version: bundle({ name, comment }), ...change })

/** What the channel is and serves, and why the preview must not replace that; null when it may. */
export const TAKEN: readonly (readonly [
  what: string,
  channel: ChannelRow,
  why: RegExp | null,
  repository?: number,
])[] = [
  ['its own preview', serving('1.0.0', note(OURS)), null],
  ['a preview of the same repository', serving('1.0.0', note('octo-org/daybreak#13')), null],
  ['nothing', serving('', null, { version: null }), null],
  ['its own preview, which could not be noted', serving('1.0.1-pr.12.3.1', null), null],
  ["another's preview, which could not be noted", serving('1.0.1-pr.1.3.1', null), /is not a preview/],
  ['what was uploaded by hand', serving('1.0.0', 'by hand'), /serves 1.0.0, which is not a preview/],
  ['what a branch published', serving('1.0.0', note(null)), /serves 1.0.0, which main published/],
  ['a note for another channel', serving('1.0.0', note(OURS, 'pr-13')), /is not a preview/],
  ['the public channel, whatever it serves', serving('1.0.0', note(OURS), { public: true }), /public/],
  [
    'a preview of another repository',
    serving('1.0.0', note('octo-org/daybreak-ios#12')),
    /serves the preview of octo-org\/daybreak-ios#12/,
  ],
  [
    'a preview of the repository before it was renamed, by its id',
    serving('1.0.0', note('octo-org/dawn#12', 'pr-12', ' repo 7')),
    null,
    7,
  ],
  [
    'a preview of another repository that took its name, by its id',
    serving('1.0.0', note(OURS, 'pr-12', ' repo 8')),
    /serves the preview of octo-org\/daybreak#12/,
    7,
  ],
]

const app = (appId: string, allow_preview = true) => ({ app_id: appId, allow_preview }) as App
type Shown = Pick<BundleRow, 'manifest_count' | 'session_key'>
const delta: Shown = { manifest_count: 3, session_key: null }

/** Where a browser shows channel 9, or why it does not. */
export const WEB: readonly (readonly [
  what: string,
  app: App,
  bundle: Shown,
  isCloud: boolean,
  shown: WebPreview,
])[] = [
  [
    'com.example.app',
    app('com.example.app'),
    delta,
    true,
    { url: 'https://c9-com-0example-0app.preview.capgo.app/' },
  ],
  ['com.My-App', app('com.My-App'), delta, true, { url: 'https://c9-com-0-my-1-app.preview.capgo.app/' }],
  ['com.a_b', app('com.a_b'), delta, true, { url: 'https://c9-com-0a_b.preview.capgo.app/' }],
  ['a self-hosted server', app('com.a'), delta, false, { why: 'self_hosted' }],
  ['an app that does not allow it', app('com.a', false), delta, true, { why: 'switched_off' }],
  [
    'an encrypted bundle',
    app('com.a'),
    { manifest_count: 3, session_key: 'iv:key' },
    true,
    { why: 'encrypted' },
  ],
  [
    'a bundle without delta files',
    app('com.a'),
    { manifest_count: 0, session_key: null },
    true,
    { why: 'no_delta_files' },
  ],
  ['a long app id', app(`com.${'a'.repeat(60)}`), delta, true, { why: 'long_app_id' }],
]
