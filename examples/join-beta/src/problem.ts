/** A thing that went wrong, by the code of the plugin or of the endpoint. */
import { fill, type Texts } from './texts'

export class Problem extends Error {
  readonly code: string
  readonly seconds: number

  constructor(code: string, message: string, seconds = 0) {
    super(message)
    this.code = code
    this.seconds = seconds
  }
}

export function explain(error: unknown, channel: string, texts: Texts): string {
  const { code, message, seconds } =
    error instanceof Problem
      ? error
      : new Problem('unknown', error instanceof Error ? error.message : `${error}`)
  const values = { channel, message, seconds: String(seconds || 60) }
  return fill(texts[TEXT_OF.get(code) ?? 'failed'], values)
}

/** The first of these texts that is a code. */
export function codeIn(...texts: (string | undefined)[]): string | undefined {
  if (texts.some(text => /^Request (?:failed|timed out)/.test(text ?? ''))) return 'network_error'
  return texts.find(text => text !== undefined && TEXT_OF.has(text))
}

const TEXT_OF: ReadonlyMap<string, keyof Texts> = new Map<string, keyof Texts>([
  // The plugin's.
  ['network_error', 'offline'],
  ['disabled_by_config', 'switchedOff'],
  ['channel_self_set_not_allowed', 'notAllowed'],
  ['cannot_update_via_private_channel', 'notAllowed'],
  ['public_channel_self_set_not_allowed', 'notAllowed'],
  ['channel_not_found', 'gone'],
  // The endpoint's.
  ['too_many_requests', 'wait'],
  ['closed', 'notTester'],
  ['wrong_token', 'notTester'],
  ['not_signed_in', 'notTester'],
  ['not_a_tester', 'notTester'],
  ['channel_not_allowed', 'notAllowed'],
  ['on_another_channel', 'moved'],
  ['unknown_channel', 'gone'],
])
