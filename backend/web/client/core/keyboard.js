// Keys: one map for the whole client, and one for the screen that is shown.
import { useLayoutEffect } from './html.js';

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Keys */

/** @type {Keys[]} the innermost comes last */
const maps = [];

/** Whether keys are typed into what has the focus. @param {EventTarget | null} target */
const takesText = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (takesText(event.target) || document.querySelector('dialog[open]')) return;
  const handler = [...maps].reverse().find((map) => map[event.key])?.[event.key];
  if (handler) {
    event.preventDefault();
    handler(event);
  }
}

/** Use these keys while a component is shown. @param {Keys} keys */
export function useKeys(keys) {
  // Before the browser shows what they act on.
  useLayoutEffect(() => {
    maps.push(keys);
    return () => void maps.splice(maps.indexOf(keys), 1);
  });
}

/** Listen for keys. */
export const startKeyboard = () => addEventListener('keydown', press);
