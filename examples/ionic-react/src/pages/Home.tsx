import { useEffect, useState } from 'react';
import { Capacitor } from '@capacitor/core';
import { CapacitorUpdater } from '@capgo/capacitor-updater';
import { IonContent, IonHeader, IonItem, IonLabel, IonList, IonNote, IonPage, IonTitle, IonToolbar } from '@ionic/react';

const Home: React.FC = () => {
  const [bundle, setBundle] = useState('in the browser');

  useEffect(() => {
    if (Capacitor.isNativePlatform()) CapacitorUpdater.current().then(({ bundle }) => setBundle(bundle.version));
  }, []);

  return (
    <IonPage>
      <IonHeader>
        <IonToolbar>
          <IonTitle>Ionic React</IonTitle>
        </IonToolbar>
      </IonHeader>
      <IonContent fullscreen>
        <IonList inset>
          <IonItem>
            <IonLabel>Bundle</IonLabel>
            <IonNote slot="end">{bundle}</IonNote>
          </IonItem>
        </IonList>
      </IonContent>
    </IonPage>
  );
};

export default Home;
