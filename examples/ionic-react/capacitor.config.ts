import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.ionicreact',
  appName: 'ionic-react',
  webDir: 'dist'
};

export default config;
