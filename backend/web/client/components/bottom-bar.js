// Navigation of narrow screens: what is used most, and a menu of the rest.
import { html, useEffect, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { lazy } from '../core/lazy.js';
import { place } from '../core/router.js';
import { Icon } from './icon.js';
import { OrganizationSwitcher } from './organization-switcher.js';

const Dialog = lazy(() => import('./dialog.js').then((module) => module.Dialog));

/** @param {{ path: string, icon: string, label: string }} props */
function Tab({ path, icon, label }) {
  const isHere = place.value.path === `/${path}`;
  return html`<a class="tab" href=${path || './'} aria-current=${isHere ? 'page' : undefined}>
    <${Icon} name=${icon} /><span>${label}</span>
  </a>`;
}

const rest = () => [
  ['search', 'search', t('Search')],
  ['tasks', 'task', t('Tasks')],
  ['tags', 'tag', t('Tags')],
  ['trash', 'trash', t('Trash')],
  ['dashboard', 'chart', t('Dashboard')],
  ['transfer', 'transfer', t('Import, export')],
  ['settings', 'settings', t('Settings')],
  ['help', 'help', t('Help')],
];

export function BottomBar() {
  const [isOpen, setOpen] = useState(false);
  const path = place.value.path;
  useEffect(() => setOpen(false), [path]);
  return html`
    <nav class="bottom-bar" aria-label=${t('Main')}>
      <${Tab} path="" icon="home" label=${t('Home')} />
      <${Tab} path="library" icon="library" label=${t('Library')} />
      <${Tab} path="add" icon="plus" label=${t('Add')} />
      <${Tab} path="projects" icon="project" label=${t('Projects')} />
      <button class="tab" aria-haspopup="dialog" onClick=${() => setOpen(true)}><${Icon} name="more" /><span>${t('More')}</span></button>
    </nav>
    ${isOpen &&
    html`<${Dialog} title=${t('More')} close=${() => setOpen(false)}>
      <ul class="menu">
        ${rest().map(([target, icon, label]) => html`<li key=${target}><a class="nav-link" href=${target}><${Icon} name=${icon} /><span>${label}</span></a></li>`)}
      </ul>
      <${OrganizationSwitcher} />
    <//>`}
  `;
}
