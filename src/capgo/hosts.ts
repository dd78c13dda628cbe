/** Capgo's cloud (public documentation). */
export const CLOUD = {
  api: 'https://api.capgo.app',
  files: 'https://files.capgo.app',
  console: 'https://console.capgo.app',
  plugin: 'https://plugin.capgo.app',
} as const

/** Whether a host is this machine: the only one to which a key may travel without https. */
export function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
