import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { ActionError } from '../errors.ts'

/** Strict JSON, as a value. Throws an error with the given code that names line and column. */
export function parseJson(text: string, file: string, code: string): unknown {
  const content = text.replace(/^\ufeff/, '')
  const errors: ParseError[] = []
  const value: unknown = parse(content, errors, { disallowComments: true, allowTrailingComma: false })
  const [first] = errors
  if (first === undefined) return value
  const before = content.slice(0, first.offset).split('\n')
  const line = before.length
  const column = before.at(-1)!.length + 1
  const what = printParseErrorCode(first.error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
  throw new ActionError(code, `${file} is not JSON: ${what} at line ${line}, column ${column}.`, {
    hint: 'Correct the file. JSON takes no comments and no comma after the last entry.',
    at: { file, line, column },
  })
}
