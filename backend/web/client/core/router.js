// Addresses: one signal that says where we are; links and the back button change it, and lists keep their place.
import { address, screenPath } from './addresses.js';
import { signal } from './html.js';
import { ROUTES } from '../routes.js';

/**
 * @typedef {object} Place
 * @property {import('../routes.js').Route | null} route
 * @property {Record<string, string>} parameters of the path
 * @property {URLSearchParams} query
 * @property {string} path
 */

/** @type {Map<string, number>} where each entry of the history was scrolled to */
const scrolled = new Map();
let entry = history.state?.entry || String(Date.now());

/** @returns {Place} */
function placeOf() {
  const path = screenPath(new URL(location.href)) || '/';
  const query = new URLSearchParams(location.search);
  for (const route of ROUTES) {
    const found = route.pattern.exec(path);
    if (found) {
      const parameters = Object.fromEntries(route.names.map((name, at) => [name, found[at + 1]]));
      return { route, parameters, query, path };
    }
  }
  return { route: null, parameters: {}, query, path };
}

export const place = signal(placeOf());

/** Go to a screen. @param {string} path below the base path @param {{ replace?: boolean }} [options] */
export function go(path, { replace = false } = {}) {
  scrolled.set(entry, scrollY);
  if (!replace) entry = String(Date.now() + Math.random());
  history[replace ? 'replaceState' : 'pushState']({ entry }, '', address(path));
  place.value = placeOf();
  if (!replace) scrollTo(0, 0);
}

/** Change parameters of the present address; empty ones go. @param {Record<string, string | string[] | null>} changes */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of [value].flat()) if (one) query.append(name, one);
  }
  const text = query.toString();
  go(place.peek().path + (text ? `?${text}` : ''), { replace: true });
}

/** Where the present entry of the history was scrolled to. */
export const scrolledTo = () => scrolled.get(entry) || 0;

/** Follow links to screens without loading the page again. */
export function startRouter() {
  history.scrollRestoration = 'manual';
  history.replaceState({ entry }, '');
  addEventListener('popstate', (event) => {
    scrolled.set(entry, scrollY);
    entry = event.state?.entry || entry;
    place.value = placeOf();
  });
  document.addEventListener('click', follow);
}

/** @param {MouseEvent} event */
function follow(event) {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  const path = screenPath(url);
  if (path === null || !ROUTES.some((route) => route.pattern.test(path))) return;
  event.preventDefault();
  go(path + url.search);
}
