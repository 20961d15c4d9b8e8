// The whole page: navigation, the screen of the present address, notices.
import { html, useEffect, useLayoutEffect, useState } from '../core/html.js';
import { language, t } from '../core/i18n.js';
import { go, place } from '../core/router.js';
import { session } from '../core/session.js';
import { queue } from '../core/queue.js';
import { useKeys } from '../core/keyboard.js';
import { collectTyped } from '../core/typed-ahead.js';
import { BottomBar } from './bottom-bar.js';
import { Navigation } from './navigation.js';
import { NoticeList } from './notice-list.js';
import { Empty, Fault, Loading } from './states.js';

/** The view of a route's module; one that is loaded is shown at once. @param {import('../routes.js').Route | null} route */
function useScreen(route) {
  const [loaded, setLoaded] = useState({ route: /** @type {any} */ (null), error: /** @type {any} */ (null) });
  useLayoutEffect(() => {
    if (!route || route.view) return;
    route.load().then(
      () => setLoaded({ route, error: null }),
      (error) => setLoaded({ route, error }),
    );
  }, [route]);
  return { view: route?.view, error: loaded.route === route ? loaded.error : null };
}

/** Where to go instead: to log in, or on from there. @param {import('../core/router.js').Place} here */
function detour(here) {
  const { state } = session.value;
  if (state === 'out' && here.route?.who === 'person') {
    const next = here.path === '/' ? '' : `?next=${encodeURIComponent(here.path + location.search)}`;
    return `/login${next}`;
  }
  const isEntrance = here.path === '/login' || here.path === '/register';
  return state === 'in' && isEntrance ? here.query.get('next') || '/' : null;
}

/** A path of ours: an address that begins with two slashes is another host's. @param {string} path */
const isOurs = (path) => /^\/(?!\/)/.test(path);

export function App() {
  const here = place.value;
  const { state } = session.value;
  const target = detour(here);
  useEffect(() => {
    if (target) go(isOurs(target) ? target : '/', { replace: true });
  }, [target]);
  if (state === 'starting' || target) return html`<${Loading} />`;
  return state === 'out' ? html`<${Entrance} here=${here} />` : html`<${Workspace} here=${here} />`;
}

/** Screens of somebody who is not logged in. @param {{ here: import('../core/router.js').Place }} props */
function Entrance({ here }) {
  return html`
    <main class="entrance" id="main"><p class="brand">Fuze</p><${Shown} here=${here} /></main>
    <${NoticeList} />
  `;
}

/** @param {{ here: import('../core/router.js').Place }} props */
function Workspace({ here }) {
  useKeys({
    '/': () => focusSearch(),
    a: () => go('/add'),
    g: () => go('/'),
    '?': () => go('/help'),
  });
  return html`
    <button class="skip" onClick=${() => document.getElementById('main')?.focus()}>${t('Skip to content')}</button>
    <div class="workspace" data-language=${language.value}>
      <${Navigation} />
      <main id="main" tabindex="-1">
        <${Banner} />
        <${Shown} here=${here} key=${`${here.path} ${session.value.organizationId}`} />
      </main>
      <${BottomBar} />
    </div>
    <${NoticeList} />
  `;
}

function focusSearch() {
  const box = document.querySelector('input[type=search]');
  if (box instanceof HTMLElement) {
    box.focus();
    return;
  }
  collectTyped();
  go('/search');
}

function Banner() {
  const waiting = queue.value.length;
  const isOffline = session.value.state === 'offline';
  if (!isOffline && !waiting) return null;
  return html`<p class="banner" role="status">
    ${isOffline && t('No connection: what was loaded before can be read.')}
    ${waiting > 0 && t(' {n} saved links wait to be sent.', { n: waiting })}
  </p>`;
}

/** @param {{ here: import('../core/router.js').Place }} props */
function Shown({ here }) {
  const { view, error } = useScreen(here.route);
  if (!here.route) return html`<${Empty} icon="warning" title=${t('There is no such page.')}><a href="./">${t('Home')}</a><//>`;
  if (error) return html`<${Fault} error=${error} retry=${() => location.reload()} />`;
  return view ? html`<${view} parameters=${here.parameters} query=${here.query} />` : html`<${Loading} />`;
}
