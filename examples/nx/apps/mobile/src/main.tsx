import { StrictMode } from 'react';
import * as ReactDOM from 'react-dom/client';
import { startBundle } from '@acme/live-update';
import App from './app/app';

const root = ReactDOM.createRoot(document.getElementById('root') as HTMLElement);

startBundle().then((bundle) =>
  root.render(
    <StrictMode>
      <App bundle={bundle} />
    </StrictMode>
  )
);
