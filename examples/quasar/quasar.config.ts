import { defineConfig } from '#q-app';

export default defineConfig(() => {
  return {
    boot: ['live-update'],
    css: ['app.scss'],
    extras: ['roboto-font', 'material-icons'],
    build: {
      typescript: {
        strict: true,
        vueShim: true
      },
      vueRouterMode: 'hash'
    },
    framework: {
      config: {},
      plugins: []
    },
    capacitor: {
      hideSplashscreen: true
    }
  };
});
