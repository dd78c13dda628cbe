import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.driver',
  appName: 'Driver',
  webDir: 'dist'
};

export default config;
