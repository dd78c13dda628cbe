/** How far something is, as lines in the log. */
import type { Deps } from '../context.ts'
import { formatBytes } from '../runtime/bytes.ts'

/** Seconds between two lines on a long upload. */
const INTERVAL = 5_000

/** Says in the log how far something is: by time, not by byte. */
export function progressReporter(
  log: Pick<Deps['log'], 'info'>,
  clock: () => number,
  say: (done: number, total: number) => string = sayUpload,
): (done: number, total: number) => void {
  let last = clock()
  return (done, total) => {
    if (done < total && clock() - last < INTERVAL) return
    last = clock()
    log.info(say(done, total))
  }
}

function sayUpload(sent: number, total: number): string {
  return `Uploaded ${formatBytes(sent)} of ${formatBytes(total)} (${Math.floor((sent / total) * 100)}%).`
}
