import type { Deps } from '../deps.ts'
import { formatBytes } from './format.ts'

/** Seconds between two lines on a long upload. */
const INTERVAL = 5_000

/** Says in the log how far an upload is: by time, not by byte. */
export function progressReporter(
  log: Pick<Deps['log'], 'info'>,
  clock: () => number,
): (sent: number, total: number) => void {
  let last = clock()
  return (sent, total) => {
    if (sent < total && clock() - last < INTERVAL) return
    last = clock()
    log.info(`Uploaded ${formatBytes(sent)} of ${formatBytes(total)} (${Math.floor((sent / total) * 100)}%).`)
  }
}
