import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.nx',
  appName: 'Nx Example',
  webDir: 'dist',
};

export default config;
