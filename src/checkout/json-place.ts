/** Where in a JSON text something is, and what is wrong with it there. */
import { type ParseError, printParseErrorCode } from 'jsonc-parser'

/** Both count from 1. */
export interface TextPlace {
  readonly line: number
  readonly column: number
}

/** Line and column of an offset in the text. */
export function placesOf(text: string): (offset: number) => TextPlace {
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1)
  return offset => {
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return { line: low + 1, column: offset - (starts[low - 1] ?? 0) + 1 }
  }
}

/** `value expected`. */
export function describeSyntax({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
}
