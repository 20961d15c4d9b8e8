// The library: all links, by filters.
import { html, useEffect, useMemo, useState } from '../core/html.js';
import { BookmarkRows } from '../components/bookmark-rows.js';
import { areFacetsOpen, Facets } from '../components/facets.js';
import { FilterChips, VIEWS } from '../components/filter-chips.js';
import { Icon } from '../components/icon.js';
import { Screen } from '../components/screen.js';
import { Empty } from '../components/states.js';
import { get } from '../core/api.js';
import { bookmarkList } from '../core/bookmark-list.js';
import { operatorOf, toggleTag, yearFilter } from '../core/facets.js';
import { t, tn } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { go, setQuery } from '../core/router.js';
import { onBookmarksChanged } from '../core/bookmark-events.js';
import { SearchBox } from '../components/search-box.js';

// Views that a state of the facets leads to.
const VIEW_OF_STATE = { unread: 'unread', favorite: 'favorites', untagged: 'untagged', broken: 'failed' };

/** What the API is asked for, but for the order. @param {URLSearchParams} query */
function filtersOf(query) {
  const [domain, project] = ['domain', 'project_id'].map((name) => query.get(name) || undefined);
  const [tags, spoken] = [query.getAll('tag'), query.get('language')];
  const view = VIEWS[query.get('view') || 'all'];
  // Of languages only the query language knows.
  const q = spoken ? operatorOf('language', spoken) : undefined;
  return { ...view, q, tag: tags.length ? tags : undefined, domain, project_id: project, ...yearFilter(query.get('year')) };
}

export default function Library({ query }) {
  const key = query.toString();
  const list = useMemo(() => bookmarkList('bookmarks', { ...filtersOf(query), sort: query.get('sort') || undefined }), [key]);
  useEffect(() => onBookmarksChanged(() => list.refresh()), [list]);
  const { total } = list.state.value;
  const count = total === null ? '' : tn('{n} link', '{n} links', total);
  const search = (q) => q.trim() && go(`/search?q=${encodeURIComponent(q.trim())}`);
  return html`
    <${Screen} title=${t('Library')} actions=${html`<span class="muted" role="status">${count}</span>
      <a class="button" href="add"><${Icon} name="plus" />${t('Add')}</a>`}>
      <${SearchBox} value="" type=${() => {}} submit=${search} />
      <${FilterChips} query=${query} />
      <${LibraryFacets} query=${query} total=${total} />
      <${BookmarkRows} list=${list} empty=${html`<${Nothing} isFiltered=${key !== ''} />`} />
    <//>
  `;
}

/** Facets of the list, loaded once they are open: the rows come first. @param {{ query: URLSearchParams, total: number | null }} props */
function LibraryFacets({ query, total }) {
  const [isOpen, setOpen] = useState(areFacetsOpen());
  const filters = filtersOf(query);
  const isReady = isOpen && total !== null;
  const loaded = useLoaded(async (signal) => (isReady ? (await get('bookmarks/facets', filters, signal)).facets : null), [isReady, total, JSON.stringify(filters)]);
  const chosen = (facet, value) => {
    if (facet === 'tags') return query.getAll('tag').some((one) => one.toLowerCase() === value.toLowerCase());
    return facet === 'state' ? query.get('view') === VIEW_OF_STATE[value] : query.get(facet) === value;
  };
  const choose = (facet, value) => {
    if (facet === 'tags') toggleTag(query, value);
    else if (facet === 'state') setQuery({ view: query.get('view') === VIEW_OF_STATE[value] ? null : VIEW_OF_STATE[value] });
    else setQuery({ [facet]: query.get(facet) === value ? null : value });
  };
  return html`<${Facets} facets=${usable(loaded.data)} total=${total} isOpen=${isOpen} toggle=${setOpen} chosen=${chosen} choose=${choose} />`;
}

/** What lists can be narrowed by: of states, those that have a view. @param {any} facets */
function usable(facets) {
  return facets && { ...facets, state: facets.state.filter(({ value }) => VIEW_OF_STATE[value]) };
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
