// A list of bookmarks of any length: rows in sight are drawn, pages are loaded as they come near, keys move and act.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/html.js';
import { act as actOn } from '../core/bookmark-actions.js';
import { language, t } from '../core/i18n.js';
import { useInterval } from '../core/loading.js';
import { go, scrolledTo } from '../core/router.js';
import { session } from '../core/session.js';
import { useKeys } from '../core/keyboard.js';
import { lazy } from '../core/lazy.js';
import { useWindowRange } from '../core/window-range.js';
import { get } from '../core/api.js';
import { webAddress } from '../core/addresses.js';
import { BookmarkRow } from './bookmark-row.js';
import { Fault, Loading } from './states.js';

// Pages are loaded so many rows before they are needed; the first, short one nearly to its end.
const AHEAD = 40;
const AHEAD_SHARE = 0.3;
const LIVE_MS = 2500;
const MOST_LIVE = 20;
const SelectionBar = lazy(() => import('./selection-bar.js').then((module) => module.SelectionBar));

/** @param {{ list: import('../core/bookmark-list.js').BookmarkList, empty: any, isTrash?: boolean }} props */
export function BookmarkRows({ list, empty, isTrash = false }) {
  const { items, total, isLoading, error } = list.state.value;
  const container = useRef(/** @type {any} */ (null));
  const [chosen, setChosen] = useState(/** @type {Set<number>} */ (new Set()));
  const { from, to, height } = useWindowRange(container, items.length);

  // Asked for at once: an effect would wait for the next frame.
  useLayoutEffect(() => void list.begin(), [list]);
  useEffect(() => {
    if (items.length && to + Math.min(AHEAD, items.length * AHEAD_SHARE) > items.length) list.loadMore();
  }, [to, items.length, list]);
  useLayoutEffect(() => {
    if (items.length) scrollTo(0, scrolledTo());
  }, [list, items.length > 0]);
  useCaptureStates(list, items.slice(from, to));

  const rowOf = useUnchangedRows();
  const act = (ids, action, more) => actOn(list, ids, action, more);
  const choose = (id) => setChosen((before) => toggled(before, id));
  useListKeys(container, items, { act, choose, height });

  if (error && !items.length) return html`<${Fault} error=${error} retry=${() => list.refresh()} />`;
  if (!items.length) return isLoading || total === null ? html`<${Loading} />` : empty;
  const isFound = items[0].found?.highlights?.snippet !== undefined;
  return html`
    <ul ref=${container} class=${`rows ${isFound ? 'rows-found' : ''}`} aria-label=${t('Links')} style=${{ height: `${items.length * height}px` }}>
      ${items.slice(from, to).map((item, offset) => rowOf({ item, at: from + offset, total, height, isChosen: chosen.has(item.id), list }, { choose, act }))}
    </ul>
    ${error && html`<${Fault} error=${error} retry=${() => list.loadMore()} />`}
    ${chosen.size > 0 && html`<${SelectionBar} ids=${[...chosen]} isTrash=${isTrash} act=${act} clear=${() => setChosen(new Set())} refresh=${() => list.refresh()} />`}
  `;
}

/** A function that draws a row, or returns it as it was drawn: Preact skips what is the same. */
function useUnchangedRows() {
  const before = useRef(/** @type {Map<number, { shown: any[], row: any }>} */ (new Map()));
  const now = new Map();
  const last = before.current;
  before.current = now;
  return (/** @type {any} */ props, /** @type {any} */ actions) => {
    const shown = [...Object.values(props), language.value, session.value.profile];
    const known = last.get(props.item.id);
    const isSame = known && known.shown.every((value, at) => value === shown[at]);
    const entry = isSame ? known : { shown, row: html`<${BookmarkRow} key=${props.item.id} ...${props} ...${actions} />` };
    now.set(props.item.id, entry);
    return entry.row;
  };
}

/** @param {Set<number>} chosen @param {number} id */
function toggled(chosen, id) {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Ask again for rows in sight whose page is being read. @param {any} list @param {any[]} visible */
function useCaptureStates(list, visible) {
  const pending = visible.filter((item) => item.capture.status === 'pending' && !item.deleted_at).slice(0, MOST_LIVE);
  const isFresh = pending.some((item) => Date.now() - new Date(item.created_at).getTime() < 600_000);
  useInterval(async () => {
    const page = await get('bookmarks', { page_size: 50, sort: '-updated_at', is_archived: 'any' }).catch(() => null);
    const changed = new Map((page?.items || []).map((item) => [item.id, item]));
    const isStale = pending.some((item) => changed.get(item.id)?.updated_at !== undefined && changed.get(item.id).updated_at !== item.updated_at);
    if (isStale) list.change((item) => (changed.has(item.id) ? { ...item, ...changed.get(item.id) } : item));
  }, LIVE_MS, isFresh);
}

/** @param {{ current: any }} container @param {any[]} items @param {any} doing */
function useListKeys(container, items, { act, choose, height }) {
  const here = () => Number(document.activeElement?.closest?.('[data-at]')?.getAttribute('data-at') ?? -1);
  const move = (step) => focusRow(container.current, Math.max(0, Math.min(items.length - 1, here() + step)), height);
  const on = (work) => () => items[here()] && work(items[here()]);
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: on((item) => choose(item.id)),
    o: on((item) => webAddress(item.url) && open(item.url, '_blank', 'noopener,noreferrer')),
    r: on((item) => go(`/bookmarks/${item.id}/read`)),
    e: on((item) => act([item.id], item.is_archived ? 'unarchive' : 'archive')),
    s: on((item) => act([item.id], item.is_favorite ? 'unfavorite' : 'favorite')),
    m: on((item) => act([item.id], item.is_read ? 'unread' : 'read')),
    '#': on((item) => act([item.id], item.deleted_at ? 'restore' : 'delete')),
  });
}

/** @param {HTMLElement | null} container @param {number} at @param {number} height */
function focusRow(container, at, height) {
  if (!container) return;
  const top = container.getBoundingClientRect().top + at * height;
  if (top < 80 || top + height > innerHeight - 80) scrollBy(0, top - innerHeight / 2);
  const focus = () => /** @type {HTMLElement | null} */ (container.querySelector(`[data-at="${at}"] .row-title`))?.focus();
  // The row is drawn after the page has scrolled.
  requestAnimationFrame(() => requestAnimationFrame(focus));
}
