/** How a device id is shown. */

/** The beginning of a device id, never all of it: enough to find a device, not enough to speak for one. */
export function shortDevice(id: string): string {
  return `${id.slice(0, Math.min(8, Math.floor(id.length / 2)))}…`
}
