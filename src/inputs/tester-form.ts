/** The issue form of testers, as GitHub writes its answers into the issue. The text is anybody's. */
import * as z from 'zod/mini'
import type { EnrolmentRequest } from '../plan/enrolment.ts'
import { DeviceId, MAX_NAME, NAME } from './testers-schema.ts'

/** Characters; the form writes some hundred. */
const MAX_FORM = 10_000
/** Characters of an answer that is not a name. */
const MAX_ANSWER = 64

type Field = 'action' | keyof Omit<EnrolmentRequest, 'action'>

/** The labels of docs/issue-forms/tester.yml. */
const FIELDS: Readonly<Record<string, Field>> = {
  'Join or leave': 'action',
  'Device id': 'device',
  Name: 'name',
  Channel: 'channel',
  Group: 'group',
  'Last day': 'until',
}
const NO_ANSWER = '_No response_'
/** GitHub's own choice in a dropdown that can be left empty; no option of a form can be called so. */
const NO_CHOICE = 'None'

export type TesterForm =
  | { readonly request: EnrolmentRequest }
  /** It is the form, with mistakes. */
  | { readonly problems: readonly string[] }

/** Null where the text is not this form: it begins with another heading, or has no field for a device id. */
export function readTesterForm(body: string): TesterForm | null {
  if (body.length > MAX_FORM) return null
  const [before = '', ...sections] = body.replaceAll('\r\n', '\n').split(/^### +(?=\S)/m)
  const answers = sections.flatMap(section => {
    const [heading = '', ...lines] = section.split('\n')
    const field = Object.hasOwn(FIELDS, heading.trim()) ? FIELDS[heading.trim()] : undefined
    return field === undefined ? [] : [{ field, label: heading.trim(), text: lines.join('\n').trim() }]
  })
  const has = (field: Field) => answers.some(answer => answer.field === field)
  if (before.trim() !== '' || !has('action') || !has('device')) return null
  const problems: string[] = []
  const read = (wanted: Field): string | null => {
    const [answer, another] = answers.filter(({ field }) => field === wanted)
    if (answer === undefined) return null
    const isEmpty = answer.text === NO_ANSWER || (answer.text === NO_CHOICE && wanted !== 'name')
    const text = isEmpty ? '' : visible(answer.text)
    const problem =
      another === undefined ? checkAnswer(wanted, text) : 'is in the form twice. Keep one of the two.'
    if (problem !== null) problems.push(`"${answer.label}" ${problem}`)
    return text === '' ? null : text
  }
  const request: EnrolmentRequest = {
    action: read('action')?.toLowerCase() === 'leave' ? 'leave' : 'join',
    device: read('device')?.toLowerCase() ?? '',
    name: read('name'),
    channel: read('channel'),
    group: read('group'),
    until: read('until'),
  }
  return problems.length === 0 ? { request } : { problems }
}

/** Nobody sees these, so a reviewer would read another text than the one that is stored. */
function visible(text: string): string {
  return text.replace(/(?!\n)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '').trim()
}

/** The problem of an answer, which continues its label; null where it is right. */
function checkAnswer(field: Field, text: string): string | null {
  if (text.includes('\n')) return 'must be one line.'
  if (text.length > (field === 'name' ? MAX_NAME : MAX_ANSWER)) return 'is too long.'
  if (field === 'action') return /^(join|leave)$/i.test(text) ? null : 'must be Join or Leave.'
  if (field === 'device')
    return DeviceId.safeParse(text).success
      ? null
      : 'is not a device id. It looks like 0a1b2c3d-1111-4222-8333-444455556666: copy all of it from the app.'
  if (text === '' || field === 'name') return null
  if (field === 'until')
    return z.iso.date().safeParse(text).success ? null : 'is not a day such as 2027-03-31.'
  return NAME.test(text) ? null : 'can have letters, digits, ".", "_" and "-" only.'
}
