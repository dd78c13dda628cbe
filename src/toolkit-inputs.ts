import { InputError } from './errors.ts'
import type { ExplicitOperation } from './plan/operation.ts'
import type { OnActiveRollout, RolloutChange } from './plan/rollout.ts'

/** The inputs of promoting, rolling back, rolling out, status and housekeeping. */
export interface ToolkitInputs {
  /** Null = the event decides. */
  readonly operation: ExplicitOperation | null
  /** Basis points of the devices that a publish or promotion goes to; null = all of them. */
  readonly rollout: number | null
  readonly onActiveRollout: OnActiveRollout
  /** Goes on where a run would leave the channel alone: an older commit, a bundle that was rolled back. */
  readonly force: boolean
  /** Ask for the update as a device would, after publishing. */
  readonly verify: boolean
}

/** How values of the `with:` block are read and checked. */
export interface Reading {
  /** Null when it is empty. */
  text(name: string): string | null
  boolean(name: string): boolean
  /** Throws `InputError` for what cannot be a channel's name. */
  checkChannel(input: string, name: string): void
}

const OPERATIONS = ['auto', 'promote', 'rollback', 'rollout', 'status', 'cleanup'] as const
type OperationName = (typeof OPERATIONS)[number]
const CHANGES = ['pause', 'resume', 'finish', 'cancel'] as const
const MOST_KEPT = 10_000

/** Throws `InputError` for a value that cannot be used, and for one that the operation does not look at. */
export function readToolkitInputs(reading: Reading): ToolkitInputs {
  const { text, boolean } = reading
  const name = readOperationName(text('operation') ?? 'auto')
  refuseStrays(name, reading)
  const rollout = text('rollout')
  const change = rollout === null ? null : readRollout(rollout)
  return {
    operation: readOperation(name, change, reading),
    force: boolean('force'),
    rollout: name === 'rollout' ? null : sharesOf(change),
    onActiveRollout: readOnActive(text('on-active-rollout') ?? 'fail'),
    verify: boolean('verify'),
  }
}

function readOperationName(value: string): OperationName {
  const name = OPERATIONS.find(known => known === value)
  if (name !== undefined) return name
  throw new InputError('operation', `"${value}" is not known.`, `There are ${OPERATIONS.join(', ')}.`)
}

function readOperation(
  name: OperationName,
  change: RolloutChange | null,
  reading: Reading,
): ExplicitOperation | null {
  switch (name) {
    case 'auto':
      return null
    case 'promote': {
      const from = needChannel('from', name, reading)
      const to = needChannel('to', name, reading)
      if (from === to)
        throw new InputError('to', `"${to}" is the channel that the bundle comes from.`, 'Name two channels.')
      return { kind: 'promote', from, to, force: reading.boolean('force') }
    }
    case 'rollback':
      return {
        kind: 'rollback',
        channelName: needChannel('channel', name, reading),
        to: reading.text('to'),
        force: reading.boolean('force'),
      }
    case 'rollout':
      if (change === null)
        throw new InputError(
          'rollout',
          'is missing; "operation: rollout" needs it.',
          `Give a percentage (25) or one of ${CHANGES.join(', ')}.`,
        )
      return { kind: 'rollout', channelName: needChannel('channel', name, reading), change }
    case 'status':
      return { kind: 'status' }
    case 'cleanup':
      return { kind: 'housekeep', keep: readKeep(reading.text('keep') ?? '20') }
  }
}

/** Which inputs are for which operations; one that would be ignored is a misunderstanding. */
const BELONGS: Readonly<Record<string, readonly OperationName[]>> = {
  from: ['promote'],
  to: ['promote', 'rollback'],
  force: ['auto', 'promote', 'rollback'],
  rollout: ['auto', 'promote', 'rollout'],
}

function refuseStrays(name: OperationName, { text, boolean }: Reading): void {
  for (const [input, operations] of Object.entries(BELONGS)) {
    const isGiven = input === 'force' ? boolean(input) : text(input) !== null
    if (isGiven && !operations.includes(name))
      throw new InputError(
        input,
        `is not used by "operation: ${name}".`,
        `It belongs to ${operations.map(operation => `"operation: ${operation}"`).join(' and ')}. Leave it out, or set the input "operation".`,
      )
  }
}

function needChannel(input: string, operation: OperationName, { text, checkChannel }: Reading): string {
  const name = text(input)
  if (name === null)
    throw new InputError(
      input,
      `is missing; "operation: ${operation}" needs it.`,
      'Give the name of a channel.',
    )
  checkChannel(input, name)
  return name
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
    `"${value}" is neither a percentage nor a word that it knows.`,
    `Give a percentage from 0.01 to 100, or with "operation: rollout" one of ${CHANGES.join(', ')}.`,
  )
}

function sharesOf(change: RolloutChange | null): number | null {
  if (change === null) return null
  if (change.kind === 'share') return change.bps
  throw new InputError(
    'rollout',
    `"${change.kind}" changes a rollout that is running, and this run publishes.`,
    `Set "operation: rollout" and "channel" for that; a publish takes a percentage.`,
  )
}

function readOnActive(value: string): OnActiveRollout {
  if (value === 'fail' || value === 'replace' || value === 'advance') return value
  throw new InputError(
    'on-active-rollout',
    `"${value}" is not known.`,
    'There are fail, replace and advance.',
  )
}

function readKeep(value: string): number {
  if (/^\d+$/.test(value) && Number(value) <= MOST_KEPT) return Number(value)
  throw new InputError(
    'keep',
    `"${value}" is not a number of bundles.`,
    `Give a whole number from 0 to ${MOST_KEPT.toLocaleString('en-US')}.`,
  )
}
