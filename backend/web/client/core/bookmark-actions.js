// Actions on bookmarks: shown at once, taken back where the server refuses, undone by their opposite.
import { post } from './api.js';
import { forgetLists } from './bookmark-list.js';
import { t, tn } from './i18n.js';
import { notifyFault, notifyUndoable } from './notices.js';
import { tell } from './tabs.js';

const OPPOSITE = {
  archive: 'unarchive',
  unarchive: 'archive',
  read: 'unread',
  unread: 'read',
  favorite: 'unfavorite',
  unfavorite: 'favorite',
  delete: 'restore',
  restore: 'delete',
};
const FIELDS = {
  archive: { is_archived: true },
  unarchive: { is_archived: false },
  read: { is_read: true },
  unread: { is_read: false },
  favorite: { is_favorite: true },
  unfavorite: { is_favorite: false },
};
// These leave most lists.
const LEAVING = new Set(['archive', 'unarchive', 'delete', 'restore']);

const DONE = () => ({
  archive: (n) => tn('Archived', 'Archived {n} links', n),
  unarchive: (n) => tn('Moved back to the library', 'Moved {n} links back to the library', n),
  read: (n) => tn('Marked as read', 'Marked {n} links as read', n),
  unread: (n) => tn('Marked as unread', 'Marked {n} links as unread', n),
  favorite: (n) => tn('Added to favourites', 'Added {n} links to favourites', n),
  unfavorite: (n) => tn('Removed from favourites', 'Removed {n} links from favourites', n),
  delete: (n) => tn('Moved to the trash', 'Moved {n} links to the trash', n),
  restore: (n) => tn('Restored', 'Restored {n} links', n),
});

/**
 * Do something with bookmarks of a list.
 * @param {import('./bookmark-list.js').BookmarkList | null} list where they are shown
 * @param {number[]} ids
 * @param {string} action
 * @param {Record<string, any>} [more] tags or a project
 */
export async function act(list, ids, action, more = {}) {
  const before = list?.state.peek();
  const chosen = new Set(ids);
  list?.change((item) => (chosen.has(item.id) ? changed(item, action) : item));
  try {
    await post('bookmarks/actions', { ids, action, ...more });
    tell({ kind: 'bookmarks' });
    announce(list, ids, action);
  } catch (error) {
    if (list && before) list.state.value = before;
    notifyFault(error);
  }
}

/** @param {any} item @param {string} action */
const changed = (item, action) => (LEAVING.has(action) ? null : { ...item, ...FIELDS[action] });

/** @param {any} list @param {number[]} ids @param {string} action */
function announce(list, ids, action) {
  const text = DONE()[action]?.(ids.length) || t('Done');
  if (!OPPOSITE[action]) return;
  notifyUndoable(text, async () => {
    await post('bookmarks/actions', { ids, action: OPPOSITE[action] });
    forgetLists();
    await list?.refresh();
  });
}
