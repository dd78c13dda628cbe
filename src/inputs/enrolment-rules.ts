/** The inputs `join-…`: what the form of `operation: enroll` is allowed to choose. */
import { InputError } from '../errors.ts'
import type { EnrolmentRules } from '../plan/enrolment.ts'
import { NAME } from './testers-schema.ts'
import { checkDays, type Reading } from './values.ts'

/** Ten years; longer is the same as for ever. */
const MAX_DAYS = 3650

export function readEnrolmentRules({ text, checked, choice, attempt }: Reading): EnrolmentRules {
  const days = checked('join-days', value => checkDays('join-days', value, MAX_DAYS), null)
  return {
    membersSkipReview: choice('join-approve', ['review', 'members'], 'review') === 'members',
    channels: attempt(() => readNames('join-channels', text('join-channels') ?? ''), []),
    groups: attempt(() => readNames('join-groups', text('join-groups') ?? ''), []),
    days: days === null ? null : Number(days),
    label: checked('join-label', checkLabel, null),
  }
}

function readNames(input: string, value: string): string[] {
  const names = value.split(/[\s,]+/).filter(name => name !== '')
  const wrong = names.find(name => !NAME.test(name))
  if (wrong !== undefined)
    throw new InputError(
      input,
      `cannot have "${wrong}".`,
      'Use names of letters, digits, ".", "_" and "-", separated by commas or spaces.',
    )
  return [...new Set(names)]
}

/** GitHub separates the labels that it looks for by commas. */
function checkLabel(value: string): void {
  if (!value.includes(',')) return
  throw new InputError('join-label', `must be one label, not "${value}".`, 'Use a label without a comma.')
}
