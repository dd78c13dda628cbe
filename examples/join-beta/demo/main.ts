/** A plain page with the component, as an app has it. */
import { CapacitorUpdater } from '@capgo/capacitor-updater'
import '../src/join-beta'

for (const element of document.querySelectorAll('join-beta')) element.plugin = CapacitorUpdater
