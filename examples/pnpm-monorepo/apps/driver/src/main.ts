import { startBundle } from '@acme/live-update'

document.querySelector('#bundle')!.textContent = await startBundle()
