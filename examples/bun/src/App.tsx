import { Capacitor } from '@capacitor/core'
import { CapacitorUpdater } from '@capgo/capacitor-updater'
import { useEffect, useState } from 'react'

export function App() {
  const [bundle, setBundle] = useState('in the browser')

  useEffect(() => {
    if (Capacitor.isNativePlatform())
      CapacitorUpdater.current().then(({ bundle }) => setBundle(bundle.version))
  }, [])

  return (
    <main>
      <h1>Bun Example</h1>
      <p>Bundle: {bundle}</p>
    </main>
  )
}
