import { defineConfig } from 'vite'

export default defineConfig({
  // A bundle is opened from a folder of the device, not from a server's root.
  base: './',
  build: { target: 'es2022', modulePreload: { polyfill: false } },
})
