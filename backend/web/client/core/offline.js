// The service worker, which has the shell and the last lists without a connection.
import { address } from './addresses.js';
import { workerAddress } from './trusted.js';

const ANSWERS = 'fuze-answers';

addEventListener('fuze-forget', () => void globalThis.caches?.delete(ANSWERS));

/** Register it, where browsers have them: under HTTPS and on localhost. */
export async function startOffline() {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(workerAddress(address('service-worker.js')));
  } catch (error) {
    console.info('No offline mode:', error);
  }
}
