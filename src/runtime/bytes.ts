/** Sizes as people read them: SI, 1 kB is 1000 bytes, as GitHub and the stores show them. Pure. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `340 B`, `1.2 MB`, `124 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // By what is shown, so that 999,950 bytes are 1 MB and never 1000 kB.
  while (Number(round(value)) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : round(value)} ${UNITS[unit]}`
}

function round(value: number): string {
  return value.toFixed(value < 99.95 ? 1 : 0).replace(/\.0$/, '')
}
