import { createApp } from 'vue'
import { IonicVue } from '@ionic/vue'
import { CapacitorUpdater } from '@capgo/capacitor-updater'
import App from './App.vue'
import router from './router'

import '@ionic/vue/css/core.css'
import '@ionic/vue/css/normalize.css'
import '@ionic/vue/css/structure.css'
import '@ionic/vue/css/typography.css'
import '@ionic/vue/css/padding.css'
import '@ionic/vue/css/palettes/dark.system.css'
import './theme/variables.css'

const app = createApp(App).use(IonicVue).use(router)

router.isReady().then(() => {
  app.mount('#app')

  // Tells the device that this bundle works; without it, the app goes back to the bundle before.
  CapacitorUpdater.notifyAppReady()
})
