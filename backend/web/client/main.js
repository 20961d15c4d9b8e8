// The start: language, theme, session, then the first screen.
import { App } from './components/app.js';
import { startTheme } from './core/appearance.js';
import { effect, html, render } from './core/html.js';
import { startLanguage, t } from './core/i18n.js';
import { startKeyboard } from './core/keyboard.js';
import { notify } from './core/notices.js';
import { startOffline } from './core/offline.js';
import { loadPerson } from './core/person.js';
import { sendQueue } from './core/queue.js';
import { place, startRouter } from './core/router.js';
import { resume, session } from './core/session.js';
import { ROUTES } from './routes.js';

const LATER_MS = 1500;
// Where most people go from the first screen.
const FREQUENT = ['/', '/library', '/search'];

startTheme();
startRouter();
startKeyboard();

async function sendWaiting() {
  const sent = await sendQueue();
  if (sent) notify(t('{n} waiting links were sent.', { n: sent }));
}

addEventListener('online', () => (session.peek().state === 'offline' ? resume() : sendWaiting()));

// A screen that cannot be loaded says so itself.
await Promise.all([startLanguage(), resume(), place.peek().route?.load().catch(() => null)]);
if (session.peek().state !== 'out') place.peek().route?.begin?.(place.peek().query);

let known = 0;
effect(() => {
  const { state, user } = session.value;
  if (state !== 'in') known = 0;
  if (state !== 'in' || known === user.id) return;
  known = user.id;
  loadPerson();
  sendWaiting();
});

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
root.replaceChildren();
render(html`<${App} />`, root);
// What comes next is fetched when the first screen has what it needs.
setTimeout(() => {
  startOffline();
  for (const path of FREQUENT) ROUTES.find((route) => route.pattern.test(path))?.load().catch(() => null);
}, LATER_MS);
