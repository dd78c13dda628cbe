import { describe, expect, it } from 'vitest'
import { createRedactor, secretParts } from '../../../src/runtime/redaction.ts'

const SECRET = 'k/ey+"\u00fc?>~ 1234567'
const bytes = Buffer.from(SECRET)
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nabcdefgh12\n-----END RSA PRIVATE KEY-----\n'

describe('a secret is found', () => {
  const hex = bytes.toString('hex')
  const forms: Record<string, string> = {
    'as it is': SECRET,
    'as JSON has it': JSON.stringify(SECRET).slice(1, -1),
    'as a URL has it': encodeURIComponent(SECRET),
    'as a URL with lower-case hex has it': encodeURIComponent(SECRET).replace(/%../g, code =>
      code.toLowerCase(),
    ),
    'in hex': hex,
    'in upper-case hex': hex.toUpperCase(),
  }
  it.each(Object.entries(forms))('%s, and nothing of it is left', (_what, form) => {
    expect(form).toMatch(/[a-z]/i)
    expect(createRedactor([SECRET])(`before ${form} between ${form} after`)).toBe(
      'before *** between *** after',
    )
  })

  it.each([0, 1, 2])('in base64, behind %i other bytes', count => {
    const text = Buffer.concat([Buffer.alloc(count), bytes, Buffer.from('...')])
    for (const encoding of ['base64', 'base64url'] as const) {
      const clean = createRedactor([SECRET])(text.toString(encoding))
      expect(clean).toContain('***')
      // What is left is what its neighbours decide.
      expect(clean.length).toBeLessThanOrEqual('***'.length + 12)
    }
  })

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
    ['an escaped LF', '\\n'],
    ['an escaped CRLF', '\\r\\n'],
  ])('line by line, where %s ends its lines', (_what, end) => {
    const redact = createRedactor([`first-line${end}  second-line${end}`])
    expect(redact('first-line and second-line.')).toBe('*** and ***.')
  })

  it('as a whole, where another secret is a part of it', () => {
    expect(createRedactor(['abcdef', 'abcdefghi'])('abcdefghi abcdef')).toBe('*** ***')
    expect(createRedactor(['cdefgh', 'abcdefghi'])('abcdefghi cdefgh')).toBe('*** ***')
  })
})

describe('what is no secret stays', () => {
  it.each([
    ['a part of five characters', 'abcde', 'abcde'],
    ['but not one of six', 'abcdef', '***'],
    ['nothing', '', 'text'],
  ])('%s', (_what, secret, said) => {
    expect(createRedactor([secret])(secret || 'text')).toBe(said)
  })

  it('the base64 of a short secret, of which its neighbours decide the most', () => {
    expect(createRedactor(['abcdefg'])('bcdefg')).toBe('bcdefg')
    // Six bytes are eight characters; from the second byte on they are three bytes, which stand in many texts.
    const redact = createRedactor(['abcdef'])
    expect(redact(Buffer.from('abcdef').toString('base64'))).toBe('***')
    expect(redact(Buffer.from('bcd').toString('base64'))).toBe('YmNk')
    expect(redact(Buffer.from('cde').toString('base64'))).toBe('Y2Rl')
  })

  it('the lines around a PEM text', () => {
    const redact = createRedactor([PEM])
    expect(redact('-----BEGIN RSA PRIVATE KEY-----')).toBe('-----BEGIN RSA PRIVATE KEY-----')
    expect(redact('MIIEowIBAAKC abcdefgh12')).toBe('*** ***')
  })
})

describe('secretParts', () => {
  const lines = ['MIIEowIBAAKC', 'abcdefgh12']
  it.each([
    ['a plain one', ' secret ', ['secret']],
    ['one of two lines', 'one\n\ntwo', ['one\n\ntwo', 'one', 'two']],
    ['the same line twice', 'one\none', ['one\none', 'one']],
    ['PEM', PEM, [PEM.trim(), ...lines]],
    [
      'base64 of PEM',
      Buffer.from(PEM).toString('base64'),
      [Buffer.from(PEM).toString('base64'), PEM.trim(), ...lines],
    ],
    ['base64 of another text', Buffer.from('one\ntwo').toString('base64'), ['b25lCnR3bw==']],
    ['nothing', ' \n ', []],
    ['a line that only looks like one around PEM', 'x -----BEGIN A-----', ['x -----BEGIN A-----']],
    ['and one that goes on', '-----BEGIN A----- x', ['-----BEGIN A----- x']],
  ])('%s', (_what, secret, parts) => expect(secretParts(secret)).toEqual(parts))
})
