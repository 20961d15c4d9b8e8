// Lists of bookmarks by cursor. They stay in memory by their query, so that going back finds them as they were.
import { signal } from './html.js';
import { get } from './api.js';
import { session } from './session.js';

// The first page is what is in sight: it comes sooner, and most searches need no other.
const FIRST_PAGE = 30;
const PAGE = 100;
const STORED_LISTS = 12;
const RETRY_MS = 3000;

/** One list, as far as it is loaded. */
export class BookmarkList {
  /** @param {string} path @param {Record<string, any>} query */
  constructor(path, query) {
    this.path = path;
    this.query = query;
    /** @type {import('../vendor/signals.js').Signal<any>} */
    this.state = signal({ items: [], total: null, next: '', isLoading: false, error: null, more: null });
  }

  /** Load the first page again. */
  async refresh() {
    await this.#load('', []);
  }

  /** Load the first page, unless it is there or on its way. */
  async begin() {
    if (this.state.peek().total === null) await this.loadMore();
  }

  /** Load the next page, if there is one and none is loading. */
  async loadMore() {
    const { items, next, isLoading, total } = this.state.peek();
    if (!isLoading && (total === null || next)) await this.#load(next, items);
  }

  /** Change items that are shown. @param {(item: any) => any} change null takes an item out */
  change(change) {
    const before = this.state.peek();
    const items = before.items.map(change).filter(Boolean);
    this.state.value = { ...before, items, total: before.total - (before.items.length - items.length) };
  }

  /** @param {string} cursor @param {any[]} before */
  async #load(cursor, before) {
    this.state.value = { ...this.state.peek(), isLoading: true, error: null };
    try {
      const page = await get(this.path, { ...this.query, page_size: cursor ? PAGE : FIRST_PAGE, cursor });
      const items = [...before, ...page.items.map(itemOf)];
      this.state.value = { items, total: page.total, next: page.next_cursor, isLoading: false, error: null, more: page };
    } catch (error) {
      this.state.value = { ...this.state.peek(), isLoading: false, error };
      const wait = /** @type {any} */ (error).wait;
      if (wait) setTimeout(() => this.#load(cursor, before), wait * 1000 + RETRY_MS * Math.random());
    }
  }
}

/** A bookmark with what a search says of it. @param {any} item of a list or a search */
function itemOf(item) {
  return item.bookmark ? { ...item.bookmark, found: { highlights: item.highlights, matched: item.matched } } : item;
}

/** @type {Map<string, BookmarkList>} */
const lists = new Map();

/** The list of a query, loaded before or new. @param {string} path @param {Record<string, any>} query */
export function bookmarkList(path, query) {
  const key = JSON.stringify([session.peek().organizationId, path, query]);
  const list = lists.get(key) || new BookmarkList(path, query);
  lists.delete(key);
  lists.set(key, list);
  if (lists.size > STORED_LISTS) lists.delete(lists.keys().next().value || '');
  return list;
}

/** Forget all lists: their data has changed. */
export const forgetLists = () => lists.clear();

addEventListener('fuze-forget', forgetLists);

/** Show a changed bookmark in all lists. @param {any} bookmark */
export function showChanged(bookmark) {
  for (const list of lists.values()) {
    list.change((item) => (item.id === bookmark.id ? { ...item, ...bookmark } : item));
  }
}
