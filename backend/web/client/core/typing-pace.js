// How long to wait after a key before searching: not at all, while the server's limit of searches is far away.
const WINDOW_MS = 60_000;
// Of the 60 a minute that the server allows by default, those of other tabs and further pages left out.
const FREE = 35;
const LONG_MS = 1500;
/** @type {number[]} when the searches of the last minute began */
let begun = [];

/** Count a search. @param {number} [now] */
export function countSearch(now = Date.now()) {
  begun = [...begun.filter((time) => now - time < WINDOW_MS), now];
}

/** Milliseconds to wait after a key: more, the more searches the last minute has seen. @param {number} [now] */
export function typingDelay(now = Date.now()) {
  const more = begun.filter((time) => now - time < WINDOW_MS).length - FREE;
  return more <= 0 ? 0 : Math.min(LONG_MS, more * more * 6);
}
