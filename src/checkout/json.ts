/** JSON files of the repository, and where in them something stands. */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import type { ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'

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
  const { line, column } = linesOf(content)(first?.offset ?? 0)
  const what = first === undefined ? 'it cannot be parsed' : sayParseError(first)
  return new ActionError(code, `${file} is not valid JSON: ${what} at line ${line}, column ${column}.`, {
    hint: 'Correct the file. JSON does not allow comments or a comma after the last entry.',
    at: { file, line, column },
  })
}

/** A parser's reason, in words: `comma expected`. */
export function sayParseError({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
}

/** Finds the line and the column of an offset in a text; both count from 1. */
export function linesOf(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return offset => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
