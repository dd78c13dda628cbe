/** The input `operation`, and the inputs that say what it works on. */
import { InputError } from '../errors.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import type { OnActiveRollout, RolloutChange } from '../plan/rollout.ts'
import { readDeviceFilter } from './device-filter.ts'
import { readEnrolmentRules } from './enrolment-rules.ts'
import { checkChannelName, checkCount, listWords, type Reading } from './values.ts'

/** The inputs of promoting, rolling back, rolling out, status and of deleting old bundles. */
export interface OperationValues {
  /** Null = the event decides. */
  readonly operation: ExplicitOperation | null
  /** Basis points of the devices that a publish or promotion goes to; null = all of them. */
  readonly rollout: number | null
  readonly onActiveRollout: OnActiveRollout
  /** Publishes even an older commit, or a bundle that was rolled back. */
  readonly force: boolean
  /** Ask for the update as a device would, after publishing. */
  readonly verify: boolean
}

const OPERATIONS = [
  'auto',
  'promote',
  'rollback',
  'rollout',
  'status',
  'devices',
  'testers',
  'enroll',
  'cleanup',
] as const
type OperationName = (typeof OPERATIONS)[number]
const CHANGES = ['pause', 'resume', 'finish', 'cancel'] as const
const MAX_KEPT = 10_000
const DEFAULT_KEEP = '20'

/** Refuses a value that cannot be used, and one that the operation does not look at. */
export function readOperationInputs(reading: Reading): OperationValues {
  const { text, boolean, choice, attempt } = reading
  const name = choice('operation', OPERATIONS, 'auto')
  const isKnown = text('operation') === null || name === text('operation')
  const onActiveRollout = choice('on-active-rollout', ['fail', 'replace', 'advance'], 'fail')
  const verify = boolean('verify', false)
  const force = boolean('force', false)
  // The inputs of an unknown operation are unknown.
  if (isKnown) refuseStrays(name, { ...reading, force, verify })
  const rollout = text('rollout')
  const change = rollout === null ? null : attempt(() => readRollout(rollout), null)
  return {
    operation: readOperation(name, { change, force }, reading),
    force,
    rollout: name === 'rollout' ? null : attempt(() => sharesOf(change), null),
    onActiveRollout,
    verify,
  }
}

function readOperation(
  name: OperationName,
  { change, force }: { readonly change: RolloutChange | null; readonly force: boolean },
  reading: Reading,
): ExplicitOperation | null {
  const { text, checked, refuse } = reading
  const required = (input: string): string => {
    if (text(input) === null)
      refuse(new InputError(input, `is required with "operation: ${name}".`, 'Set it to a channel name.'))
    return checked(input, value => checkChannelName(input, value), '')
  }
  switch (name) {
    case 'auto':
      return null
    case 'promote': {
      const from = required('from')
      const to = required('to')
      if (from !== '' && from === to)
        refuse(
          new InputError(
            'to',
            `cannot be "${to}", the channel that the bundle is copied from.`,
            'Use two different channels.',
          ),
        )
      return { kind: 'promote', from, to, force }
    }
    case 'rollback':
      return { kind: 'rollback', channelName: required('channel'), to: text('to'), force }
    case 'rollout': {
      const channelName = required('channel')
      if (text('rollout') === null)
        refuse(
          new InputError(
            'rollout',
            'is required with "operation: rollout".',
            `Set it to a percentage (25), or to ${listWords(CHANGES)}.`,
          ),
        )
      return { kind: 'rollout', channelName, change: change ?? { kind: 'pause' } }
    }
    case 'status':
      return { kind: 'status' }
    case 'devices':
      return {
        kind: 'devices',
        filter: readDeviceFilter(text('device-filter') ?? '', refuse),
        showIds: reading.boolean('show-ids', false),
      }
    case 'testers':
      return { kind: 'sweep-previews' }
    case 'enroll':
      return { kind: 'enroll', rules: readEnrolmentRules(reading) }
    case 'cleanup':
      return {
        kind: 'delete-old-bundles',
        keep: Number(checked('keep', value => checkCount('keep', value, MAX_KEPT), DEFAULT_KEEP)),
      }
  }
}

/** Inputs and their operations: an input that would be ignored is reported. */
const BELONGS: Readonly<Record<string, readonly OperationName[]>> = {
  from: ['promote'],
  to: ['promote', 'rollback'],
  force: ['auto', 'promote', 'rollback'],
  rollout: ['auto', 'promote', 'rollout'],
  channel: ['auto', 'rollback', 'rollout'],
  version: ['auto'],
  keep: ['cleanup'],
  verify: ['auto', 'promote', 'rollback'],
  'device-filter': ['devices'],
  'show-ids': ['devices'],
  'join-approve': ['enroll'],
  'join-channels': ['enroll'],
  'join-groups': ['enroll'],
  'join-days': ['enroll'],
  'join-label': ['enroll'],
  'on-active-rollout': ['auto', 'promote', 'rollback'],
}

/** Defaults in action.yml, which do not count as given. */
const DEFAULTS: Readonly<Record<string, string>> = {
  keep: DEFAULT_KEEP,
  'on-active-rollout': 'fail',
  'show-ids': 'false',
  'join-approve': 'review',
}

function refuseStrays(
  name: OperationName,
  { text, refuse, ...switches }: Reading & { readonly force: boolean; readonly verify: boolean },
): void {
  for (const [input, operations] of Object.entries(BELONGS)) {
    const isGiven =
      input === 'force' || input === 'verify'
        ? switches[input]
        : text(input) !== null && text(input) !== DEFAULTS[input]
    if (isGiven && !operations.includes(name))
      refuse(
        new InputError(
          input,
          `is not used by "operation: ${name}".`,
          `It belongs to ${operations.map(operation => `"operation: ${operation}"`).join(' and ')}. Remove the input, or change "operation".`,
        ),
      )
  }
}

/** `10`, `12.5`, `10%`, or a word. */
function readRollout(value: string): RolloutChange {
  const word = CHANGES.find(known => known === value)
  if (word !== undefined) return { kind: word }
  const percent = /^(\d{1,3}(?:\.\d{1,2})?)\s*%?$/.exec(value)?.[1]
  const bps = Math.round(Number(percent ?? Number.NaN) * 100)
  if (bps >= 1 && bps <= 10_000) return { kind: 'share', bps }
  throw new InputError(
    'rollout',
    `must be a percentage (0.01 to 100), ${listWords(CHANGES)}, not "${value}".`,
    'A publish or promotion accepts only a percentage. The words need "operation: rollout".',
  )
}

function sharesOf(change: RolloutChange | null): number | null {
  if (change === null) return null
  if (change.kind === 'share') return change.bps
  throw new InputError(
    'rollout',
    `cannot be "${change.kind}" for a publish.`,
    'A publish accepts a percentage. To change a running rollout, set "operation: rollout" and "channel".',
  )
}
