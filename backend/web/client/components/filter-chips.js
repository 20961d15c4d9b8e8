// Filters of a list as chips; each is part of the address.
import { html } from '../core/html.js';
import { languageName, t } from '../core/i18n.js';
import { setQuery } from '../core/router.js';
import { toggleTag } from '../core/facets.js';
import { Icon } from './icon.js';

/** Views of the library by name: what the API is asked for. */
export const VIEWS = {
  all: {},
  unread: { is_read: false },
  favorites: { is_favorite: true, is_archived: 'any' },
  untagged: { untagged: true },
  failed: { capture_status: 'failed' },
  archive: { is_archived: true },
};

const VIEW_LABELS = () => ({
  all: t('All'),
  unread: t('Unread'),
  favorites: t('Favourites'),
  untagged: t('Untagged'),
  failed: t('Not readable'),
  archive: t('Archived'),
});

const SORTS = () => ({
  '-created_at': t('Newest first'),
  created_at: t('Oldest first'),
  '-updated_at': t('Changed last'),
  title: t('By title'),
});

/** @param {{ query: URLSearchParams }} props */
export function FilterChips({ query }) {
  const view = query.get('view') || 'all';
  const chosen = ['domain', 'project_id', 'year', 'language'].filter((name) => query.get(name));
  return html`
    <div class="bar">
      <div class="chips" role="group" aria-label=${t('Filters')}>
        ${Object.entries(VIEW_LABELS()).map(([name, label]) => html`
          <button key=${name} class="chip" aria-pressed=${view === name ? 'true' : 'false'} onClick=${() => setQuery({ view: name === 'all' ? null : name })}>${label}</button>`)}
        ${query.getAll('tag').map((tag) => html`<${Chosen} key=${tag} label=${`#${tag}`} remove=${() => toggleTag(query, tag)} />`)}
        ${chosen.map((name) => html`<${Chosen} key=${name} label=${labelOf(name, query.get(name) || '')} remove=${() => setQuery({ [name]: null })} />`)}
      </div>
      <label class="sort"><span class="visually-hidden">${t('Order')}</span>
        <select value=${query.get('sort') || '-created_at'} onChange=${(event) => setQuery({ sort: event.target.value })}>
          ${Object.entries(SORTS()).map(([name, label]) => html`<option key=${name} value=${name} selected=${name === (query.get('sort') || '-created_at')}>${label}</option>`)}
        </select>
      </label>
    </div>
  `;
}

/** @param {{ label: string, remove: () => void }} props */
function Chosen({ label, remove }) {
  return html`<button class="chip" aria-pressed="true" aria-label=${t('Remove filter {filter}', { filter: label })} onClick=${remove}><span class="chip-text" dir="auto">${label}</span><${Icon} name="close" /></button>`;
}

/** @param {string} name @param {string} value */
const labelOf = (name, value) => (name === 'language' ? languageName(value) : value);
