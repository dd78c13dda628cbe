import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.rider',
  appName: 'Rider',
  webDir: 'dist'
};

export default config;
