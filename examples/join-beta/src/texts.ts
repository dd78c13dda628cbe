/** The component's words. `element.texts = { title: '…' }` replaces any of them; `{channel}` and the like stay. */
export const TEXTS = {
  title: 'Test new versions',
  lead: 'Try what your team works on.',
  loading: 'Reading this phone…',
  device: 'Device id',
  copy: 'Copy',
  copied: 'Device id copied.',
  selected: 'The device id is selected. Copy it by hand.',
  channel: 'Channel',
  version: 'Version',
  inApp: 'In app {native}',
  fromStore: 'From the store',
  unknown: 'Unknown',
  usual: 'The channel that everybody is on',
  assigned: 'Your team put this phone here',
  chosen: 'You chose it on this phone',
  channels: 'Channels to test',
  here: 'You are here',
  join: 'Join',
  leave: 'Leave',
  joinNamed: 'Join {channel}',
  leaveNamed: 'Leave {channel}',
  joined: 'You are on {channel}. Open the app twice to get its version.',
  left: 'You left. Open the app twice to get the version that everybody has.',
  none: 'Your team offers no channel at the moment.',
  elsewhere: 'Your team put this phone on {channel}. Ask them to remove it before you join another channel.',
  github: 'Join on GitHub',
  githubHint: 'Opens a form with the id of this phone. Your team adds it. To leave, send the form again.',
  reset: 'Back to the version from the store',
  resetTitle: 'Back to the version from the store?',
  resetText: 'You leave the test, and the app restarts with the version that it was installed with.',
  resetTeam:
    'If your team added this phone, ask them to remove it. Otherwise the next update brings the test back.',
  resetConfirm: 'Leave and restart',
  cancel: 'Cancel',
  restarting: 'The app restarts.',
  onPhone: 'Open this page in the app on your phone. A browser has no device id.',
  retry: 'Try again',
  offline: 'No connection. Check it, and try again.',
  wait: 'Too many tries. Try again in {seconds} seconds.',
  notTester: 'You are not on the list of testers. Ask your team.',
  notAllowed: 'Only your team adds phones to {channel}.',
  switchedOff: 'This app does not let you choose a channel.',
  moved: 'Your team put this phone on another channel. Ask them to remove it first.',
  gone: '{channel} does not exist any more.',
  failed: 'That did not work: {message}',
} as const

export type Texts = { readonly [name in keyof typeof TEXTS]: string }

export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}
