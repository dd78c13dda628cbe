/** The input `device-filter`: which devices `operation: devices` lists, one `field: value` per line. */
import { InputError } from '../errors.ts'
import type { DeviceFilter } from '../plan/device-list.ts'
import { findNear } from './near-word.ts'
import { isWhole, listWords } from './values.ts'

const FIELDS = ['id', 'platform', 'version', 'channel', 'days'] as const
type Field = (typeof FIELDS)[number]
const PLATFORMS = ['ios', 'android', 'electron'] as const

/** Capgo forgets a device 90 days after its last report. */
const MAX_DAYS = 90
const DEFAULT_DAYS = 30
/** Characters of a wrong line that an error repeats. */
const LINE_SHOWN = 80

/** `refuse` is called for each line that is wrong. */
export function readDeviceFilter(text: string, refuse: (error: InputError) => void): DeviceFilter {
  const values = new Map<Field, string>()
  text.split('\n').forEach((raw, index) => {
    const content = raw.replace(/(^|\s)#.*$/, '').trim()
    if (content === '') return
    const [, name = '', value = ''] = /^([^:]*?)\s*:\s*(.*)$/.exec(content) ?? []
    const field = FIELDS.find(known => known === name.toLowerCase())
    const problem = field === undefined ? unknownField(name) : checkValue(field, value)
    const isTwice = field !== undefined && values.has(field)
    if (field !== undefined && problem === null && !isTwice) values.set(field, value)
    else {
      const { why, hint } = problem ?? { why: `sets ${field} again`, hint: 'Remove one of the two lines.' }
      const shown = content.length > LINE_SHOWN ? `${content.slice(0, LINE_SHOWN)}…` : content
      refuse(new InputError('device-filter', `line ${index + 1}, "${shown}": ${why}.`, hint))
    }
  })
  return {
    id: values.get('id')?.toLowerCase() ?? null,
    platform: findPlatform(values.get('platform')) ?? null,
    version: values.get('version') ?? null,
    channel: values.get('channel') ?? null,
    days: Number(values.get('days') ?? DEFAULT_DAYS),
  }
}

interface Mistake {
  readonly why: string
  readonly hint: string
}

function unknownField(name: string): Mistake {
  const near = findNear(name, FIELDS)
  return {
    why: name === '' ? 'not "field: value"' : 'unknown field',
    hint:
      near === undefined
        ? `The field is ${listWords(FIELDS)}. For example "platform: ios".`
        : `Did you mean "${near}"?`,
  }
}

/** Platforms are written as their makers do, too: iOS. */
function findPlatform(value: string | undefined): DeviceFilter['platform'] | undefined {
  return PLATFORMS.find(known => known === value?.toLowerCase())
}

function checkValue(field: Field, value: string): Mistake | null {
  if (value === '')
    return { why: 'has no value', hint: 'Write the value behind the colon, or remove the line.' }
  if (field === 'platform' && findPlatform(value) === undefined)
    return { why: 'unknown platform', hint: `Use ${listWords(PLATFORMS)}.` }
  if (field === 'id' && !/^[0-9a-f-]{1,36}$/i.test(value))
    return {
      why: 'not the beginning of a device id',
      hint: 'Device ids consist of the digits 0 to 9, the letters a to f, and dashes.',
    }
  if (field === 'days' && !isWhole(value, 1, MAX_DAYS))
    return {
      why: `not from 1 to ${MAX_DAYS} days`,
      hint: `Use a whole number from 1 to ${MAX_DAYS}. Capgo forgets older devices.`,
    }
  return null
}
