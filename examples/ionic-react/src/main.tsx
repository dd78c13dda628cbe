import React from 'react';
import { createRoot } from 'react-dom/client';
import { CapacitorUpdater } from '@capgo/capacitor-updater';
import App from './App';

createRoot(document.getElementById('root')!).render(
  <React.StrictMode>
    <App />
  </React.StrictMode>
);

// Tells the device that this bundle works; without it, the app goes back to the bundle before.
CapacitorUpdater.notifyAppReady();
