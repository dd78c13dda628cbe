import { Component } from '@angular/core';
import { CapacitorUpdater } from '@capgo/capacitor-updater';
import { IonApp, IonRouterOutlet } from '@ionic/angular';

@Component({
  selector: 'app-root',
  templateUrl: 'app.component.html',
  imports: [IonApp, IonRouterOutlet],
})
export class AppComponent {
  constructor() {
    // Tells the device that this bundle works; without it, the app goes back to the bundle before.
    CapacitorUpdater.notifyAppReady();
  }
}
