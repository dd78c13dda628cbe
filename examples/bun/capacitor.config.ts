import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.bun',
  appName: 'Bun Example',
  webDir: 'dist'
};

export default config;
