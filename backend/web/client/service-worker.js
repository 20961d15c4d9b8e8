// Without a connection: the shell, its files and the answers that were loaded last. VERSION, BASE and STORED come from
// the server.
/* global VERSION, BASE, STORED */
const FILES = `fuze-files-${VERSION}`;
const ANSWERS = 'fuze-answers';
const MOST_ANSWERS = 300;
// Old answers are looked for once in so many: that takes longer than storing one.
const PRUNED_EVERY = 50;
// An answer to a search is stored when no other has followed for so long: whoever types asks with each letter.
const SETTLED_MS = 1000;
let stored = 0;
let settling = 0;
// What may be read without a connection. Nothing of tokens, sessions or administration.
const READABLE = /^\/api\/v1\/(bookmarks|projects|tasks|tags|search|profile|organizations|recommendations)(\/\d+(\/(content|bookmarks))?)?$/;

// Without waiting until this worker has started, where browsers can: files come from the cache, and a page from the
// network, unless that fails.
const ROUTES = [
  { condition: { urlPattern: { pathname: `${BASE}/assets/*` } }, source: { cacheName: FILES } },
  { condition: { requestMode: 'navigate', urlPattern: { pathname: `${BASE}/api/*` } }, source: 'network' },
  { condition: { requestMode: 'navigate', urlPattern: { pathname: `${BASE}/save` } }, source: 'network' },
  { condition: { requestMode: 'navigate' }, source: 'race-network-and-fetch-handler' },
];

self.addEventListener('install', (event) => {
  // A browser that knows other routes than these does without.
  event.waitUntil(event.addRoutes?.(ROUTES).catch((error) => console.info('No routes:', error)));
  event.waitUntil(storeFiles().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOldFiles().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || !url.pathname.startsWith(`${BASE}/`)) return;
  const path = url.pathname.slice(BASE.length);
  if (request.mode === 'navigate') event.respondWith(path.startsWith('/api/') || path === '/save' ? fetch(request) : shell(request));
  else if (path.startsWith('/assets/')) event.respondWith(file(request));
  else if (READABLE.test(path)) event.respondWith(answer(request, url));
});

async function storeFiles() {
  const cache = await caches.open(FILES);
  await cache.addAll([`${BASE}/`, ...STORED]);
}

async function dropOldFiles() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('fuze-files-') && name !== FILES).map((name) => caches.delete(name)));
}

async function shell(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(`${BASE}/`)) || Response.error();
  }
}

async function file(request) {
  return (await caches.match(request)) || fetch(request);
}

// Each organization has answers of its own.
async function answer(request, url) {
  const key = `${url.href}#${request.headers.get('X-Organization-ID') || ''}`.replace('#', url.search ? '&organization=' : '?organization=');
  const cache = await caches.open(ANSWERS);
  try {
    const response = await fetch(request);
    if (response.ok) storeLater(url.pathname.endsWith('/search') ? SETTLED_MS : 0, cache, key, response.clone());
    return response;
  } catch {
    return (await cache.match(key)) || Response.error();
  }
}

function storeLater(delay, cache, key, response) {
  if (delay) clearTimeout(settling);
  const timer = setTimeout(() => store(cache, key, response), delay);
  if (delay) settling = timer;
}

async function store(cache, key, response) {
  await cache.put(key, response);
  stored += 1;
  if (stored % PRUNED_EVERY !== 1) return;
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_ANSWERS)).map((old) => cache.delete(old)));
}
