// Other tabs of this browser: what one of them does to the session or to data, the others hear.
const channel = 'BroadcastChannel' in window ? new BroadcastChannel('fuze') : null;

/** @param {{ kind: string, [name: string]: any }} message */
export const tell = (message) => channel?.postMessage(message);

/** @param {(message: any) => void} receive */
export function onMessage(receive) {
  channel?.addEventListener('message', (event) => receive(event.data));
}
