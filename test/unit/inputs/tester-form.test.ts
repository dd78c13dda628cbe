import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTesterForm } from '../../../src/inputs/tester-form.ts'
import type { EnrolmentRequest } from '../../../src/plan/enrolment.ts'

const EVE = 'e5e00000-0000-4000-8000-000000000003'
const NO = '_No response_'
const body = (answers: Record<string, string>) =>
  Object.entries({ 'Join or leave': 'Join', 'Device id': EVE, ...answers })
    .map(([label, text]) => `### ${label}\n\n${text}`)
    .join('\n\n')
const request: EnrolmentRequest = {
  action: 'join',
  device: EVE,
  name: null,
  channel: null,
  group: null,
  until: null,
}

describe('the form of a tester', () => {
  it.each<[string, string, Partial<EnrolmentRequest>]>([
    ['the least', body({}), {}],
    ['no answers', body({ Name: NO, Channel: NO, Group: NO, 'Last day': NO }), {}],
    ['no choice in a dropdown', body({ Name: 'None', Channel: 'None', Group: 'None' }), { name: 'None' }],
    [
      'all answers',
      body({ Name: "Eve's  phone", Channel: 'beta', Group: 'qa', 'Last day': '2027-03-31' }),
      { name: "Eve's  phone", channel: 'beta', group: 'qa', until: '2027-03-31' },
    ],
    [
      'lines of Windows, as the web editor writes them',
      body({ Name: 'Eve' }).replaceAll('\n', '\r\n'),
      { name: 'Eve' },
    ],
    ['an id in upper case', body({ 'Device id': ` ${EVE.toUpperCase()} ` }), {}],
    ['a person who leaves', body({ 'Join or leave': 'leave' }), { action: 'leave' }],
    ['fields of the team', `${body({ Name: 'Eve' })}\n\n### Why?\n\nFun\n### Really\nyes`, { name: 'Eve' }],
    ['characters that nobody sees', body({ Name: 'E\u202ev\u200be\u0007' }), { name: 'Eve' }],
    ['a name in Hebrew', body({ Name: 'עדה' }), { name: 'עדה' }],
    ['what is a name of every object', body({ constructor: 'x', Name: '__proto__' }), { name: '__proto__' }],
  ])('is read: %s', (_what, text, expected) => {
    expect(readTesterForm(text)).toEqual({ request: { ...request, ...expected } })
  })

  it.each<[string, string, string]>([
    ['half an id', body({ 'Device id': EVE.slice(0, -1) }), '"Device id" is not a device id.'],
    ['no id', body({ 'Device id': NO }), '"Device id" is not a device id.'],
    ['two ids', body({ 'Device id': `${EVE}\n${EVE}` }), '"Device id" must be one line.'],
    ['another wish', body({ 'Join or leave': 'Both' }), '"Join or leave" must be Join or Leave.'],
    ['a long name', body({ Name: 'x'.repeat(101) }), '"Name" is too long.'],
    ['a field twice', `${body({})}\n\n### Device id\n\n${EVE}`, '"Device id" is in the form twice.'],
    ['a channel of two words', body({ Channel: 'a b' }), '"Channel" can have letters'],
    ['a group with a path', body({ Group: '../x' }), '"Group" can have letters'],
    ['no day', body({ 'Last day': '2027-02-30' }), '"Last day" is not a day'],
  ])('has a mistake: %s', (_what, text, problem) => {
    expect(readTesterForm(text)).toEqual({ problems: [expect.stringContaining(problem)] })
  })

  it.each([
    ['nothing', ''],
    ['a sentence', 'Hello'],
    ['other headings', '### Device\n\nx'],
    ['half of the headings', `### Device id\n\n${EVE}`],
    ['something before it', `x\n\n${body({})}`],
    ['other levels', body({}).replaceAll('###', '##')],
    ['too much', body({ More: 'x'.repeat(10_000) })],
  ])('is not recognised: %s', (_what, text) => {
    expect(readTesterForm(text)).toBeNull()
  })

  it('never throws, and gives only what a testers file takes', () => {
    const piece = fc.oneof(
      fc.constantFrom('### ', 'Device id', 'Join or leave', 'Name', '\n\n', NO, EVE, 'Join'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        const form = readTesterForm(pieces.join(''))
        if (form !== null && 'request' in form) expect(form.request.device).toBe(EVE)
      }),
    )
  })
})
