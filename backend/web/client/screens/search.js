// Search as you type, in three modes, with what was found marked.
import { html, useLayoutEffect, useMemo, useRef, useState } from '../core/html.js';
import { BookmarkRows } from '../components/bookmark-rows.js';
import { areFacetsOpen, Facets } from '../components/facets.js';
import { SearchBox } from '../components/search-box.js';
import { SearchSyntax } from '../components/search-syntax.js';
import { Screen } from '../components/screen.js';
import { Empty } from '../components/states.js';
import { bookmarkList } from '../core/bookmark-list.js';
import { operatorOf } from '../core/facets.js';
import { t, tn } from '../core/i18n.js';
import { useDelayed } from '../core/loading.js';
import { setQuery } from '../core/router.js';
import { countSearch, typingDelay } from '../core/typing-pace.js';

const FACETS = 'tags,domain,state,year,language';
const MODES = () => ({ hybrid: t('Words and meaning'), text: t('Words'), semantic: t('Meaning') });

export default function Search({ query }) {
  const q = (query.get('q') || '').trim();
  const mode = query.get('mode') || 'hybrid';
  const later = useDelayed((value) => setQuery({ q: value.trim() }), typingDelay);
  return html`
    <${Screen} title=${t('Search')}>
      <${SearchBox} value=${query.get('q') || ''} type=${later} submit=${(value) => setQuery({ q: value.trim() })} focused />
      <div class="bar"><div class="chips" role="group" aria-label=${t('Find by')}>
        ${Object.entries(MODES()).map(([name, label]) => html`
          <button key=${name} class="chip" aria-pressed=${mode === name ? 'true' : 'false'} onClick=${() => setQuery({ mode: name === 'hybrid' ? null : name })}>${label}</button>`)}
      </div></div>
      ${q ? html`<${Results} q=${q} mode=${mode} />` : html`<${SearchSyntax} />`}
    <//>
  `;
}

/** @param {{ q: string, mode: string }} props */
function Results({ q, mode }) {
  const [isOpen, setOpen] = useState(areFacetsOpen());
  const facets = isOpen ? FACETS : undefined;
  const list = useMemo(() => bookmarkList('search', { q, mode, is_archived: 'any', facets }), [q, mode, facets]);
  // While the next results come, the last ones stay.
  const shown = useRef(list);
  if (list.state.value.total !== null || list.state.value.error) shown.current = list;
  useLayoutEffect(() => {
    if (list.state.peek().total === null) countSearch();
    list.begin();
  }, [list]);
  const { total, more } = shown.current.state.value;
  return html`
    <p class="muted" role="status">
      ${total === null ? ' ' : tn('{n} link found', '{n} links found', total)}
      ${more?.degraded ? ` · ${t('found by words alone for now')}` : ''}
    </p>
    <${Expansions} expanded=${more?.expanded || []} />
    <${Facets} facets=${more?.facets || null} total=${total} isOpen=${isOpen} toggle=${setOpen} choose=${(facet, value) => setQuery({ q: `${q} ${operatorOf(facet, value)}` })} />
    <${BookmarkRows} list=${shown.current} empty=${html`<${Empty} icon="search" title=${t('Nothing found.')}><p>${t('Try fewer or other words, or find by meaning.')}</p><//>`} />
  `;
}

/** @param {{ expanded: any[] }} props */
function Expansions({ expanded }) {
  if (!expanded.length) return null;
  return html`<p class="muted">${t('Also searched for:')} ${expanded.map((one) => `${one.word} → ${one.to.join(', ')}`).join(' · ')}</p>`;
}
