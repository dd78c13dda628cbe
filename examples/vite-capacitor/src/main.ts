import { Capacitor } from '@capacitor/core'
import { CapacitorUpdater } from '@capgo/capacitor-updater'
import { version } from '../package.json'
import { news } from './news.ts'

function show(id: string, text: string): void {
  const element = document.getElementById(id)
  if (element !== null) element.textContent = text
}

function showTime(): void {
  show(
    'clock',
    new Intl.DateTimeFormat(undefined, { weekday: 'long', hour: '2-digit', minute: '2-digit' }).format(),
  )
}

show('headline', news.headline)
show('text', news.text)
show('release', version)
showTime()
setInterval(showTime, 1000)

// Tells the device that this bundle works. Without it, the app goes back to the bundle before after ten seconds.
await CapacitorUpdater.notifyAppReady()

if (Capacitor.isNativePlatform()) {
  const { bundle, native } = await CapacitorUpdater.current()
  show('bundle', bundle.version === 'builtin' ? 'built in' : bundle.version)
  show('native', native)
}
