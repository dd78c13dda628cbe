/** Keeps secrets out of text, in every form that programs commonly give them. Pure. */

/** Text with every secret in it as `***`. */
export type Redact = (text: string) => string

/** Characters; a shorter secret would be found inside harmless text. */
export const MIN_SECRET = 6

/** The replacement of secrets, their lines, and their encodings; parts of fewer than six characters are kept. */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = secretForms(secrets)
  return text => forms.reduce((clean, form) => clean.replaceAll(form, '***'), text)
}

/** The secrets, their lines, and their encodings, the longest first: one may begin with another. */
export function secretForms(secrets: readonly string[]): string[] {
  return [...new Set(secrets.flatMap(secretParts).flatMap(formsOf))]
    .filter(form => form.length >= MIN_SECRET)
    .sort((one, other) => other.length - one.length)
}

/**
 * A secret and, where it has several lines (or is the base64 of such a text, as `private-key` may be), each of them.
 * The lines around a PEM text are none.
 */
export function secretParts(secret: string): string[] {
  const decoded = Buffer.from(secret, 'base64').toString('latin1')
  const texts = decoded.includes('-----BEGIN') ? [secret, decoded] : [secret]
  const lines = texts.flatMap(text => text.split(/\r\n|\\r\\n|\\n|[\r\n]/)).map(line => line.trim())
  return [...new Set([...texts.map(text => text.trim()), ...lines])].filter(
    part => part !== '' && !/^-----[A-Z0-9 ]+-----$/.test(part),
  )
}

function formsOf(text: string): string[] {
  const hex = Buffer.from(text).toString('hex')
  const base64 = alignments(text)
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    encodeURIComponent(text).replace(/%../g, code => code.toLowerCase()),
    ...base64,
    ...base64.map(form => form.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
  ]
}

/** Base64 of the text where it begins at each of the three places in a group, without what its neighbours decide. */
function alignments(text: string): string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].map(skipped =>
    bytes.subarray(skipped, bytes.length - ((bytes.length - skipped) % 3)).toString('base64'),
  )
}
