import { expect, test } from 'vitest'
import { parseKeyValueFile } from '../../../../local/runner/file-commands.ts'

test('reads both forms, and what a value holds is not read as a further pair', () => {
  const text = [
    'plain=a=b<<c',
    'outcome<<ghadelimiter_1',
    'published',
    'channel=evil',
    'channel<<ghadelimiter_2',
    '',
    'ghadelimiter_1',
    'empty<<X',
    'X',
    '',
  ].join('\n')
  expect(parseKeyValueFile(text)).toEqual({
    plain: 'a=b<<c',
    outcome: 'published\nchannel=evil\nchannel<<ghadelimiter_2\n',
    empty: '',
  })
})

test('a value that contains its own delimiter injects, as on the real runner', () => {
  expect(parseKeyValueFile('reason<<EOF\nx\nEOF\noutcome=published\n')).toEqual({
    reason: 'x',
    outcome: 'published',
  })
})

test.each([
  ['no separator', 'Invalid format'],
  ['<<EOF\nx\nEOF', 'Name must not be empty'],
  ['a<<\nx', 'delimiter must not be empty'],
  ['a<<EOF\nx\n', 'Matching delimiter not found'],
])('%j fails the step', (text, message) => {
  expect(() => parseKeyValueFile(text)).toThrow(message)
})
