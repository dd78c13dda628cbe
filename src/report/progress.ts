/** How far something is, as lines in the log. */
import type { Deps } from '../context.ts'
import { formatBytes } from '../runtime/bytes.ts'

/** Seconds between two lines on a long upload. */
const INTERVAL = 5_000

/** Says in the log how far something is: by time, not by byte. Nothing is said where `say` returns null. */
export function progressReporter(
  log: Pick<Deps['log'], 'info'>,
  clock: () => number,
  say: (done: number, total: number) => string | null = sayUpload,
): (done: number, total: number) => void {
  let last = clock()
  return (done, total) => {
    if (done < total && clock() - last < INTERVAL) return
    last = clock()
    const message = say(done, total)
    if (message !== null) log.info(message)
  }
}

function sayUpload(sent: number, total: number): string {
  return sent === total
    ? `Uploaded the zip (${formatBytes(total)}).`
    : `Uploaded ${formatBytes(sent)} of the zip's ${formatBytes(total)} (${Math.floor((sent / total) * 100)}%).`
}
