/** Numbers, ids and outputs as people read them. */
import { formatBytes } from '../runtime/bytes.ts'

export const PLATFORMS = { ios: 'iOS', android: 'Android', electron: 'Electron' } as const

/** So many lines of an output are shown. */
export const LINES_SHOWN = 60

/** `+1.2 kB`, `−340 B` (with a real minus), `±0 B`. */
export function formatDifference(bytes: number): string {
  if (bytes === 0) return '±0 B'
  return `${bytes > 0 ? '+' : '−'}${formatBytes(Math.abs(bytes))}`
}

/** `850 ms`, `3.4 s`, `1 min 12 s`, `2 h 5 min`, from milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 9_950) return `${round(milliseconds / 1000)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return withRest(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  return withRest(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
}

/** `0:07`, `12:30`, `1:02:03`, from milliseconds. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const pad = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rest = pad(seconds % 60)
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${pad(minutes)}:${rest}`
}

/** `Nov 26, 2026, 10:15 UTC`; empty where it is not a time. Breaks between date and time only. */
export function formatDateTime(iso: string | null): string {
  const [date, time] = formatTime(iso)?.split(', ') ?? []
  return date === undefined ? '' : `${date},\u00a0${new Date(iso ?? '').getUTCFullYear()}, ${time}`
}

/** `Nov 26, 10:15 UTC`, from an ISO 8601 time; null where it is none. Does not break within date or time. */
export function formatTime(iso: string | null): string | null {
  const time = iso === null ? Number.NaN : Date.parse(iso)
  if (Number.isNaN(time)) return null
  const [, day, month, hours] = /^\w+, (\d+) (\w+) \d+ (\d+:\d+)/.exec(new Date(time).toUTCString()) ?? []
  return `${month}\u00a0${Number(day)}, ${hours}\u00a0UTC`
}

/** The seven characters by which people know a commit. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7)
}

/** `1 file`, `3 files`, `1,240 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** Colours and cursor movements (ECMA-48 control sequences), and titles and links (OSC). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with the escape character
const TERMINAL = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g

/** The lines of an output as a terminal shows them: without colours, of a progress bar the last state. */
export function terminalLines(output: string): string[] {
  return output
    .replace(TERMINAL, '')
    .split(/\r?\n|[\u2028\u2029]/)
    .map(line => line.slice(line.lastIndexOf('\r') + 1).replaceAll('\t', '    '))
}

/** The end of a child's output; the lines before it are counted. */
export function lastLines(output: string, shown = LINES_SHOWN): string {
  const lines = output.trimEnd().split('\n')
  const left = lines.length - shown
  return left > 0 ? [`… ${plural(left, 'line')} before`, ...lines.slice(left)].join('\n') : output
}

function round(value: number): string {
  return value.toFixed(value < 99.95 ? 1 : 0).replace(/\.0$/, '')
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${restUnit}`
}
