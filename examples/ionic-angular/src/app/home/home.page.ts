import { Component, OnInit, signal } from '@angular/core';
import { Capacitor } from '@capacitor/core';
import { CapacitorUpdater } from '@capgo/capacitor-updater';
import { IonContent, IonHeader, IonItem, IonLabel, IonList, IonNote, IonTitle, IonToolbar } from '@ionic/angular';
import { environment } from '../../environments/environment';

@Component({
  selector: 'app-home',
  templateUrl: 'home.page.html',
  imports: [IonContent, IonHeader, IonItem, IonLabel, IonList, IonNote, IonTitle, IonToolbar],
})
export class HomePage implements OnInit {
  readonly bundle = signal('in the browser');
  readonly build = environment.production ? 'production' : 'development';

  async ngOnInit() {
    if (Capacitor.isNativePlatform()) this.bundle.set((await CapacitorUpdater.current()).bundle.version);
  }
}
