import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.ionicvue',
  appName: 'ionic-vue',
  webDir: 'dist'
};

export default config;
