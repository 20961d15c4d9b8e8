// The screens, their addresses and their modules. The server reads the addresses from this file too.

/**
 * @typedef {object} Route
 * @property {RegExp} pattern
 * @property {string[]} names of the parameters
 * @property {() => Promise<any>} load
 * @property {any} view once it is loaded
 * @property {((query: URLSearchParams) => void) | null} begin asks for what the view shows first; some screens have it
 * @property {'person' | 'anyone'} who
 */

/**
 * @param {string} path with parameters such as `:id`
 * @param {() => Promise<{ default: any }>} load
 * @param {'person' | 'anyone'} [who]
 * @returns {Route}
 */
function route(path, load, who = 'person') {
  const names = (path.match(/:[a-z_]+/g) || []).map((name) => name.slice(1));
  const pattern = new RegExp(`^${path.replace(/:[a-z_]+/g, '([A-Za-z0-9_-]{1,64})')}$`);
  /** @type {Route} */
  const made = { pattern, names, who, view: null, begin: null, load: async () => void Object.assign(made, viewOf(await load())) };
  return made;
}

/** @param {{ default: Function, begin?: (query: URLSearchParams) => void }} module of a screen */
const viewOf = (module) => ({ view: module.default, begin: module.begin || null });

export const ROUTES = [
  route('/', () => import('./screens/home.js')),
  route('/login', () => import('./screens/login.js'), 'anyone'),
  route('/register', () => import('./screens/register.js'), 'anyone'),
  route('/forgot-password', () => import('./screens/forgot-password.js'), 'anyone'),
  route('/reset-password', () => import('./screens/reset-password.js'), 'anyone'),
  route('/verify-email', () => import('./screens/verify-email.js'), 'anyone'),
  route('/accept-invitation', () => import('./screens/accept-invitation.js')),
  route('/library', () => import('./screens/library.js')),
  route('/search', () => import('./screens/search.js')),
  route('/add', () => import('./screens/add.js')),
  route('/bookmarks/:id', () => import('./screens/bookmark.js')),
  route('/bookmarks/:id/read', () => import('./screens/reader.js')),
  route('/trash', () => import('./screens/trash.js')),
  route('/tags', () => import('./screens/tags.js')),
  route('/projects', () => import('./screens/projects.js')),
  route('/projects/:id', () => import('./screens/project.js')),
  route('/tasks', () => import('./screens/tasks.js')),
  route('/tasks/:id', () => import('./screens/task.js')),
  route('/dashboard', () => import('./screens/dashboard.js')),
  route('/transfer', () => import('./screens/transfer.js')),
  route('/settings', () => import('./screens/settings.js')),
  route('/settings/:section', () => import('./screens/settings.js')),
  route('/admin', () => import('./screens/admin.js')),
  route('/help', () => import('./screens/help.js')),
];
