import { defineBoot } from '#q-app';
import { CapacitorUpdater } from '@capgo/capacitor-updater';

// Tells the device that this bundle works; without it, the app goes back to the bundle before.
export default defineBoot(() => {
  if (import.meta.env.QUASAR_CAPACITOR_MODE) void CapacitorUpdater.notifyAppReady();
});
