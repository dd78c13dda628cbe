/** A QR code out of text, for the comment of a preview. */
import { encode } from 'uqr'

/** Light modules around the code. The standard says four; with the margin of the key two scan as well. */
const QUIET = 2
/** 61 characters wide with that, 413 px: what is larger is hard to scan. Up to version 7 a phone shows all of it. */
const MAX_VERSION = 10

/**
 * A QR code out of text, for GitHub's Markdown, where images of our own are not possible: `data:` addresses,
 * inline SVG and styles are all stripped. `<kbd>` is what makes it scan: GitHub gives it lines of 10 px under
 * characters of 11 px, so rows touch; in a code block lines are half as high again as the characters, and the
 * gaps break the code. A module is one character, higher than wide, which scanners take for a slant. Two rows in
 * one line of half blocks would be squarer, but fonts such as Menlo draw blocks higher than 10 px: that covers
 * a seventh of a whole row, and too much of half a row.
 *
 * Text is dark on light in GitHub's light theme and the other way round in its dark one, and not every scanner
 * reads a negative. So there are two, and GitHub shows the one that its theme makes dark on light; where a
 * mail program shows both, each scans by itself. Null when the text is too long for a code that fits.
 */
export function renderQr(text: string): string | null {
  const modules = drawModules(text)
  if (modules === null) return null
  return [
    `<a href="#gh-light-mode-only" aria-label="QR code"><kbd>${drawRows(modules, { isNegative: false })}</kbd></a>`,
    `<a href="#gh-dark-mode-only" aria-label="QR code"><kbd>${drawRows(modules, { isNegative: true })}</kbd></a>`,
  ].join('')
}

/** Rows of modules, true where dark; null when it would be larger than the largest version. */
function drawModules(text: string): boolean[][] | null {
  try {
    return encode(text.toWellFormed(), {
      ecc: 'L',
      boostEcc: true,
      maxVersion: MAX_VERSION,
      border: QUIET,
    }).data
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** No-break spaces do not collapse, and are as wide as blocks in each font that GitHub names for code. */
function drawRows(modules: boolean[][], { isNegative }: { readonly isNegative: boolean }): string {
  return modules.map(row => row.map(isDark => (isDark === isNegative ? '\u00a0' : '█')).join('')).join('<br>')
}
