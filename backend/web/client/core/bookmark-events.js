// Bookmarks that another tab has changed.
import { forgetLists } from './bookmark-list.js';
import { onMessage } from './tabs.js';

/** @type {Set<() => void>} */
const listeners = new Set();

/** Call `run` after each change. @param {() => void} run @returns {() => void} what ends that */
export function onBookmarksChanged(run) {
  listeners.add(run);
  return () => void listeners.delete(run);
}

onMessage((message) => {
  if (message.kind !== 'bookmarks') return;
  forgetLists();
  listeners.forEach((run) => run());
});
