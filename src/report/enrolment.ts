/** The comment on an issue of somebody who wants to join or leave the testers, and the pull request's text. */
import type { DeviceRow } from '../capgo/schema.ts'
import { shortDevice } from '../plan/device-id.ts'
import type { EnrolmentChange } from '../plan/enrolment.ts'
import { formatDateTime, PLATFORMS } from './format.ts'
import { alert, code, escapeText, link, row, table } from './markdown.ts'

/** A change of the testers file that somebody asks for. */
export interface SeenChange extends EnrolmentChange {
  /** What Capgo knows of the device: null = it never saw it, undefined = Capgo did not say. */
  readonly seen: DeviceRow | null | undefined
}

/** The contents of the comment. */
export type EnrolmentComment =
  | {
      readonly state: 'waiting'
      readonly change: SeenChange
      /** Null where GitHub lets the workflow open none. */
      readonly pull: number | null
      /** Where a person opens it. */
      readonly compareUrl: string
    }
  /** Something failed; with a device, the file has the change and the device is not where it belongs. */
  | {
      readonly state: 'stuck'
      readonly device: string | null
      readonly why: string
      /** Page of the run. */
      readonly runUrl: string
    }
  | { readonly state: 'refused'; readonly problems: readonly string[]; readonly openPull: number | null }
  /** Another issue asks for the same device (then it is named), or is of the same person. */
  | { readonly state: 'second'; readonly first: number; readonly device: string | null }
  /** So many requests are open; `isOwn`: of this person, within a day. */
  | { readonly state: 'busy'; readonly open: number; readonly isOwn: boolean }
  /** Somebody else changed the branch of the pull request. */
  | { readonly state: 'foreign'; readonly branch: string; readonly pull: number | null }
  /** People have looked at the pull request: it stays as they saw it. */
  | { readonly state: 'reviewed'; readonly pull: number }
  | { readonly state: 'declined'; readonly pull: number | null }
  /** The author closed the issue, or asks to leave before anybody merged. */
  | { readonly state: 'withdrawn' }
  | {
      readonly state: 'joined'
      readonly device: string
      readonly channel: string | null
      readonly seen: SeenChange['seen']
    }
  | { readonly state: 'left'; readonly device: string }

export function renderEnrolment(comment: EnrolmentComment, guide: string): string {
  const parts = [...blocks(comment), `<sub>${link('How testers join and leave', guide)}</sub>`]
  return `${parts.filter(part => part !== '').join('\n\n')}\n`
}

function blocks(comment: EnrolmentComment): string[] {
  switch (comment.state) {
    case 'waiting':
      return waiting(comment)
    case 'stuck':
      return [
        comment.device === null
          ? '### ⚠️ This request is not answered yet'
          : `### ⚠️ Device ${code(shortDevice(comment.device))} is not on its channel yet`,
        `A lead must look at this: ${escapeText(comment.why)} ${link('Log of the run', comment.runUrl)}`,
      ]
    case 'refused':
      return [
        '### ✋ This request needs a change',
        comment.problems.map(each => `- ${escapeText(each)}`).join('\n'),
        'Edit the first post of this issue. This comment follows.',
        comment.openPull === null
          ? ''
          : `Pull request #${comment.openPull} still asks for what the issue said before.`,
      ]
    case 'second':
      return [
        `### ✋ #${comment.first} is open already`,
        comment.device === null
          ? 'You can have one open request. Edit that issue. Or close it, and then edit this one.'
          : `It asks for device ${code(shortDevice(comment.device))} too. If the device is yours, ask a lead to close #${comment.first}. Then edit this issue.`,
      ]
    case 'busy':
      return [
        '### ⏳ Many requests are open',
        comment.isOwn
          ? 'You have opened many requests within a day. This one is read tomorrow.'
          : 'Many requests wait for a lead. This one follows when some of them are answered.',
      ]
    case 'foreign':
      return [
        '### ⏳ A lead finishes this request',
        `Branch ${code(comment.branch)}${comment.pull === null ? '' : ` of pull request #${comment.pull}`} has a commit that this workflow did not make. The workflow leaves it alone.`,
      ]
    case 'reviewed':
      return [
        `### ⏳ Pull request #${comment.pull} is in review`,
        'It stays as it was reviewed. To ask for something else, open a new issue when this one is closed.',
      ]
    case 'declined':
      return [
        `### ✋ A lead declined this request`,
        `${comment.pull === null ? '' : `Pull request #${comment.pull} is closed. `}The testers file does not have what you asked for. To ask again, ask a lead to reopen this issue.`,
      ]
    case 'withdrawn':
      return [
        '### 👋 This request is withdrawn',
        'The testers stay as they were. To ask again, open a new issue.',
      ]
    case 'joined':
      return [`### ✅ You are a tester`, joined(comment), comment.seen === null ? describeDevice(null) : '']
    case 'left':
      return [
        '### 👋 You are no longer a tester',
        `Device ${code(shortDevice(comment.device))} gets what all users get. Close the app and open it **twice**: it returns to that version.`,
      ]
  }
}

function waiting({ change, pull, compareUrl }: Extract<EnrolmentComment, { state: 'waiting' }>): string[] {
  const { entry, seen } = change
  const does = { add: 'adds', update: 'changes', remove: 'removes' }[change.do]
  return [
    '### ⏳ A lead reviews your request',
    pull === null
      ? `A lead must ${link('open the pull request', compareUrl)} that ${does} device ${code(shortDevice(entry.device))}. The workflow cannot: the setting **Allow GitHub Actions to create and approve pull requests** is off.`
      : `Pull request #${pull} ${does} device ${code(shortDevice(entry.device))}. This issue closes when that is done, and this comment says what to do then.`,
    change.do === 'remove' ? '' : describeDevice(seen),
  ]
}

function joined({ device, channel }: Extract<EnrolmentComment, { state: 'joined' }>): string {
  const place =
    channel === null
      ? 'is registered. It gets a version to test when a pull request is for it. Then close'
      : `is on channel ${code(channel)}. When a preview of a pull request is for it, it gets that instead. Close`
  return `Device ${code(shortDevice(device))} ${place} the app and open it **twice**: the first start downloads the update, the second one shows it.`
}

function describeDevice(seen: DeviceRow | null | undefined): string {
  if (seen === undefined) return ''
  if (seen === null)
    return alert(
      'WARNING',
      'Capgo has never seen this device. Check the id, and open the app once while the phone is online.',
    )
  return row([
    `${PLATFORMS[seen.platform]}${seen.is_emulator ? ', an emulator' : ''}`,
    seen.version_build ? `app ${code(seen.version_build)}` : '',
    seen.updated_at ? `last seen ${formatDateTime(seen.updated_at)}` : '',
  ])
}

/** Without a word of the request: titles and commit messages reach places that escape nothing. */
export function titleOf(change: Pick<EnrolmentChange, 'do'>, issue: number): string {
  const what = { add: 'Add', update: 'Change', remove: 'Remove' }[change.do]
  return `${what} a tester (#${issue})`
}

export function renderProposal(change: SeenChange, issue: number, path: string): string {
  const { device, name, github, groups, channel, until } = change.entry
  const rows = Object.entries({
    device: code(shortDevice(device)),
    name: name === null ? '' : escapeText(name),
    GitHub: github === null ? '' : code(github),
    groups: groups.map(code).join(', '),
    channel: channel === null ? '' : code(channel),
    until: until === null ? (change.do === 'update' ? 'no last day' : '') : code(until),
  }).filter(([, value]) => value !== '')
  return [
    `#${issue} asks for this change of ${code(path)}. The issue closes by itself when the device is where the file wants it.`,
    table(['', 'as asked'], rows),
    change.do === 'remove' ? '' : describeDevice(change.seen),
  ]
    .filter(part => part !== '')
    .join('\n\n')
}

/** The comment as a sentence for logs. */
export function describeEnrolment(issue: number, comment: EnrolmentComment): string {
  return `#${issue} ${describe(comment).replace(/\.$/, '')}.`
}

function describe(comment: EnrolmentComment): string {
  switch (comment.state) {
    case 'waiting':
      return comment.pull === null
        ? 'waits for the pull request of its branch'
        : `waits for a review of pull request #${comment.pull}`
    case 'stuck':
      return `is not finished: ${comment.why}`
    case 'refused':
      return `was refused: ${comment.problems.join(' ')}`
    case 'second':
      return `was refused: #${comment.first} is open already`
    case 'busy':
      return `has to wait: ${comment.open} requests ${comment.isOwn ? 'within a day are of its author' : 'are open'}`
    case 'foreign':
      return `was left alone: somebody else changed branch ${comment.branch}`
    case 'reviewed':
      return `was left alone: pull request #${comment.pull} is in review`
    case 'declined':
      return 'was declined'
    case 'withdrawn':
      return 'was withdrawn'
    case 'joined':
      return `joined: device ${shortDevice(comment.device)} ${comment.channel === null ? 'is a tester' : `is on channel ${comment.channel}`}`
    case 'left':
      return `left: device ${shortDevice(comment.device)} is not a tester any more`
  }
}
