// Letters that are typed after the key for search, before its field is there: they belong into it, and are no shortcuts.
const LONGEST_MS = 3000;
let text = '';
let timer = 0;

/** @param {KeyboardEvent} event */
function collect(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
  event.preventDefault();
  event.stopPropagation();
  text += event.key;
}

/** Collect letters until they are taken, for a few seconds at most. */
export function collectTyped() {
  takeTyped();
  addEventListener('keydown', collect, true);
  timer = setTimeout(takeTyped, LONGEST_MS);
}

/** What was typed since; collecting ends. */
export function takeTyped() {
  removeEventListener('keydown', collect, true);
  clearTimeout(timer);
  const taken = text;
  text = '';
  return taken;
}
