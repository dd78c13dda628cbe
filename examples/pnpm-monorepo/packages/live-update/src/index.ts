import { Capacitor } from '@capacitor/core'
import { CapacitorUpdater } from '@capgo/capacitor-updater'

/**
 * Tells the device that this bundle works; without it, the app goes back to the bundle before.
 * Returns the bundle's name.
 */
export async function startBundle(): Promise<string> {
  if (!Capacitor.isNativePlatform()) return 'in the browser'
  const { bundle } = await CapacitorUpdater.notifyAppReady()
  return bundle.version
}
