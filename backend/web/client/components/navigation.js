// The way to the screens: a column on wide screens, a bar at the bottom of narrow ones.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { place } from '../core/router.js';
import { session } from '../core/session.js';
import { Icon } from './icon.js';
import { OrganizationSwitcher } from './organization-switcher.js';

/** @typedef {{ path: string, icon: string, label: string }} Target */

/** @returns {Target[]} */
const mainTargets = () => [
  { path: '', icon: 'home', label: t('Home') },
  { path: 'library', icon: 'library', label: t('Library') },
  { path: 'search', icon: 'search', label: t('Search') },
  { path: 'projects', icon: 'project', label: t('Projects') },
  { path: 'tasks', icon: 'task', label: t('Tasks') },
];

/** @returns {Target[]} */
const moreTargets = () => [
  { path: 'tags', icon: 'tag', label: t('Tags') },
  { path: 'trash', icon: 'trash', label: t('Trash') },
  { path: 'dashboard', icon: 'chart', label: t('Dashboard') },
  { path: 'transfer', icon: 'transfer', label: t('Import, export') },
  { path: 'settings', icon: 'settings', label: t('Settings') },
  ...(session.value.user?.role === 'admin' ? [{ path: 'admin', icon: 'admin', label: t('Administration') }] : []),
  { path: 'help', icon: 'help', label: t('Help') },
];

/** @param {{ target: Target }} props */
function NavigationLink({ target }) {
  const path = place.value.path;
  const isHere = path === `/${target.path}` || (target.path !== '' && path.startsWith(`/${target.path}/`));
  return html`
    <li><a class="nav-link" href=${target.path || './'} aria-current=${isHere ? 'page' : undefined}>
      <${Icon} name=${target.icon} /><span>${target.label}</span>
    </a></li>
  `;
}

export function Navigation() {
  return html`
    <nav class="sidebar" aria-label=${t('Main')}>
      <a class="brand" href="./" aria-label="Fuze">Fuze</a>
      <a class="button primary add-link" href="add"><${Icon} name="plus" />${t('Add a link')}</a>
      <ul>${mainTargets().map((target) => html`<${NavigationLink} key=${target.path} target=${target} />`)}</ul>
      <ul class="nav-more">${moreTargets().map((target) => html`<${NavigationLink} key=${target.path} target=${target} />`)}</ul>
      <${OrganizationSwitcher} />
    </nav>
  `;
}
