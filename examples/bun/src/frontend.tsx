import { CapacitorUpdater } from '@capgo/capacitor-updater'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'

createRoot(document.getElementById('root')!).render(<App />)

// Tells the device that this bundle works; without it, the app goes back to the bundle before.
CapacitorUpdater.notifyAppReady()
