// How many links of a list have each tag, site, year, language or state; each value narrows the list.
import { html } from '../core/html.js';
import { languageName, number, t } from '../core/i18n.js';

const NAMES = () => ({ tags: t('Tags'), domain: t('Sites'), state: t('State'), year: t('Year'), language: t('Language') });
const STATES = () => ({
  unread: t('Unread'),
  read: t('Read already'),
  favorite: t('Favourite'),
  archived: t('Archived'),
  untagged: t('Untagged'),
  broken: t('Not readable'),
});
const STORED = 'fuze.facets';
const MOST = 12;

/** Whether the facets were open when they were last seen. */
export const areFacetsOpen = () => localStorage.getItem(STORED) === 'open';

/**
 * `facets` is null until they are loaded; `chosen` says which values the list is narrowed to.
 * @param {{ facets: Record<string, import('../core/facets.js').Count[] | null> | null, total: number | null, isOpen: boolean, toggle: (isOpen: boolean) => void,
 *   chosen?: (facet: string, value: string) => boolean, choose: (facet: string, value: string) => void }} props
 */
export function Facets({ facets, total, isOpen, toggle, chosen = () => false, choose }) {
  function remember(event) {
    localStorage.setItem(STORED, event.target.open ? 'open' : '');
    toggle(event.target.open);
  }
  // What all links have narrows nothing down.
  const narrows = (facet, { value, count }) => count !== total || chosen(facet, value);
  const shown = Object.entries(NAMES()).filter(([facet]) => facets?.[facet]?.some((one) => narrows(facet, one)));
  return html`
    <details class="facets" open=${isOpen} onToggle=${remember}><summary>${t('Narrow down')}</summary>
      ${shown.map(([facet, name]) => html`<div key=${facet} class="facet" role="group" aria-label=${name}>
        <span class="facet-name">${name}</span>
        <div class="chips">${facets?.[facet]?.slice(0, MOST).map(({ value, count }) => html`
          <button key=${value} class="chip" aria-pressed=${chosen(facet, value) ? 'true' : 'false'} onClick=${() => choose(facet, value)}>
            <span class="chip-text" dir="auto">${labelOf(facet, value)}</span> <span class="chip-count">${number(count)}</span></button>`)}</div>
      </div>`)}
      ${isOpen && facets && !shown.length && html`<p class="muted">${t('There is nothing to narrow down.')}</p>`}
    </details>
  `;
}

/** @param {string} facet @param {string} value */
function labelOf(facet, value) {
  if (facet === 'state') return STATES()[value] || value;
  if (facet === 'language') return languageName(value);
  return facet === 'tags' ? `#${value}` : value;
}
