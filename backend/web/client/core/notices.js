// Short notices at the edge of the screen, read out by screen readers; some can be undone.
import { signal } from './html.js';
import { explain } from './problems.js';
import { t } from './i18n.js';

/** @typedef {{ id: number, text: string, kind: 'done' | 'fault', action?: { label: string, run: () => void } }} Notice */

export const notices = signal(/** @type {Notice[]} */ ([]));
const SECONDS = 7;
let last = 0;

/** @param {string} text @param {{ kind?: 'done' | 'fault', action?: { label: string, run: () => void } }} [more] */
export function notify(text, { kind = 'done', action } = {}) {
  const id = ++last;
  notices.value = [...notices.value.slice(-2), { id, text, kind, action }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
}

/** Say why something did not work. @param {unknown} error */
export const notifyFault = (error) => notify(explain(error), { kind: 'fault' });

/** Say what was done, with a button that undoes it. @param {string} text @param {() => Promise<any>} undo */
export function notifyUndoable(text, undo) {
  notify(text, { action: { label: t('Undo'), run: () => undo().catch(notifyFault) } });
}

/** @param {number} id */
export function dismiss(id) {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
