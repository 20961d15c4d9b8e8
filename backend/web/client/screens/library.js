// The library: all links, by filters.
import { html, useEffect, useMemo } from '../core/html.js';
import { BookmarkRows } from '../components/bookmark-rows.js';
import { FilterChips, VIEWS } from '../components/filter-chips.js';
import { Icon } from '../components/icon.js';
import { Screen } from '../components/screen.js';
import { Empty } from '../components/states.js';
import { bookmarkList } from '../core/bookmark-list.js';
import { t, tn } from '../core/i18n.js';
import { go } from '../core/router.js';
import { onBookmarksChanged } from '../core/bookmark-events.js';
import { SearchBox } from '../components/search-box.js';

/** What the API is asked for. @param {URLSearchParams} query */
function filtersOf(query) {
  const [tag, domain, project, sort] = ['tag', 'domain', 'project_id', 'sort'].map((name) => query.get(name) || undefined);
  return { ...VIEWS[query.get('view') || 'all'], tag, domain, project_id: project, sort };
}

export default function Library({ query }) {
  const key = query.toString();
  const list = useMemo(() => bookmarkList('bookmarks', filtersOf(query)), [key]);
  useEffect(() => onBookmarksChanged(() => list.refresh()), [list]);
  const { total } = list.state.value;
  const count = total === null ? '' : tn('{n} link', '{n} links', total);
  const search = (q) => q.trim() && go(`/search?q=${encodeURIComponent(q.trim())}`);
  return html`
    <${Screen} title=${t('Library')} actions=${html`<span class="muted" role="status">${count}</span>
      <a class="button" href="add"><${Icon} name="plus" />${t('Add')}</a>`}>
      <${SearchBox} value="" type=${() => {}} submit=${search} />
      <${FilterChips} query=${query} />
      <${BookmarkRows} list=${list} isTrash=${query.get('view') === 'trash'} empty=${html`<${Nothing} isFiltered=${key !== ''} />`} />
    <//>
  `;
}

/** @param {{ isFiltered: boolean }} props */
function Nothing({ isFiltered }) {
  if (isFiltered) return html`<${Empty} title=${t('No link fits these filters.')}><a href="library">${t('Show all')}</a><//>`;
  return html`
    <${Empty} title=${t('Nothing saved yet.')}>
      <p>${t('Save a link: Fuze reads the page, and from then on you find it by every word in it.')}</p>
      <a class="button primary" href="add">${t('Add a link')}</a>
      <a href="transfer">${t('Or import what you have elsewhere')}</a>
    <//>`;
}
