/** JSON files of the user's repository. */
import { type ParseError, parse } from 'jsonc-parser'
import type { ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'
import { describeSyntax, placesOf } from './json-place.ts'

/** Strict JSON, as a value. Throws an error with the given code that names line and column. */
export function parseJson(text: string, file: string, code: ErrorCode): unknown {
  const content = text.replace(/^\ufeff/, '')
  try {
    return JSON.parse(content)
  } catch {
    throw syntaxError(content, file, code)
  }
}

/** The engine's own message names no line. */
function syntaxError(content: string, file: string, code: ErrorCode): ActionError {
  const errors: ParseError[] = []
  try {
    parse(content, errors, { disallowComments: true, allowTrailingComma: false })
  } catch {
    // Nested so deeply that the parser, which calls itself, gives up.
  }
  const [first] = errors
  const { line, column } = placesOf(content)(first?.offset ?? 0)
  const what = first === undefined ? 'it cannot be parsed' : describeSyntax(first)
  return new ActionError(code, `${file} is not JSON: ${what} at line ${line}, column ${column}.`, {
    hint: 'Correct the file. JSON takes no comments and no comma after the last entry.',
    at: { file, line, column },
  })
}
