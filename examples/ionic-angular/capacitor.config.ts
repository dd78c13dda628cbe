import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'com.example.ionicangular',
  appName: 'ionic-angular',
  webDir: 'www'
};

export default config;
